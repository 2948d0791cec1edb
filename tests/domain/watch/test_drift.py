"""Drift: a rise of the WER that matters and is more than chance, on the same recordings or on others."""

import numpy as np
import pytest

from domain.comparison import Comparison
from domain.significance import gain_of
from domain.watch.accuracy import accuracy_finding, told
from domain.watch.commands import Commands
from domain.watch.drift import Drift, Sample, only, other_recordings, same_recordings
from tests.domain.gate_kit import LABELS, compared, measured
from tests.domain.simulated_pairs import Setting, simulate

COMMANDS = Commands(track="taxi")
SPEAKERS = Setting(speakers=20, utterances=200, interaction=0.2)
WORSE = Setting(speakers=20, utterances=200, interaction=0.2, better=-1.0)


def paired(then: int, now: int) -> Drift:
    """The same 20 recordings of ten speakers, with so many errors in 1,000 words then and now."""
    comparison = compared(measured("then", then), measured("now", now))
    return same_recordings("release 1", comparison.benchmark, comparison.candidate, LABELS, 0.95)


def unpaired(before: Comparison, after: Comparison) -> Drift:
    """One model on the recordings of other speakers."""
    return other_recordings("release 1", (before.benchmark, before.labels), (after.candidate, after.labels), 0.95)


def made(setting: Setting, random: np.random.Generator) -> Comparison:
    """Simulated results of two models."""
    return simulate(setting, random).comparison()


def test_a_rise_on_the_same_recordings_is_found() -> None:
    """Ten points more in every speaker are no chance, and the sign says worse."""
    drift = paired(100, 200)

    assert drift.rise == pytest.approx(0.1)
    assert drift.interval == pytest.approx((0.1, 0.1))
    assert drift.matters(1.0)


def test_a_small_rise_is_not_worth_telling() -> None:
    """Real, but less than what the track wants to hear of."""
    drift = paired(100, 110)

    assert drift.is_real
    assert drift.matters(1.0)
    assert not drift.matters(1.1)


@pytest.mark.parametrize("now", [100, 50])
def test_no_rise_is_no_finding(now: int) -> None:
    """The same, or better."""
    assert not paired(100, now).matters(0)


def test_harder_speakers_alone_are_no_drift() -> None:
    """Other speakers, the same model: hardly ever an alarm; twice as many errors: mostly one."""
    random = np.random.default_rng(7)
    quiet = [unpaired(made(SPEAKERS, random), made(SPEAKERS, random)) for _ in range(16)]
    loud = [unpaired(made(SPEAKERS, random), made(WORSE, random)) for _ in range(8)]

    assert sum(drift.matters(1.0) for drift in quiet) <= 1
    assert sum(drift.matters(1.0) for drift in loud) >= 6


def test_too_few_speakers_cannot_tell() -> None:
    """Four speakers: the rise is told as what may be, never as what is."""
    few = Setting(speakers=4, utterances=40, interaction=0.2)
    random = np.random.default_rng(7)
    drift = unpaired(simulate(few, random).comparison(), simulate(few, random).comparison())
    drift = drift.model_copy(update={"rise": 0.05})

    finding = accuracy_finding(drift, None, "model", "hash", 1.0, COMMANDS)

    assert (drift.interval, drift.matters(0)) == (None, False)
    assert (finding.kind, finding.severity) == ("accuracy-unsure", "info")


@pytest.mark.parametrize(
    ("base_now", "method", "why"),
    [
        (0.35, "same recordings", "harder for it as well"),
        (0.30, "same recordings", "it is the model, or the service, that answers otherwise"),
        (0.30, "other recordings", "what people say has moved away"),
    ],
)
def test_the_base_model_tells_harder_data_from_a_worse_model(base_now: float, method: str, why: str) -> None:
    """The first question at night."""
    drift = paired(100, 200).model_copy(update={"base_then": 0.30, "base_now": base_now, "method": method})

    assert why in accuracy_finding(drift, None, "model", "hash", 1.0, COMMANDS).detail


def test_a_model_that_is_worse_than_the_base_model_is_critical() -> None:
    """Then clients would be better off without it."""
    worse = gain_of(compared(measured("base", 100), measured("live", 200)))

    better = gain_of(compared(measured("base", 300), measured("live", 200)))
    drift = paired(100, 200)

    assert accuracy_finding(drift, worse, "model", "hash", 1.0, COMMANDS).severity == "critical"
    assert accuracy_finding(drift, better, "model", "hash", 1.0, COMMANDS).severity == "warning"


def test_recordings_that_had_leaked_are_in_no_record() -> None:
    """The release's WER was without them."""
    whole = measured("live", 100)

    kept = only(whole, {"00.wav"})

    assert {one.id for one in whole.scorecard.utterances} - {one.id for one in kept.scorecard.utterances} == {"00.wav"}


def test_figures_are_told_with_their_intervals() -> None:
    """Nobody has to look anything up."""
    then, now = Sample(wer=0.1, interval=(0.08, 0.12), words=900), Sample(wer=0.2, interval=(0.17, 0.23), words=800)
    drift = Drift(
        against="release 1.2.0", method="other recordings", now=now, then=then, rise=0.1, interval=(0.06, 0.14)
    )

    assert told(drift) == (
        "WER 20.0% (17.0–23.0%) on 800 words now, 10.0% (8.0–12.0%) on 900 words at release 1.2.0, other recordings: "
        "+10.0 points (+6.0 to +14.0)"
    )
