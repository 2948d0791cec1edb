"""What the commands for plain files answer. Each result is one JSON object; rates are fractions, None is no evidence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel, ConfigDict

from domain.comparison import Comparison, Measured
from domain.corpus import Labels
from domain.leakage import Leak, LeakReport
from domain.significance import (
    Gain,
    MatchedPairs,
    Needed,
    blocks_of,
    gain_of,
    matched_pairs,
    needed,
    smallest_gain,
    wer_interval,
)
from domain.verdict import Verdict
from domain.wer import ErrorCounts, Scorecard, UtteranceScore, broken_words, fixed_words


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Counts(_Result):
    """Word errors of one model on some recordings."""

    wer: float | None
    reference_words: int
    hits: int
    substitutions: int
    deletions: int
    insertions: int
    utterances: int

    @classmethod
    def of(cls, utterances: Iterable[UtteranceScore]) -> "Counts":
        """The counts pooled over some recordings."""
        each = [utterance.counts for utterance in utterances]
        return cls.pooled(sum(each, start=ErrorCounts()), len(each))

    @classmethod
    def pooled(cls, total: ErrorCounts, utterances: int) -> "Counts":
        """Counts that are summed up already."""
        return cls(
            wer=total.wer,
            reference_words=total.reference_words,
            hits=total.hits,
            substitutions=total.substitutions,
            deletions=total.deletions,
            insertions=total.insertions,
            utterances=utterances,
        )


class Side(Counts):
    """One model's counts on all recordings, with the 95 % confidence interval of its WER."""

    model: str
    interval: tuple[float, float] | None


class Utterance(_Result):
    """One recording in full: normalised texts, and one letter of H, S, D, I per step of the alignment."""

    id: str
    errors: int
    reference_words: int
    reference: str
    hypothesis: str
    alignment: str


class Score(Counts):
    """The answer of `speechops score`."""

    interval: tuple[float, float] | None
    """95 % confidence interval of the WER; None with too few speakers or recordings."""
    blocks: int
    block: str
    """What the interval resamples: `speaker`, `session` or `recording`."""
    utterances_with_errors: int
    locale: str
    unit: str
    """What `words` are: `word` or, in scripts without spaces, `character`."""
    normaliser: str
    normaliser_fingerprint: str
    speakers: dict[str, Counts] | None
    """None when they are not known."""
    worst: tuple[Utterance, ...] | None
    """None when nobody asked for them."""


class Slice(_Result):
    """One group of recordings: both models' counts and the gain."""

    benchmark: Counts
    candidate: Counts
    gain: float | None


class Compared(_Result):
    """The answer of `speechops compare`: is the second model better than the first, and is that more than chance?"""

    benchmark: Side
    candidate: Side
    gain: float | None
    """Fraction of WER; positive: the second model is better."""
    relative_gain: float | None
    interval: tuple[float, float] | None
    """Two-sided, 95 %, of the gain."""
    worse_or_equal: float | None
    """One-sided probability of such a gain if there is none."""
    method: str
    blocks: int
    block: str
    matched_pairs: MatchedPairs | None
    smallest_gain: float | None
    """The smallest gain that these recordings can show with 80 % power."""
    needed: Needed | None
    """What would show the gain with 80 % power, beyond what is there; None when it is shown, or there is none."""
    words_fixed: int
    words_broken: int
    fixed: dict[str, int]
    broken: dict[str, int]
    locale: str
    unit: str
    normaliser: str
    normaliser_fingerprint: str
    slices: dict[str, dict[str, Slice]]
    """By label, then by its value."""


class Judged(_Result):
    """The answer of `speechops gate`."""

    outcome: str
    """PASS, INCONCLUSIVE, FAIL or INVALID."""
    reasons: tuple[str, ...]
    benchmark_wer: float | None
    candidate_wer: float | None
    words: int
    leaks: str | None
    """clean, suspicious or leaked; None when no training text was given."""
    locale: str
    report: str | None
    """The HTML file."""
    verdict: Verdict
    """In full: every rule with value, interval, threshold, words and speakers."""


class Leaks(_Result):
    """The answer of `speechops leak`."""

    outcome: str
    """clean, suspicious or leaked."""
    leaks: tuple[Leak, ...]
    checked: tuple[str, ...]


def leak_result(report: LeakReport) -> Leaks:
    """What training and testing data share, and what is odd."""
    return Leaks(outcome=report.outcome, leaks=report.leaks, checked=report.checked)


