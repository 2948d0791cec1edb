"""Better overall does not excuse everything: slices, phrases, kinds of errors, the base model, worn-out testing data."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from domain.comparison import Comparison, Phrase, TokenErrors
from domain.verdict import Outcome, Verdict
from tests.domain.gate_kit import LABELS, TOKENS, compared, found, heard, judged, measured, uneven

SPOKEN = ["take me to al qasba", "the old tower is tall"] * 10


def by_noise(quiet: tuple[int, int], loud: tuple[int, int], words: int = 2000) -> Comparison:
    """Errors per recording, before and after, of ten quiet and ten loud recordings, all by the same ten speakers."""
    before, after = ([quiet[side]] * 10 + [loud[side]] * 10 for side in (0, 1))
    return compared(uneven("old", before, words), uneven("new", after, words))


def phrased(before: list[str], after: list[str], *phrases: Phrase, said: list[str] = SPOKEN) -> Comparison:
    """Both models' texts of what was said, and the phrases that matter."""
    return compared(heard("old", before, said), heard("new", after, said), phrases=phrases)


def test_one_worse_slice_blocks_the_release() -> None:
    """Better overall does not excuse worse for everyone in a noisy street."""
    verdict = judged(by_noise(quiet=(60, 20), loud=(30, 40)))

    finding = found(verdict, "slice: noise=loud")
    assert verdict.outcome is Outcome.FAIL
    assert finding.reason == "noise=loud: WER went from 30.0% to 40.0%, worse by more than chance"
    assert (finding.value, finding.words, finding.speakers) == (-0.1, 1000, 10)
    assert found(verdict, "slice: noise=quiet").outcome is Outcome.PASS


def test_many_slices_are_judged_together() -> None:
    """Five speakers who are all worse are chance once in 32 times: odd for one slice, not for one of two (Holm)."""
    changes = [(10, 12) if row["speaker"] < "s5" else (30, 10) for row in LABELS.values()]
    ages = {name: {**row, "noise": "old" if row["speaker"] < "s5" else "young"} for name, row in LABELS.items()}
    alone = {name: row if row["noise"] == "old" else {"speaker": row["speaker"]} for name, row in ages.items()}
    comparison = compared(*(uneven(str(side), [pair[side] for pair in changes], 2000) for side in (0, 1)), labels=ages)

    assert found(judged(replace(comparison, labels=alone)), "slice: noise=old").outcome is Outcome.FAIL
    assert found(judged(comparison), "slice: noise=old").outcome is Outcome.PASS


def test_a_slice_with_too_little_evidence_is_listed_and_not_judged() -> None:
    """Thirty words of one speaker prove nothing, in either direction."""
    verdict = judged(by_noise(quiet=(60, 20), loud=(30, 40)), slice_minimum_words=1001)

    assert verdict.outcome is Outcome.PASS
    assert found(verdict, "slices not judged").reason == (
        "too little evidence to judge 2 slices: noise=loud (1,000 words), noise=quiet (1,000 words); "
        "1,001 words and 6 speakers are needed"
    )


def test_a_slice_of_few_speakers_is_listed_and_not_judged() -> None:
    """Four speakers may be worse by chance."""
    labels = {name: {**LABELS[name], "age": "old" if LABELS[name]["speaker"] < "s4" else "young"} for name in LABELS}
    comparison = replace(by_noise(quiet=(30, 20), loud=(30, 20), words=4000), labels=labels)

    assert "age=old (1,600 words, 4 speakers)" in found(judged(comparison), "slices not judged").reason


def test_what_tells_every_recording_from_every_other_is_no_slice() -> None:
    """Nor are speakers and sessions."""
    rows = enumerate(LABELS.items())
    labels = {name: {**row, "taken_at": f"10:{number}", "session": "1"} for number, (name, row) in rows}
    comparison = replace(by_noise(quiet=(30, 20), loud=(30, 20)), labels=labels)

    told = " ".join(finding.reason + finding.rule for finding in judged(comparison, slice_minimum_words=10).findings)

    assert "noise=loud" in told
    assert not [label for label in ("taken_at", "session=", "speaker=") if label in told]


