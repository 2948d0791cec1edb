"""What the sections of a page hold. Without transcripts they hold counts, and nothing that was said."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from domain.comparison import Comparison
from domain.label_audit import Doubt, doubtful_references
from domain.leakage import Leak, LeakReport
from domain.report.errors import Change, WordErrors, changes, is_right, never_heard, ranked
from domain.report.given import HistoryPoint
from domain.report.harmless import LONGEST_WORD, harmless
from domain.report.rates import Sides
from domain.report.wording import SIGNS, finding_figures
from domain.verdict import Finding
from domain.wer import ErrorCounts, Scorecard

MOST_WORDS, MOST_TO_PASTE, MOST_CONFUSIONS, MOST_LEAKS = 40, 200, 25, 100


@dataclass(frozen=True, slots=True)
class Words:
    """Words with how often: how many in all, how many different ones, and those that the page shows."""

    total: int
    distinct: int
    shown: tuple[tuple[str, int], ...] = ()
    lines: str = ""
    """For a plain text file: one word per line."""
    pronunciations: str = ""
    """For a pronunciation file: the word, a tab, and the word again, to be corrected."""


def words_of(counted: Counter[str], transcripts: bool) -> Words:
    """The words for a page."""
    total, distinct = counted.total(), len(counted)
    if not transcripts:
        return Words(total, distinct)
    paste = [harmless(word, LONGEST_WORD) for word, _ in ranked(counted, MOST_TO_PASTE)]
    return Words(
        total,
        distinct,
        tuple(ranked(counted, MOST_WORDS)),
        "\n".join(paste),
        "\n".join(f"{word}\t{word}" for word in paste),
    )


@dataclass(frozen=True, slots=True)
class WordLists:
    """The section on words; `unknown` are those that the training text lacks, None when nobody gave a vocabulary."""

    fixed: Words
    broken: Words
    missed: Words
    never: Words
    unknown: Words | None
    vocabulary: int
    """Different words that are said."""


def word_lists(
    comparison: Comparison, errors: WordErrors, known: Collection[str] | None, transcripts: bool
) -> WordLists:
    """Fixed, broken, missed, never heard, and unknown words."""
    said = Counter(chain.from_iterable(one.reference.split() for one in comparison.candidate.scorecard.utterances))
    unknown = None if known is None else Counter({word: count for word, count in said.items() if word not in known})
    never = never_heard(comparison, errors, said)
    return WordLists(
        words_of(errors.fixed, transcripts),
        words_of(errors.broken, transcripts),
        words_of(errors.missed, transcripts),
        words_of(never, transcripts),
        None if unknown is None else words_of(unknown, transcripts),
        len(said),
    )


@dataclass(frozen=True, slots=True)
class Confusions:
    """How many different confusions there are, and those that the page shows."""

    distinct: int
    shown: tuple[Change, ...]


def confusions_of(errors: WordErrors, transcripts: bool) -> Confusions:
    """The confusions for a page."""
    distinct = len(errors.before.keys() | errors.after.keys())
    return Confusions(distinct, tuple(changes(errors, MOST_CONFUSIONS)) if transcripts else ())


@dataclass(frozen=True, slots=True)
class Model:
    """One model's counts; `empty` are recordings of which it heard nothing although something is said."""

    role: str
    name: str
    counts: ErrorCounts
    recordings: int
    empty: int
    service: float | None


def models_of(sides: Sides) -> tuple[Model, ...]:
    """The models of a page."""
    return tuple(
        Model(
            role,
            side.model,
            side.scorecard.total,
            len(side.scorecard.utterances),
            sum(1 for one in side.scorecard.utterances if one.reference and not one.hypothesis),
            side.service.wer if side.service and side.service.wer >= 0 else None,
        )
        for role, side in sides.items()
    )


@dataclass(frozen=True, slots=True)
class Recordings:
    """How many recordings there are, have errors, got better and got worse."""

    recordings: int
    wrong: int
    better: int
    worse: int


