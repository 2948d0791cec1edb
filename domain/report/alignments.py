"""Recordings that people should look at: what was said, with what each model heard instead."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest
from itertools import groupby
from typing import NamedTuple

from domain.alignment import HIT, INSERTION
from domain.comparison import Comparison
from domain.report.errors import errors_of
from domain.report.rates import Sides
from domain.wer import Scorecard, UtteranceScore

WORST, MOVERS = 20, 12
"""How many recordings are shown: the worst ones, and those that got better, or worse, most."""

_CONTEXT = 3
"""Right words shown around an error; more of them are told as a number."""

_LONGEST = 90
"""Columns of one alignment."""


class Heard(NamedTuple):
    """What one model heard in a column: `operation` S, D or I, or H where it heard what was said."""

    operation: str
    word: str


@dataclass(frozen=True, slots=True)
class Column:
    """One word that was said (None: nothing was, a model put a word in), and what each model heard, in their order.

    `skipped` counts the right words that are left out instead; then nothing else is told.
    """

    said: str | None = None
    heard: tuple[Heard | None, ...] = ()
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Alignment:
    """One recording: its errors per model, and its columns; `cut` when there are more than a page can show."""

    id: str
    errors: tuple[int, ...]
    columns: tuple[Column, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Alignments:
    """The recordings of a page. `roles` are the models, in the order of `Alignment.errors` and `Column.heard`."""

    roles: tuple[str, ...]
    worst: tuple[Alignment, ...]
    better: tuple[Alignment, ...]
    worse: tuple[Alignment, ...]


def alignments(comparison: Comparison, sides: Sides) -> Alignments:
    """The worst recordings of the candidate, and those on which the models differ most; ties go by the recording's name."""
    shown = dict(list(sides.items())[:2])  # benchmark and candidate
    counts = _Counts(comparison)
    by_id = [{one.id: one for one in side.scorecard.utterances} for side in shown.values()]

    def drawn(ids: list[str]) -> tuple[Alignment, ...]:
        return tuple(_alignment([table[one] for table in by_id]) for one in ids)

    return Alignments(
        tuple(shown), drawn(counts.worst()), drawn(counts.moved(better=True)), drawn(counts.moved(better=False))
    )


class _Counts:
    """Errors per recording of benchmark and candidate, for the recordings that both have."""

    def __init__(self, comparison: Comparison) -> None:
        before, after = _errors(comparison.benchmark.scorecard), _errors(comparison.candidate.scorecard)
        self._wrong = [(-errors, one) for one, errors in after.items() if errors and one in before]
        self._moved = [
            (errors - before[one], one) for one, errors in after.items() if errors != before.get(one, errors)
        ]

    def worst(self) -> list[str]:
        """The recordings with the most errors of the candidate."""
        return [one for _, one in nsmallest(WORST, self._wrong)]

    def moved(self, *, better: bool) -> list[str]:
        """The recordings that got better, or worse, by the most errors."""
        ranked = ((rise if better else -rise, one) for rise, one in self._moved if (rise < 0) == better)
        return [one for _, one in nsmallest(MOVERS, ranked)]


def _errors(scorecard: Scorecard) -> dict[str, int]:
    return {one.id: len(one.alignment) - one.alignment.count(HIT) for one in scorecard.utterances}


def _alignment(models: list[UtteranceScore]) -> Alignment:
    columns = tuple(_gathered(list(_columns(models))))
    errors = tuple(len(one.alignment) - one.alignment.count(HIT) for one in models)
    return Alignment(models[0].id, errors, columns[:_LONGEST], len(columns) > _LONGEST)


def _columns(models: list[UtteranceScore]) -> Iterator[Column]:
    """One column per word that was said, with a column before it for every word that any model put in there."""
    wrong, inserted = zip(*map(_by_place, models), strict=True)
    said = models[0].reference.split()
    for place in range(len(said) + 1):
        extra = [words.get(place, ()) for words in inserted]
        for nth in range(max(map(len, extra))):
            yield Column(None, tuple(Heard(INSERTION, words[nth]) if nth < len(words) else None for words in extra))
        if place < len(said):
            yield Column(said[place], tuple(errors.get(place, Heard(HIT, said[place])) for errors in wrong))


def _by_place(utterance: UtteranceScore) -> tuple[dict[int, Heard], dict[int, list[str]]]:
    wrong: dict[int, Heard] = {}
    inserted: dict[int, list[str]] = {}
    for operation, place, _, heard in errors_of(utterance):
        if operation == INSERTION:
            inserted.setdefault(place, []).append(heard or "")
        else:
            wrong[place] = Heard(operation, heard or "")
    return wrong, inserted


def _gathered(every: list[Column]) -> Iterator[Column]:
    """Leave out right words that are far from any error."""
    near = {
        other
        for place, column in enumerate(every)
        if any(heard and heard.operation != HIT for heard in column.heard)
        for other in range(place - _CONTEXT, place + _CONTEXT + 1)
    }
    for shown, run in groupby(enumerate(every), key=lambda numbered: numbered[0] in near):
        columns = [column for _, column in run]
        if shown or len(columns) < _CONTEXT:
            yield from columns
        else:
            yield Column(skipped=len(columns))
