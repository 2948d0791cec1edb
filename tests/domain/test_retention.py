"""What is kept on the Speech service, and what is not."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.ledger import Benchmark, Pending, State
from domain.retention import Held, superfluous
from tests.domain.test_rollback import head, release

DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)


def model(letter: str, day: int, track: str = "taxi", **changes: Any) -> Held:
    """A model that was trained on a day."""
    given = {"kind": "model", "path": f"models/{letter}", "name": f"{track}-model-{letter}", "track": track,
             "content_hash": f"recipe-{letter}", "created": DAY_ONE + timedelta(days=day)}  # fmt: skip
    return Held(**{**given, **changes})


def endpoint(name: str, path: str, uses: str = "a", track: str = "taxi") -> Held:
    """An endpoint that serves a model."""
    return Held(kind="endpoint", path=f"endpoints/{path}", name=name, track=track, uses=(uses,))


def evaluation(one: str, two: str, status: str = "Succeeded", track: str = "taxi") -> Held:
    """An evaluation of two models."""
    name = f"{track}-evaluation-{one}{two}"
    return Held(
        kind="evaluation", path=f"evaluations/{one}{two}", name=name, track=track, status=status, uses=(one, two)
    )


SIX = [model(name, day) for day, name in enumerate("abcdef")]


def gone(held: list[Held], state: State, keep: int, *wanted: str) -> list[str]:
    """The ids of what is deleted, in order."""
    return [one.id for one in superfluous(held, state, keep, wanted)]


def test_the_newest_models_are_kept() -> None:
    """As many as the track says; the oldest go."""
    assert gone(SIX, head(release(1, "f")), 4) == ["b", "a"]


def test_what_is_in_use_is_kept_however_old() -> None:
    """The live model, the benchmark, and what somebody waits for: by path or by name."""
    measured = Benchmark(model="models/b", model_name="b", wer=0.1, words=9, testing_hash="t", evidence="e")
    state = head(release(1, "a"), benchmark=measured)
    assert gone(SIX, state, 1, "models/c", "taxi-model-d") == ["e"]


def test_a_model_under_evaluation_is_kept() -> None:
    """Until the evaluation is over; then the evaluation goes first, for it holds the model."""
    state = head(release(1, "f"))
    assert gone([*SIX[-2:], evaluation("e", "f", "Running")], state, 1) == []
    assert gone([*SIX[-2:], evaluation("e", "f")], state, 1) == ["ef", "e"]


def test_a_model_that_is_being_trained_is_kept() -> None:
    """It cannot be deleted, and somebody waits for it."""
    assert gone([model("a", 0, status="Running"), model("b", 1)], head(release(1, "b")), 1) == []


def test_a_model_that_an_endpoint_serves_is_kept() -> None:
    """Whoever made that endpoint."""
    held = [*SIX[:2], endpoint("by-hand", "x", "a", track="taxi")]
    assert gone(held, head(release(1, "b")), 1) == []


def test_models_of_other_tracks_are_left_alone() -> None:
    """Also of one whose name begins like this one's, and what people made by hand."""
    others = [model("y", 0, "taxi-x"), model("x", 0, name="taxi-x-model-x"), model("z", 0, "tax")]
    assert gone([*others, model("f", 9)], head(release(1, "f")), 1) == []


def test_all_attempts_at_a_recipe_go_together() -> None:
    """Were the first missing, it would be trained again."""
    failed = model("a", 0, status="Failed")
    second = model("z", 1, content_hash="recipe-a")
    assert gone([failed, second, *SIX[2:]], head(release(1, "f")), 4) == ["z", "a"]
    assert gone([failed, second, *SIX[2:]], head(release(1, "f")), 1, "models/z") == ["e", "d", "c"]


def test_staging_endpoints_are_removed_and_the_live_one_is_not() -> None:
    """Hosting is charged by the hour; first the endpoint, then the model that it held."""
    held = [model("a", 0), model("f", 1), endpoint("taxi-staging-1", "s"), endpoint("taxi-live", "live", "f")]
    assert gone(held, head(release(1, "f"), endpoint="endpoints/live"), 1) == ["s", "a"]


def test_a_former_endpoint_stays_until_the_release_after() -> None:
    """Mode new-endpoint: clients move away from the one before; nobody should be at the one before that."""
    releases = [release(number, name, endpoint=f"endpoints/{name}") for number, name in enumerate("abc", start=1)]
    held = [endpoint(f"taxi-live-{name}", name, name) for name in "abc"]
    assert gone(held, head(*releases, endpoint="endpoints/c"), 5) == ["a"]


def test_nothing_is_removed_while_a_release_is_under_way() -> None:
    """Its staging endpoint, its model: who knows."""
    state = head(release(1, "f"), pending=Pending(model_name="taxi-model-a", evidence="e"))
    assert gone([*SIX, endpoint("taxi-staging-1", "s")], state, 1) == []


def test_a_track_without_a_release_keeps_its_endpoint() -> None:
    """A first release that failed left it; the next one uses it."""
    assert gone([endpoint("taxi-live", "live")], State(track="taxi"), 1) == []