def test_a_protected_slice_must_be_shown_not_to_be_worse() -> None:
    """A loss of one point is excluded, not excluded, or there."""
    policy = {"protected_slices": ["noise=loud"], "slice_margin_points": 1.0}
    rule = "protected slice: noise=loud"

    assert found(judged(by_noise((60, 20), (30, 30)), **policy), rule).outcome is Outcome.PASS
    assert found(judged(by_noise((60, 20), (30, 31)), **policy), rule).outcome is Outcome.INCONCLUSIVE
    assert found(judged(by_noise((60, 20), (30, 32)), **policy), rule).outcome is Outcome.FAIL


def test_a_protected_slice_without_evidence_is_inconclusive() -> None:
    """Nobody is protected by a guess."""
    verdict = judged(by_noise((40, 20), (30, 20), words=900), protected_slices=["noise=loud"])

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons[0].startswith("noise=loud, which is protected, has too little evidence (450 words)")


@pytest.mark.parametrize("setting", ["required_slices", "protected_slices"])
def test_a_declared_slice_that_is_absent_fails(setting: str) -> None:
    """Somebody removed the recordings that the policy asks for."""
    verdict = judged(by_noise((60, 20), (30, 20)), **{setting: ["accent=gulf"]})

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].startswith("the testing data have no accent=gulf")


def test_a_required_slice_that_is_there_passes() -> None:
    """Being there is all that is asked of it."""
    assert judged(by_noise((40, 30), (30, 20), words=900), required_slices=["noise=loud"]).outcome is Outcome.PASS


def test_the_gap_between_groups_may_not_widen() -> None:
    """Both gain, but one is left behind; a track may allow for some of that."""
    comparison = by_noise(quiet=(40, 20), loud=(50, 45))

    verdict = judged(comparison)

    assert verdict.outcome is Outcome.FAIL
    assert found(verdict, "gap: noise").value == 0.15
    assert "grew by 15.00 points" in verdict.reasons[0]
    assert judged(comparison, maximum_gap_rise_points=16).outcome is Outcome.PASS
    assert judged(by_noise(quiet=(40, 30), loud=(50, 40))).outcome is Outcome.PASS


def test_a_lost_phrase_fails() -> None:
    """The names that the model was trained for must not get lost while other words get better."""
    verdict = judged(phrased(SPOKEN, [SPOKEN[1]] * 20, Phrase("Al Qasba")))

    assert found(verdict, "critical phrases").outcome is Outcome.FAIL
    assert "went from 100.0% to 0.0% of 10 occurrences, by more than chance" in " ".join(verdict.reasons)


def test_a_few_lost_phrases_are_a_matter_of_chance_and_of_how_many() -> None:
    """One of fifty may be chance; one of ten is looked at by people first."""
    fewer = ["take me to casbah", *SPOKEN[1:]]
    phrase = Phrase("al qasba")

    verdict = judged(phrased(SPOKEN, fewer, phrase))

    assert found(verdict, "critical phrases").outcome is Outcome.INCONCLUSIVE
    easy = judged(phrased(SPOKEN, fewer, phrase), maximum_phrase_recall_fall_points=10)
    assert found(easy, "critical phrases").outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("phrase", "outcome", "told"),
    [
        ("Al-Qasba!", "PASS", "'Al-Qasba!', which must be heard, is heard 10 of 10 times"),
        ("old tower", "FAIL", "'old tower', which must be heard, is heard 9 of 10 times"),
        ("Kalba", "FAIL", "'Kalba', which must be heard, is in no recording: add one"),
        ("old road", "FAIL", "'old road', which must be heard, is in no recording: add one"),
        ("!!!", "FAIL", "'!!!', which must be heard, is in no recording: add one"),
    ],
)
def test_a_must_phrase_is_a_unit_test_of_the_model(phrase: str, outcome: str, told: str) -> None:
    """Every occurrence is heard, or the candidate fails, however good the rest is."""
    after = [*SPOKEN[:19], "the cold tower is tall"]

    finding = found(judged(phrased(SPOKEN, after, Phrase(phrase, must=True))), "must phrase")

    assert (finding.outcome, finding.reason) == (outcome, told)


def test_a_phrase_that_nobody_says_is_listed() -> None:
    """It shows nothing, and people should record it."""
    verdict = judged(phrased(SPOKEN, SPOKEN, Phrase("Kalba"), Phrase("al qasba")))

    assert found(verdict, "critical phrases").reason.endswith("100.0% of 10 occurrences; no recording has Kalba")


