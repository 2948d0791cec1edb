"""Golden utterances: an endpoint that answers otherwise than the evaluation, or too late, is told apart in figures."""

import pytest

from domain.golden import Golden, Hearing, compare
from domain.latency import Latency
from domain.release_policy import ReleaseSettings

SECRET = "xanadu"
GOLDEN = {
    "1.wav": Golden(said=f"we go to {SECRET} now please", heard="we go to a canal now please"),
    "2.wav": Golden(said=f"{SECRET} is a place", heard=f"{SECRET} is a place"),
}
AS_EVALUATED = {name: one.heard for name, one in GOLDEN.items()}


def test_an_endpoint_that_answers_as_the_evaluation_did_may_serve() -> None:
    """Errors that the model has made in the evaluation, too, are no surprise."""
    hearing = compare(GOLDEN, AS_EVALUATED, Latency.of([0.2, 0.4]))

    assert (hearing.text_difference, hearing.wer, hearing.evaluated_wer) == (0.0, 0.2, 0.2)
    assert hearing.complaint("taxi-live", ReleaseSettings(golden_tolerance_percent=0)) == ""


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"golden_tolerance_percent": 30.0, "golden_wer_tolerance_points": 50.0}, "the text differs from the evaluation's by 36.4 % of the words (30 % are allowed)"),
        ({"golden_tolerance_percent": 40.0, "golden_wer_tolerance_points": 39.0},
         "WER 60.0 %, in the evaluation 20.0 % (up to 39 points more are allowed)"),
    ],
)  # fmt: skip
def test_text_and_errors_are_judged_apart(settings: dict[str, float], told: str) -> None:
    """The message says which of them failed, with figures, and shows nothing of what people said."""
    heard = {"1.wav": "we go to a canal now please", "2.wav": ""}

    complaint = compare(GOLDEN, heard).complaint("taxi-live", ReleaseSettings(**settings))

    assert complaint == f"'taxi-live' does not answer 2 golden utterances as it must: {told}"
    assert SECRET not in complaint + repr(GOLDEN)


def test_fewer_errors_than_in_the_evaluation_are_no_fault() -> None:
    """Only the text tells, and that is within the tolerance."""
    heard = {name: one.said for name, one in GOLDEN.items()}

    hearing = compare(GOLDEN, heard)

    assert (
        hearing.complaint("taxi-live", ReleaseSettings(golden_tolerance_percent=20, golden_wer_tolerance_points=0))
        == ""
    )


def test_slow_answers_are_a_fault() -> None:
    """The right text after a minute is of no use to a client."""
    hearing = compare(GOLDEN, AS_EVALUATED, Latency.of([0.2, 31.5]))

    assert "95 of 100 answers take up to 31.5 s (30 s are allowed)" in hearing.complaint("x", ReleaseSettings())


def test_an_evaluation_that_heard_nothing_proves_nothing() -> None:
    """Whoever is deaf agrees with it."""
    deaf = compare({"1.wav": Golden(said="hello", heard="")}, {"1.wav": ""})

    assert "had heard no word" in deaf.complaint("x", ReleaseSettings())
    assert Hearing().complaint("x", ReleaseSettings()) == ""