def score_result(measured: Measured, labels: Labels, locale: str, worst: int | None) -> Score:
    """How good one model is; `worst` is how many of the worst recordings to list in full, None for none."""
    card = measured.scorecard
    wrong = [utterance for utterance in card.utterances if utterance.counts.errors]
    return Score(
        **Counts.pooled(card.total, len(card.utterances)).model_dump(),
        interval=_interval(measured, labels),
        blocks=len(set(blocks_of(measured, labels).values())),
        block=_block(labels),
        utterances_with_errors=len(wrong),
        locale=locale,
        unit=card.unit,
        normaliser=card.normaliser_name,
        normaliser_fingerprint=card.normaliser,
        speakers=_by_value(card, labels, "speaker") if labels else None,
        worst=None if worst is None else tuple(map(_full, _worst(wrong, worst))),
    )


def compare_result(comparison: Comparison, locale: str, words: int) -> Compared:
    """How the two models compare; `words` is how many fixed and broken words to name."""
    benchmark, candidate = comparison.benchmark.scorecard, comparison.candidate.scorecard
    fixed, broken = fixed_words(benchmark, candidate), broken_words(benchmark, candidate)
    gain = gain_of(comparison) if benchmark.total.reference_words else None
    return Compared(
        benchmark=_side(comparison.benchmark, comparison.labels),
        candidate=_side(comparison.candidate, comparison.labels),
        **_gained(gain, benchmark.wer),
        block=_block(comparison.labels),
        matched_pairs=matched_pairs(comparison) if gain else None,
        smallest_gain=smallest_gain(comparison) if gain else None,
        needed=needed(comparison) if gain and not _is_shown(gain) else None,
        words_fixed=fixed.total(),
        words_broken=broken.total(),
        fixed=_most(fixed, words),
        broken=_most(broken, words),
        locale=locale,
        unit=candidate.unit,
        normaliser=candidate.normaliser_name,
        normaliser_fingerprint=candidate.normaliser,
        slices=dict(_slices(comparison)),
    )


def _is_shown(gain: Gain) -> bool:
    return gain.interval is not None and gain.interval[0] > 0


def _gained(gain: Gain | None, wer: float | None) -> dict[str, object]:
    return {
        "gain": gain and gain.value,
        "relative_gain": gain.value / wer if gain and wer else None,
        "interval": gain and gain.interval,
        "worse_or_equal": gain and gain.worse_or_equal,
        "method": gain.method if gain else "too few blocks",
        "blocks": gain.blocks if gain else 0,
    }


def _side(measured: Measured, labels: Labels) -> Side:
    card = measured.scorecard
    counts = Counts.pooled(card.total, len(card.utterances)).model_dump()
    return Side(**counts, model=measured.model, interval=_interval(measured, labels))


def _interval(measured: Measured, labels: Labels) -> tuple[float, float] | None:
    return wer_interval(measured, labels) if measured.wer is not None else None


def _block(labels: Labels) -> str:
    present = {label for row in labels.values() for label in row}
    return next((label for label in ("speaker", "session") if label in present), "recording")


def _by_value(card: Scorecard, labels: Labels, label: str) -> dict[str, Counts]:
    groups: dict[str, list[UtteranceScore]] = defaultdict(list)
    for utterance in card.utterances:
        groups[labels[utterance.id][label]].append(utterance)
    return {value: Counts.of(groups[value]) for value in sorted(groups)}


def _slices(comparison: Comparison) -> Iterator[tuple[str, dict[str, Slice]]]:
    labels = comparison.labels
    for label in dict.fromkeys(label for row in labels.values() for label in row):
        before, after = (
            _by_value(side.scorecard, labels, label) for side in (comparison.benchmark, comparison.candidate)
        )
        yield label, {value: _slice(before[value], after[value]) for value in before}


def _slice(before: Counts, after: Counts) -> Slice:
    gain = None if before.wer is None or after.wer is None else before.wer - after.wer
    return Slice(benchmark=before, candidate=after, gain=gain)


def _worst(wrong: list[UtteranceScore], number: int) -> list[UtteranceScore]:
    return sorted(wrong, key=lambda utterance: (-utterance.counts.errors, utterance.id))[:number]


def _full(utterance: UtteranceScore) -> Utterance:
    counts = utterance.counts
    return Utterance(
        id=utterance.id,
        errors=counts.errors,
        reference_words=counts.reference_words,
        reference=utterance.reference,
        hypothesis=utterance.hypothesis,
        alignment=utterance.alignment,
    )


def _most(words: Counter[str], number: int) -> Mapping[str, int]:
    return dict(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:number])
