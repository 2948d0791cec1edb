"""What planned runs would cost: nothing that the history tells is done already."""

from datetime import UTC, datetime

import pytest

from domain.cost import Cost, Dataset, Standing, costs
from domain.ledger import Benchmark, Entry, State
from domain.naming import model_identity
from domain.plan import FlowName, PlannedRun, Reason

TESTING, TRAINING = FlowName.TESTING, FlowName.TRAINING
BASE = "models/base/b1"
TEST, TEXT = Dataset("t" * 64, 4_000_000, 60.0, known=False), Dataset("x" * 64, 1_000, 0.0, known=False)
RECIPE = model_identity("taxi", "b1", "20250612", [TEXT.content_hash], 30).content_hash


def run(flow: FlowName, what: str = "testing") -> PlannedRun:
    """A planned run."""
    reason = Reason(what="track.toml", names=(what,), count=1)
    return PlannedRun(track="taxi", flow=flow, revision="abc", reasons=(reason,), key="k")


def state(model: str = BASE, tested: str = TEST.content_hash) -> State:
    """A track whose benchmark was measured."""
    benchmark = Benchmark(model=model, model_name="m", wer=0.1, words=9, testing_hash=tested, evidence="e")
    return State(track="taxi", base_model=BASE, benchmark=benchmark)


def judged(recipe: str = RECIPE, testing: str = TEST.content_hash) -> Entry:
    """A verdict in the history."""
    facts = {"recipe": recipe, "testing": testing}
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return Entry(
        number=1, previous="", writer="w", kind="training-update", at=when, flow_run="", revision="a", facts=facts
    )


def standing(now: State, *history: Entry, testing: Dataset = TEST, training: Dataset = TEXT) -> Standing:
    """A track with one dataset of each kind."""
    return Standing(now, history, testing, (training,), weight_percent=30)


def test_a_new_track_pays_for_everything_once() -> None:
    """What the testing update uploads and measures, the training update finds."""
    found = costs(standing(State(track="taxi")), [run(TESTING), run(TRAINING)])

    assert found == {
        TESTING: Cost(upload_bytes=4_000_000, evaluations=1, audio_seconds=60),
        TRAINING: Cost(upload_bytes=1_000, trainings=1, evaluations=1, audio_seconds=60),
    }


def test_an_unchanged_track_pays_for_nothing() -> None:
    """Not even when the flows are started again."""
    same = standing(state(), judged(), testing=Dataset("t" * 64, 9, 60, True), training=Dataset("x" * 64, 9, 0, True))

    assert set(costs(same, [run(TESTING), run(TRAINING)]).values()) == {Cost()}


def test_a_model_that_was_trained_is_only_evaluated_on_new_testing_data() -> None:
    """The same recipe is never trained twice."""
    again = costs(standing(state(tested="old"), judged(testing="old")), [run(TRAINING)])[TRAINING]

    assert (again.trainings, again.evaluations) == (0, 1)


@pytest.mark.parametrize(
    ("tested", "flows", "evaluations"),
    [("old", [TRAINING], 2), ("old", [TESTING, TRAINING], 1), (TEST.content_hash, [TRAINING], 1)],
)
def test_the_base_model_is_evaluated_beside_another_benchmark(
    tested: str, flows: list[FlowName], evaluations: int
) -> None:
    """Unless that is done, or the testing update does it."""
    found = costs(standing(state("models/own", tested)), [run(flow) for flow in flows])

    assert found[TRAINING].evaluations == evaluations


def test_another_base_model_makes_another_candidate() -> None:
    """Whatever the history tells of the one before."""
    found = costs(standing(state(), judged()), [run(TESTING, "model.base"), run(TRAINING, "model.base")])

    assert (found[TESTING].evaluations, found[TRAINING].trainings) == (1, 1)
