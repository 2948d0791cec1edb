"""No bad result goes live: each of these is one change away from a comparison that passes."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.comparison import Comparison, Measured, Phrase, ServiceScore
from domain.gate import decide
from domain.leakage import LeakReport
from domain.policy import GatePolicy
from domain.verdict import Outcome
from tests.domain.gate_kit import LABELS, TOKENS, compared, heard, leaked

POLICY = GatePolicy(
    slice_minimum_words=200,
    protected_slices=("noise=loud",),
    required_slices=("noise=quiet",),
    control="noise=quiet",
    target_wer_percent=35,
)
SAID = ["al qasba", *["w" * length for length in range(2, 50)]]


def texts(wrong: int, loud: int | None = None) -> list[str]:
    """Twenty transcripts of 50 words with so many wrong ones in each, or another number in the loud half."""
    return [
        " ".join(["x" if spot >= 49 - count else word for spot, word in enumerate(SAID)])
        for count in [wrong] * 10 + [wrong if loud is None else loud] * 10
    ]


def side(model: str, heard_texts: list[str], **service: object) -> Measured:
    """A model that heard these texts, and a service that counts as we do."""
    scored = heard(model, heard_texts, [" ".join(SAID)] * 20)
    total = scored.scorecard.total
    agrees = ServiceScore(
        "Succeeded", total.wer, total.reference_words, total.hits, total.substitutions, total.deletions,
        total.insertions, TOKENS,
    )  # fmt: skip
    return replace(scored, service=replace(agrees, **service))


GOOD = compared(
    side("old", texts(15)),
    side("new", texts(10)),
    base=side("base", texts(16)),
    phrases=(Phrase("Al Qasba", must=True),),
    seconds=dict.fromkeys(LABELS, 10.0),
)


def candidate(heard_texts: list[str] | None = None, **service: object) -> Comparison:
    """The good comparison, with a candidate that heard other texts, or of which the service says something else."""
    return replace(GOOD, candidate=side("new", heard_texts or texts(10), **service))


def scored(which: str = "candidate", **change: object) -> Comparison:
    """The good comparison, with something else in one scorecard."""
    one = getattr(GOOD, which)
    return replace(GOOD, **{which: replace(one, scorecard=replace(one.scorecard, **change))})


def by_speaker(name: Callable[[int], str]) -> Comparison:
    """The good comparison, with other speakers."""
    rows = enumerate(LABELS.items())
    return replace(GOOD, labels={file: {**row, "speaker": name(number)} for number, (file, row) in rows})


def with_texts(change: Callable[[int, str], str]) -> Comparison:
    """The good comparison, with other texts heard by the candidate."""
    return candidate([change(number, text) for number, text in enumerate(texts(10))])


ROWS = GOOD.candidate.scorecard.utterances
HALF_LUCKY = [text for pair in zip(texts(2)[:10], texts(20)[10:], strict=True) for text in pair]

BAD: dict[str, dict[str, Comparison]] = {
    "validity": {
        "the evaluation failed": candidate(status="Failed"),
        "the evaluation still runs": candidate(status="Running", wer=-1.0, words=-1, correct=-1),
        "the service's WER is -1": candidate(wer=-1.0),
        "the service's WER is NaN": candidate(wer=math.nan),
        "the service's WER is infinite": candidate(wer=math.inf),
        "the service counted no words": candidate(words=0),
        "the service's word count is -1": candidate(words=-1),
        "the service's word count is NaN": candidate(words=math.nan),
        "the service's substitutions are -1": candidate(substitutions=-1),
        "the service's deletions are -1": candidate(deletions=-1),
        "the service's insertions are -1": candidate(insertions=-1),
        "the service's counts do not add up": candidate(correct=1),
        "the service's counts make another WER": candidate(insertions=500),
        "the service's WER is another than ours": candidate(wer=0.3, correct=700, substitutions=300),
        "the service's token errors are -1": candidate(tokens=replace(TOKENS, punctuation=-1)),
        "a transcript is missing": scored(missing=("20.wav",)),
        "a transcript is missing of the benchmark": scored("benchmark", missing=("20.wav",)),
        "a transcript is missing of the base model": scored("base", missing=("20.wav",)),
        "a transcript is of no recording": scored(unexpected=("20.wav",)),
        "a recording counts twice": scored(utterances=(*ROWS, ROWS[0])),
        "the hardest recording is left out": scored(utterances=ROWS[1:]),
        "another recording stands in": scored(utterances=(replace(ROWS[0], id="20.wav"), *ROWS[1:])),
        "no recording at all": replace(scored(utterances=()), benchmark=scored("benchmark", utterances=()).benchmark),
        "a reference was changed": scored(utterances=(replace(ROWS[0], reference=ROWS[0].hypothesis), *ROWS[1:])),
        "an alignment was changed": scored(utterances=(replace(ROWS[0], alignment="H" * 49), *ROWS[1:])),
        "an alignment is none": scored(utterances=(replace(ROWS[0], alignment="Q" * 50), *ROWS[1:])),
        "another normaliser": scored(normaliser="n2"),
        "another normaliser for the base model": scored("base", normaliser="n2"),
    },
    "leaks": {
        "testing data leaked": replace(GOOD, leaks=leaked("00.wav")),
        "all testing data leaked": replace(GOOD, leaks=leaked(None)),
    },
    "minimum gain": {
        "the same model": candidate(texts(15)),
        "a worse model": candidate(texts(18)),
        "a gain of one word": with_texts(lambda number, _: texts(14 if number == 0 else 15)[0]),
    },
    "minimum relative gain": {
        "a gain of one per cent": candidate(texts(14)[:3] + texts(15)[3:]),
    },
    "target WER": {
        "over the target": replace(candidate(texts(19)), benchmark=side("old", texts(25)), base=None),
    },
    "significance": {
        "a gain of half of the speakers": candidate(HALF_LUCKY),
        "one speaker": by_speaker(lambda number: "s"),
        "five speakers": by_speaker(lambda number: f"s{number % 5}"),
    },
    "slice: noise=loud": {
        "a slice got worse": candidate(texts(1, loud=18)),
        "the protected slice is gone": replace(
            GOOD, labels={name: {**LABELS[name], "noise": "quiet"} for name in LABELS}
        ),
        "the labels are gone": replace(GOOD, labels={}),
    },
    "gap: noise": {
        "a gap widened": candidate(texts(2, loud=14)),
    },
    "slice: noise=quiet": {
        "the required slice is gone": replace(
            GOOD, labels={name: {**LABELS[name], "noise": "loud"} for name in LABELS}
        ),
    },
    "suspicious gain": {
        "too good, and nobody looked for leaks": replace(candidate(texts(5)), leaks=None),
        "too good, and nothing was looked at": replace(candidate(texts(5)), leaks=LeakReport()),
        "hardly an error, and nobody looked for leaks": replace(candidate(texts(0)), leaks=None),
    },
    "must phrase": {
        "a must phrase is not heard once": with_texts(lambda number, text: text[3:] if number == 7 else text),
        "a must phrase has no recording": replace(GOOD, phrases=(Phrase("Kalba", must=True),)),
    },
    "critical phrases": {
        "critical phrases got lost": replace(with_texts(lambda _, text: text[3:]), phrases=(Phrase("Al Qasba"),)),
    },
    "control set": {
        "phrases are heard everywhere": with_texts(lambda _, text: text.replace(" x ", " al qasba ", 1)),
        "a control set without phrases": replace(GOOD, phrases=()),
    },
    "insertion rate": {
        "words are made up": with_texts(lambda _, text: text + " y"),
    },
    "deletion rate": {
        "words are left out": with_texts(lambda _, text: text[:-2]),
    },
    "empty outputs": {
        "silence": with_texts(lambda number, text: "" if number == 0 else text),
    },
    "token errors: punctuation": {
        "punctuation got worse": candidate(tokens=replace(TOKENS, punctuation=80)),
    },
    "token errors: capitalization": {
        "capitals got worse": candidate(tokens=replace(TOKENS, capitalization=80)),
    },
    "token errors: inverse text normalization": {
        "numbers got worse": candidate(tokens=replace(TOKENS, inverse_text_normalization=80)),
    },
    "base model": {
        "not better than the newest base model": replace(GOOD, base=side("base", texts(10))),
    },
    "reuse": {
        "testing data are worn out": replace(GOOD, earlier_verdicts=20),
    },
}
"""By the rule that must find it."""


def test_the_table_starts_from_a_result_that_passes() -> None:
    """Otherwise it would show nothing."""
    verdict = decide(GOOD, POLICY)

    assert verdict.outcome is Outcome.PASS, verdict.reasons
    assert {finding.outcome for finding in verdict.findings} == {Outcome.PASS}


CASES = [pytest.param(rule, bad, id=name) for rule, group in BAD.items() for name, bad in group.items()]


@pytest.mark.parametrize(("rule", "bad"), CASES)
def test_no_bad_result_goes_live(rule: str, bad: Comparison) -> None:
    """Whatever is wrong, the verdict is not PASS, and the rule that is about it says why."""
    verdict = decide(bad, POLICY)

    assert verdict.outcome is not Outcome.PASS
    assert not verdict.releases
    assert [finding for finding in verdict.findings if finding.rule == rule and finding.outcome is not Outcome.PASS]


def test_there_are_more_than_thirty_of_them() -> None:
    """What issue 4 asks for."""
    assert len(CASES) >= 30