def recordings_of(comparison: Comparison) -> Recordings:
    """Counts of recordings, for pages that must not show what is said in them."""
    before, after = _errors(comparison.benchmark.scorecard), _errors(comparison.candidate.scorecard)
    moved = [before[one] - errors for one, errors in after.items() if one in before]
    return Recordings(
        recordings=len(after),
        wrong=sum(not is_right(one) for one in comparison.candidate.scorecard.utterances),
        better=sum(gain > 0 for gain in moved),
        worse=sum(gain < 0 for gain in moved),
    )


def _errors(scorecard: Scorecard) -> dict[str, int]:
    return {one.id: len(one.alignment) - one.alignment.count("H") for one in scorecard.utterances}


@dataclass(frozen=True, slots=True)
class FoundByRule:
    """A finding as a page shows it; what it does not have is empty."""

    rule: str
    sign: str
    outcome: str
    reason: str
    value: str
    interval: str
    threshold: str
    evidence: tuple[str, ...]


def findings_of(findings: Collection[Finding]) -> tuple[FoundByRule, ...]:
    """The rows of the table of rules."""
    return tuple(
        FoundByRule(one.rule, SIGNS[one.outcome], one.outcome.value, one.reason, *finding_figures(one), _evidence(one))
        for one in findings
    )


def _evidence(finding: Finding) -> tuple[str, ...]:
    words = [] if finding.words is None else [f"{finding.words:,} words"]
    return (*words, *([] if finding.speakers is None else [f"{finding.speakers:,} speakers"]))


@dataclass(frozen=True, slots=True)
class Leaks:
    """The section on leaks."""

    sentence: str
    count: int
    shown: tuple[Leak, ...]
    checked: tuple[str, ...]


def leaks_of(report: LeakReport | None) -> Leaks | None:
    """The leaks for a page, those that block first; None when nobody looked."""
    if report is None:
        return None
    ranked_leaks = sorted(report.leaks, key=lambda leak: (not leak.blocks, leak.kind, leak.file, leak.line or 0))
    blocking = sum(leak.blocks for leak in report.leaks)
    return Leaks(
        _LEAK_SENTENCES[report.outcome].format(blocking=blocking, notes=len(report.leaks) - blocking),
        len(report.leaks),
        tuple(ranked_leaks[:MOST_LEAKS]),
        report.checked,
    )


_LEAK_SENTENCES = {
    "clean": "Testing and training data share nothing that could flatter a model. Notes: {notes}.",
    "suspicious": "Nothing that blocks, but something to look at. Notes: {notes}.",
    "leaked": "Testing data leaked into training data: {blocking} findings block, {notes} are notes.",
}


MOST_POINTS, MOST_DOUBTS = 60, 20


@dataclass(frozen=True, slots=True)
class MarkedPoint:
    """A measurement in the table of the history; `changed` when its testing data are not those of the one before."""

    at: datetime
    kind: str
    model: str
    wer: float
    words: int
    changed: bool


def history_of(points: Sequence[HistoryPoint]) -> tuple[MarkedPoint, ...]:
    """The track's last measurements, the newest first."""
    ordered = sorted(points, key=lambda point: point.at)[-MOST_POINTS:]
    earlier = [None, *ordered][: len(ordered)]
    marked = (
        MarkedPoint(
            one.at,
            one.kind,
            one.model,
            one.wer,
            one.words,
            before is not None and before.testing_hash != one.testing_hash,
        )
        for before, one in zip(earlier, ordered, strict=True)
    )
    return tuple(marked)[::-1]


@dataclass(frozen=True, slots=True)
class Audit:
    """References to check: how many, and those that the page shows; `words` are at most so many of each."""

    count: int
    shown: tuple[Doubt, ...]
    words: int = 12


def audit_of(comparison: Comparison, transcripts: bool) -> Audit | None:
    """References that all models contradict in the same words; None with one model only, for that proves nothing."""
    sides = [comparison.benchmark, comparison.candidate, *([comparison.base] if comparison.base else [])]
    if len({side.model for side in sides}) < 2:
        return None
    found = doubtful_references(comparison)
    return Audit(len(found), found[:MOST_DOUBTS] if transcripts else ())
