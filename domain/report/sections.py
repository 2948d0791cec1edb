"""What the sections of a page hold, but for those on words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.comparison import Comparison
from domain.label_audit import Doubt, doubtful_references
from domain.leakage import Leak, LeakReport
from domain.report.errors import is_right
from domain.report.given import HistoryPoint
from domain.report.rates import Sides
from domain.report.wording import SIGNS, finding_figures
from domain.verdict import Finding
from domain.wer import ErrorCounts, Scorecard

MOST_LEAKS = 100


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


def leaks_of(report: LeakReport | None, listed: bool = True) -> Leaks | None:
    """The leaks for a page, those that block first, or only their number; None when nobody looked."""
    if report is None:
        return None
    ranked_leaks = sorted(report.leaks, key=lambda leak: (not leak.blocks, leak.kind, leak.file, leak.line or 0))
    blocking = sum(leak.blocks for leak in report.leaks)
    return Leaks(
        _LEAK_SENTENCES[report.outcome].format(blocking=blocking, notes=len(report.leaks) - blocking),
        len(report.leaks),
        tuple(ranked_leaks[:MOST_LEAKS]) if listed else (),
        report.checked,
    )


_LEAK_SENTENCES = {
    "clean": "Testing and training data share nothing that could flatter a model. Notes: {notes}.",
    "suspicious": "Nothing that blocks, but something to look at. Notes: {notes}.",
    "leaked": "Testing data leaked into training data: {blocking} that block, {notes} to know.",
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
