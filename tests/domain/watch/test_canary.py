"""The canary: which model answers is told by recordings that only one of them gets right."""

import pytest

from domain.watch.canary import Canary, canary_finding, judged, telling_recordings
from domain.watch.commands import Commands
from tests.domain.gate_kit import heard

SAID = ["to xanadu", "the xystus", "good day"]
BASE = ["to an a do", "the", "good day"]
COMMANDS = Commands(track="taxi")


def texts(*spoken: str) -> dict[str, str]:
    """By recording."""
    return {f"{number}.wav": text for number, text in enumerate(spoken)}


def test_recordings_that_both_get_right_tell_nothing() -> None:
    """Only those count on which the live model does better, the most telling first."""
    base, live = heard("base", BASE, SAID), heard("live", SAID, SAID)
    names = [one.id for one in live.scorecard.utterances]

    assert telling_recordings(base.scorecard, live.scorecard) == (names[0], names[1])


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (SAID, None),
        (BASE, "silent-fallback"),
        (["to an a do", "the xystus", "good day"], "silent-fallback"),
        (["to xanadu too", "the xystus", "good day"], "other-answers"),
        (["", "", ""], "other-answers"),
    ],
)
def test_what_the_answers_are_nearer_to_decides(answers: list[str], kind: str | None) -> None:
    """The base model's text, its own, or neither."""
    canary = judged(texts(*SAID), texts(*BASE), texts(*answers))

    finding = canary_finding(canary, "model", 15.0, COMMANDS)

    assert (finding and finding.kind) == kind


@pytest.mark.parametrize(("from_live", "severity"), [(2, "warning"), (5, "critical")])
def test_answers_that_nobody_can_use_wake_somebody(from_live: int, severity: str) -> None:
    """A deaf endpoint is no base model, and as bad."""
    canary = Canary(recordings=3, words=9, from_live=from_live, from_base=9)

    assert canary_finding(canary, "model", 15.0, COMMANDS).severity == severity


def test_models_that_say_the_same_cannot_be_told_apart() -> None:
    """Today's newest base model may have learnt the words: then nobody can tell, and no alarm is made of it."""
    assert judged(texts(*SAID), texts(*SAID), texts(*SAID)) is None


def test_the_finding_has_figures_and_no_words() -> None:
    """It goes into events and notifications."""
    canary = Canary(recordings=3, words=9, from_live=4, from_base=0)
    finding = canary_finding(canary, "model", 15.0, COMMANDS)

    assert finding.severity == "critical"
    assert "0 words differ from its text, 4 from the custom model's" in finding.detail
    assert "xanadu" not in finding.model_dump_json()
