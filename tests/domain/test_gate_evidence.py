"""Is there evidence enough, and is it honest: chance, leaks, and what is too good to be true."""

from dataclasses import replace

import pytest

from domain.comparison import Comparison
from domain.gate import check, decide, without
from domain.leakage import Leak, LeakReport
from domain.policy import GatePolicy
from domain.verdict import Outcome
from tests.domain.gate_kit import LABELS, LOOKED, compared, found, judged, leaked, measured, uneven, utterance

CARD = uneven("m", [0] * 20).scorecard


def lucky(speakers: int = 10) -> Comparison:
    """A gain of 20 errors in 1,000 words; half of the speakers gain much, the others lose."""
    before, after = [10] * 20, [2 if number % 10 < 5 else 16 for number in range(20)]
    labels = {name: {"speaker": f"s{number % speakers}"} for number, name in enumerate(LABELS)}
    return compared(uneven("old", before), uneven("new", after), labels=labels, seconds=dict.fromkeys(LABELS, 6.0))


def few(speakers: int, **labels: str) -> Comparison:
    """Every speaker gains, but there are so many of them."""
    known = {name: {"speaker": f"s{number % speakers}", **labels} for number, name in enumerate(LABELS)}
    return compared(measured("old", 300), measured("new", 200), labels=known)


def test_a_gain_that_may_be_chance_is_inconclusive_and_tells_what_would_show_it() -> None:
    """Some speakers gain, others lose: new speakers may go either way."""
    verdict = judged(lucky())

    finding = found(verdict, "significance")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert found(verdict, "minimum gain").outcome is Outcome.PASS
    assert finding.interval is not None
    assert finding.interval[0] < 0 < finding.value
    assert (finding.words, finding.speakers) == (1000, 10)
    assert "the gain may be chance: between" in finding.reason
    assert "more speakers, or" in finding.reason
    assert "minutes, like these would show it (80% power)" in finding.reason


def test_a_gain_that_is_too_small_fails_whatever_chance_says() -> None:
    """Significance is told, and makes matters neither better nor worse."""
    verdict = judged(lucky(), minimum_gain_points=20)

    assert verdict.outcome is Outcome.FAIL
    assert found(verdict, "significance").outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("speakers", "outcome"), [(4, "INCONCLUSIVE"), (5, "INCONCLUSIVE"), (6, "PASS")])
def test_too_few_speakers_cannot_tell(speakers: int, outcome: str) -> None:
    """Five of five on the same side is chance once in 32 times, and one side of 95 % leaves one in 40."""
    verdict = judged(few(speakers))

    assert verdict.outcome == outcome
    told = f"too few speakers to tell: {speakers}; at least 6 are needed"
    assert (told in verdict.reasons) == (outcome == "INCONCLUSIVE")