def test_hearing_phrases_everywhere_fails() -> None:
    """A model that was trained too hard says the names in every sentence."""
    after = ["take me to al qasba", "the old al qasba is tall"] * 10

    verdict = judged(phrased(SPOKEN, after, Phrase("al qasba")))

    finding = found(verdict, "control set")
    assert finding.outcome is Outcome.FAIL
    assert "in all recordings: 0 by the benchmark, 10 by the candidate, by more than chance" in finding.reason


def test_only_the_control_set_counts_when_there_is_one() -> None:
    """False alarms are judged where the words are not expected."""
    after = [*["take me to al qasba", "the old al qasba is tall"] * 5, *SPOKEN[10:]]
    comparison = phrased(SPOKEN, after, Phrase("al qasba"))

    assert found(judged(comparison, control="noise=quiet"), "control set").outcome is Outcome.FAIL
    assert found(judged(comparison, control="noise=loud"), "control set").outcome is Outcome.PASS
    assert found(judged(comparison), "control set").outcome is Outcome.FAIL


def test_some_false_alarms_may_be_chance() -> None:
    """Two in twenty are looked at; none more than before is fine."""
    after = [*SPOKEN[:18], "take me to al qasba al qasba", "the tower al qasba"]
    comparison = phrased(SPOKEN, after, Phrase("al qasba"))

    assert found(judged(comparison), "control set").outcome is Outcome.INCONCLUSIVE
    allowed = judged(comparison, maximum_false_alarm_rise_points=10)
    assert found(allowed, "control set").outcome is Outcome.PASS


def test_a_control_set_that_cannot_be_used_is_told() -> None:
    """Absent from the data, or no phrases to look for."""
    assert found(judged(phrased(SPOKEN, SPOKEN, Phrase("x")), control="noise=none"), "control set").outcome == "FAIL"
    assert found(judged(phrased(SPOKEN, SPOKEN), control="noise=loud"), "control set").outcome == "INCONCLUSIVE"


def test_phrases_of_an_unknown_normaliser_are_not_guessed() -> None:
    """An old verdict is computed again by a version that no longer has its normaliser."""
    comparison = phrased(SPOKEN, SPOKEN, Phrase("al qasba", must=True))
    sides = (comparison.benchmark, comparison.candidate)
    old = [replace(side, scorecard=replace(side.scorecard, normaliser="old")) for side in sides]

    finding = found(judged(replace(comparison, benchmark=old[0], candidate=old[1])), "critical phrases")

    assert finding.outcome is Outcome.INCONCLUSIVE


SAID = "one two three four five six seven eight nine ten"
INSERTED, DELETED, WRONG = f"{SAID} x", SAID.removesuffix(" ten"), SAID.replace("ten", "x")


@pytest.mark.parametrize(
    ("rule", "text", "setting"),
    [
        ("insertion rate", INSERTED, "maximum_insertion_rise_points"),
        ("deletion rate", DELETED, "maximum_deletion_rise_points"),
        ("empty outputs", "", "maximum_empty_output_rise_points"),
    ],
)
def test_no_kind_of_error_may_grow_while_the_wer_falls(rule: str, text: str, setting: str) -> None:
    """A model that makes words up, leaves them out or falls silent is worse in ways that the WER hides."""
    comparison = compared(
        heard("old", [WRONG] * 20, [SAID] * 20), heard("new", [text, text, *[SAID] * 18], [SAID] * 20)
    )

    limit = {setting: 10}
    strict, easy = judged(comparison, **{setting: 0.9}), judged(comparison, **limit)

    assert found(strict, rule).outcome is Outcome.FAIL
    assert not strict.releases
    assert found(easy, rule).outcome is Outcome.PASS


def test_silence_where_nobody_speaks_is_right() -> None:
    """A recording without words has no transcript, and a model that hears none there is no worse."""
    said = ["", *[SAID] * 19]
    comparison = compared(heard("old", ["noise", *[WRONG] * 19], said), heard("new", said, said))

    assert found(judged(comparison), "empty outputs").value == 0