def test_speakers_without_words_do_not_count() -> None:
    """Eight names in a list are not eight witnesses."""
    words = [60, 60, 60, 1, 0, 0, 0, 0]
    rows = list(zip(list(LABELS)[:8], words, strict=True))
    before, after = (
        replace(
            uneven("m", [0] * 20),
            scorecard=replace(CARD, utterances=tuple(utterance(*row, row[1] // part) for row in rows)),
        )
        for part in (2, 3)
    )

    reason = found(judged(compared(before, after)), "significance").reason

    assert reason == "8 speakers are too unequal to tell: nearly all words are of a few of them"


def test_unknown_speakers_are_told() -> None:
    """Recordings stand for speakers then, which is too sure when one speaker has many."""
    verdict = judged(compared(measured("old", 300), measured("new", 200), labels={}))

    assert (
        "from 20 recordings (block bootstrap), as if nobody spoke in two of them"
        in found(verdict, "significance").reason
    )


def test_a_higher_confidence_asks_for_more() -> None:
    """The policy says how sure a gain must be."""
    assert judged(few(6), confidence_percent=95).outcome is Outcome.PASS
    assert judged(few(6), confidence_percent=99).outcome is Outcome.INCONCLUSIVE


def test_mapsswe_must_see_the_gain_too() -> None:
    """A gain in every speaker of one word among many changes is not seen within utterances: people look first."""
    before = [25 if number % 2 else 10 for number in range(20)]
    after = [10 if number % 2 else 24 for number in range(20)]
    labels = {name: {"speaker": f"s{number // 2}"} for number, name in enumerate(LABELS)}
    comparison = compared(uneven("old", before), uneven("new", after), labels=labels)

    verdict = judged(comparison)

    assert found(verdict, "significance").outcome is Outcome.PASS
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "MAPSSWE, which takes these speakers as they are, finds no difference" in verdict.reasons[0]
    assert judged(comparison, mode="non-inferiority").outcome is Outcome.PASS


def test_mapsswe_tells_a_loss_from_a_gain() -> None:
    """A clear difference for the worse is no second opinion for the candidate."""
    finding = found(judged(compared(measured("old", 200), measured("new", 300))), "matched pairs")

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "finds a loss (p < 0.001" in finding.reason


@pytest.mark.parametrize(
    ("candidate", "margin", "outcome"),
    [(150, 0.5, "PASS"), (152, 0.5, "PASS"), (153, 0.5, "FAIL"), (152, 0.4, "INCONCLUSIVE"), (100, 0, "PASS")],
)
def test_non_inferiority_allows_a_loss_within_the_margin(candidate: int, margin: float, outcome: str) -> None:
    """A track may want a model that is only not worse, for instance a cheaper one."""
    comparison = compared(uneven("old", [150] * 20, 10_000), uneven("new", [candidate] * 20, 10_000))

    verdict = judged(comparison, mode="non-inferiority", margin_points=margin)

    assert found(verdict, "non-inferiority").outcome == outcome
    assert not [finding for finding in verdict.findings if finding.rule.startswith("minimum")]


@pytest.mark.parametrize(("candidate", "outcome"), [(300, "INCONCLUSIVE"), (400, "FAIL")])
def test_too_few_speakers_exclude_no_loss(candidate: int, outcome: str) -> None:
    """But a loss that is there fails, however few show it."""
    labels = {name: {"speaker": "s"} for name in LABELS}
    comparison = compared(measured("old", 300), measured("new", candidate), labels=labels)

    assert found(judged(comparison, mode="non-inferiority"), "non-inferiority").outcome == outcome


def test_a_loss_that_is_not_excluded_is_inconclusive_in_mode_non_inferiority() -> None:
    """Better by luck is not shown to be no worse."""
    assert judged(lucky(), mode="non-inferiority").outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("benchmark", "candidate"), [(300, 60), (11, 8)])
@pytest.mark.parametrize(
    "report",
    [None, LeakReport(), LeakReport(leaks=(Leak(kind="speaker", file="f", reason="r", blocks=False),), checked=("x",))],
    ids=["nobody looked", "nothing was looked at", "odd"],
)
def test_what_is_too_good_to_be_true_is_held_for_review(
    benchmark: int, candidate: int, report: LeakReport | None
) -> None:
    """A gain of 80 %, or a WER below 1 %, is more often a leak than a model."""
    clean = compared(measured("old", benchmark), measured("new", candidate))

    held = judged(replace(clean, leaks=report))

    assert found(judged(clean), "suspicious gain").outcome is Outcome.PASS
    assert found(held, "suspicious gain").outcome is Outcome.INCONCLUSIVE
    assert "held for review" in found(held, "suspicious gain").reason
    assert not held.releases


@pytest.mark.parametrize("report", [None, LeakReport()])
def test_an_ordinary_gain_passes_though_nobody_looked_and_that_is_told(report: LeakReport | None) -> None:
    """Whoever has no training data at hand gets a verdict as well."""
    verdict = judged(compared(measured("old", 300), measured("new", 200), leaks=report))

    assert verdict.outcome is Outcome.PASS
    assert found(verdict, "leaks").reason == "nobody looked for leaks between training and testing data"


def test_a_leak_blocks() -> None:
    """A model that has seen the answers shows nothing; people are told where to mend it."""
    comparison = compared(measured("old", 300), measured("new", 200), leaks=leaked("00.wav"))

    verdict = decide(comparison, GatePolicy())

    assert verdict.outcome is Outcome.INVALID
    assert verdict.reasons == ("testing data leaked into training: 1 leak, the first in plain.txt:3: r",)
    assert check(comparison, GatePolicy()).outcome is Outcome.INVALID


def test_leaked_recordings_can_be_left_out_of_the_scoring() -> None:
    """What is left decides; the finding says how many went, and what they hid."""
    after = [0, 0, *[12] * 18]
    comparison = compared(uneven("old", [15] * 20), uneven("new", after), leaks=leaked("00.wav", "01.wav"))

    verdict = judged(comparison, leaks="exclude")

    assert verdict.outcome is Outcome.PASS
    assert verdict.excluded == ("00.wav", "01.wav")
    assert (verdict.candidate_counts.reference_words, verdict.candidate_counts.errors) == (900, 12 * 18)
    assert found(verdict, "leaks").reason == (
        "2 recordings that leaked into training are left out (00.wav, 01.wav); with them WER would have been 30.0% and "
        "21.6%, without them it is 30.0% and 24.0%"
    )


def test_a_gain_that_only_leaks_made_is_none() -> None:
    """Without the leaked recordings nothing is better."""
    after = [0] * 10 + [15] * 10
    comparison = compared(uneven("old", [15] * 20), uneven("new", after), leaks=leaked(*list(LABELS)[:10]))

    assert judged(comparison, leaks="exclude").outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (leaked(None), "leaks cannot be left out"),
        (leaked("00.wav", "elsewhere.wav"), "leaks cannot be left out"),
        (leaked(*LABELS), "nothing is left to measure"),
    ],
)
def test_a_leak_that_cannot_be_left_out_blocks_all_the_same(report: LeakReport, reason: str) -> None:
    """A leak of the whole set, or a report about other recordings, is no licence."""
    verdict = judged(compared(measured("old", 300), measured("new", 200), leaks=report), leaks="exclude")

    assert verdict.outcome is Outcome.INVALID
    assert reason in verdict.reasons[0]


def test_without_takes_recordings_out_of_everything() -> None:
    """Labels, lengths, all three models and the leaks that concern them."""
    side = measured("m", 300)
    whole = compared(side, side, base=side, seconds={"00.wav": 1.0}, leaks=leaked("00.wav"))

    rest = without(whole, ["00.wav"])

    for model in (rest.benchmark, rest.candidate, rest.base):
        assert [one.id for one in model.scorecard.utterances] == list(LABELS)[1:]
        assert model.scorecard.total.reference_words == 950
    assert (rest.leaks, dict(rest.seconds), "00.wav" in rest.labels) == (LOOKED, {}, False)
    assert without(whole, []) is whole