def with_tokens(before: TokenErrors | None, after: TokenErrors | None) -> Verdict:
    """The verdict when the service also counts errors of what is displayed."""
    return judged(compared(measured("old", 300, tokens=before), measured("new", 200, tokens=after)))


@pytest.mark.parametrize("name", ["punctuation", "capitalization", "inverse_text_normalization", "lexical", "others"])
def test_what_is_displayed_may_not_get_worse(name: str) -> None:
    """Right words without capitals or with numbers spelt out are not what people want to read."""
    rule = f"token errors: {name.replace('_', ' ').replace('others', 'other')}"

    assert found(with_tokens(TOKENS, replace(TOKENS, **{name: 70})), rule).outcome is Outcome.PASS
    worse = with_tokens(TOKENS, replace(TOKENS, **{name: 71}))
    assert worse.outcome is Outcome.FAIL
    assert "at most 2 more are allowed" in found(worse, rule).reason


def test_a_class_may_grow_by_what_lexical_errors_fell() -> None:
    """A name that is heard now, but shown without its capital, was a wrong word before."""
    rule = "token errors: capitalization"
    heard = replace(TOKENS, lexical=10)

    assert found(with_tokens(TOKENS, replace(heard, capitalization=110)), rule).outcome is Outcome.PASS
    worse = found(with_tokens(TOKENS, replace(heard, capitalization=111)), rule)
    assert worse.outcome is Outcome.FAIL
    assert worse.reason.endswith("rose from 5.0% to 11.1% by 6.10 points; at most 6 more are allowed")


@pytest.mark.parametrize("tokens", [None, TokenErrors(0, 0, 0, 0, 0, 0)])
@pytest.mark.parametrize("side", [0, 1])
def test_without_token_errors_they_are_not_judged(side: int, tokens: TokenErrors | None) -> None:
    """Not every service counts them, and none at all is no evidence of a change."""
    verdict = with_tokens(*((tokens, TOKENS) if side == 0 else (TOKENS, tokens)))

    assert verdict.outcome is Outcome.PASS
    assert "the service gave no token errors" in found(verdict, "token errors").reason


@pytest.mark.parametrize(("base", "outcome"), [(300, "PASS"), (200, "FAIL"), (150, "FAIL")])
def test_customisation_must_pay(base: int, outcome: str) -> None:
    """The newest base model costs nothing: a custom model that is not better is not wanted."""
    verdict = judged(compared(measured("old", 300), measured("new", 200), base=measured("base", base)))

    assert verdict.outcome == outcome
    assert ("customisation no longer pays" in " ".join(verdict.reasons)) == (outcome == "FAIL")
    assert (verdict.base, verdict.base_counts.errors) == ("base", base)


def test_customisation_that_may_pay_by_chance_is_looked_at() -> None:
    """Better than the new base model with half of the speakers only."""
    errors: Mapping[bool, int] = {True: 2, False: 17}
    base = uneven("base", [errors[number % 10 < 4] for number in range(20)])

    verdict = judged(compared(measured("old", 300), measured("new", 200), base=base))

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "whether customisation pays is not sure" in verdict.reasons[0]


def test_a_base_model_that_was_not_measured_is_told() -> None:
    """It is no reason to stop, but people should know."""
    told = found(judged(compared(measured("old", 300), measured("new", 200))), "base model")

    assert (told.outcome, told.reason) == ("PASS", "the newest base model was not measured")


@pytest.mark.parametrize(
    ("earlier", "outcome", "told"),
    [
        (0, "PASS", "judge their 1st candidate, of 20 that they are good for"),
        (14, "PASS", "judge their 15th candidate, of 20 that they are good for"),
        (15, "PASS", "16th candidate, of 20 that they are good for: record new ones soon"),
        (19, "PASS", "20th candidate, of 20 that they are good for: record new ones soon"),
        (20, "INCONCLUSIVE", "worn out: they have judged 20 candidates before, and are good for 20; record new ones"),
    ],
)
def test_testing_data_wear_out(earlier: int, outcome: str, told: str) -> None:
    """Who tries often enough finds a candidate that is better by chance."""
    verdict = judged(compared(measured("old", 300), measured("new", 200), earlier_verdicts=earlier))

    assert verdict.outcome == outcome
    assert found(verdict, "reuse").reason.endswith(told)
