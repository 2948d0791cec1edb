"""WER of every model, on everything and per slice, with confidence intervals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.alignment import HIT, INSERTION
from domain.comparison import Comparison, Measured
from domain.policy import NO_SLICES
from domain.significance.blocks import block_sums, blocks_of
from domain.significance.draws import resampled
from domain.significance.gain import FEWEST, ratios
from domain.significance.intervals import Interval, percentile_interval
from domain.wer import Scorecard, UtteranceScore

EVERYTHING = "all"
MOST_SLICES = 24
"""Slices on a page: those with the most words. Further ones would take long to read, and to make."""

RESAMPLES, SLICE_RESAMPLES, SEED, CONFIDENCE = 10_000, 1_000, 1, 0.95
SPEAKER = "speaker"

Integers = npt.NDArray[np.int64]


class Rate(NamedTuple):
    """One model's WER on one slice, as fractions; None without words, or with too few speakers for an interval."""

    role: str
    wer: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Row:
    """One slice, such as the label `noise` with the value `cafe`; `EVERYTHING` is all recordings."""

    label: str
    value: str
    words: int
    speakers: int | None
    """None when nobody told who speaks."""
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """The rows of a page, all recordings first, and how many slices are left out of it."""

    rows: tuple[Row, ...]
    left_out: int = 0


Sides = Mapping[str, Measured]
"""What a model is called on the page, and its result."""


def sides_of(comparison: Comparison, roles: tuple[str, str] = ("benchmark", "candidate")) -> dict[str, Measured]:
    """The models to show: benchmark, candidate, and the base model when it is another one."""
    sides = {roles[0]: comparison.benchmark, roles[1]: comparison.candidate}
    base = comparison.base
    if base is not None and base.model not in (comparison.benchmark.model, comparison.candidate.model):
        sides["base model"] = base
    return sides


def rates(comparison: Comparison, sides: Sides) -> Rates:
    """WER on the recordings that all models have, and on those with each value of each label but the speaker."""
    table = _Table.of(comparison, sides)
    groups = table.groups(comparison)
    sized = sorted(groups, key=lambda name: (-int(table.words[groups[name]].sum()), name))
    shown = sorted(sized[:MOST_SLICES])
    rows = (table.row(name, groups[name], SLICE_RESAMPLES) for name in shown)
    return Rates((table.everything(), *rows), len(groups) - len(shown))


def overall(comparison: Comparison, sides: Sides) -> Row:
    """WER on the recordings that all models have."""
    return _Table.of(comparison, sides).everything()


@dataclass(frozen=True)
class _Table:
    """Words and errors of the recordings that all models have; arrays of shape (recordings,)."""

    ids: Sequence[str]
    words: Integers
    errors: Mapping[str, Integers]
    block: Integers
    speaker: Integers
    """Number of the speaker; -1 when nobody told."""

    @classmethod
    def of(cls, comparison: Comparison, sides: Sides) -> "_Table":
        scores = _common([side.scorecard for side in sides.values()])
        ids = [one.id for one in scores[0]]
        blocks = blocks_of(comparison.candidate, comparison.labels)
        steps = _column(len(one.alignment) for one in scores[0])
        return cls(
            ids=ids,
            words=steps - _column(one.alignment.count(INSERTION) for one in scores[0]),
            errors={
                role: _column(len(one.alignment) - one.alignment.count(HIT) for one in side)
                for role, side in zip(sides, scores, strict=True)
            },
            block=_numbered([blocks[one] for one in ids]),
            speaker=_numbered([comparison.labels.get(one, {}).get(SPEAKER) for one in ids]),
        )

    def groups(self, comparison: Comparison) -> dict[tuple[str, str], Integers]:
        """The places of the recordings of every slice."""
        places: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, one in enumerate(self.ids):
            for label, value in comparison.labels.get(one, {}).items():
                places[label][value].append(place)
        return {
            (label, value): np.array(found, np.int64)
            for label, values in places.items() if label not in NO_SLICES
            for value, found in values.items()
        }  # fmt: skip

    def everything(self) -> Row:
        """WER and interval of every model on all recordings."""
        return self.row((EVERYTHING, ""), np.arange(len(self.ids)), RESAMPLES)

    def row(self, name: tuple[str, str], places: Integers, resamples: int) -> Row:
        """WER and interval of every model on these recordings."""
        words = int(self.words[places].sum())
        errors = {role: column[places] for role, column in self.errors.items()}
        intervals = _intervals(list(errors.values()), self.words[places], self.block[places], resamples)
        found = tuple(
            Rate(role, int(column.sum()) / words if words else None, interval)
            for (role, column), interval in zip(errors.items(), intervals, strict=True)
        )
        people = np.unique(self.speaker[places])
        return Row(*name, words, int((people >= 0).sum()) or None, found)


def _common(cards: Sequence[Scorecard]) -> list[Sequence[UtteranceScore]]:
    """The scores of the recordings that all models have, in the same order for each."""
    ids = [[one.id for one in card.utterances] for card in cards]
    if all(other == ids[0] for other in ids):
        return [card.utterances for card in cards]
    shared = sorted(frozenset[str].intersection(*map(frozenset, ids)))
    tables = [{one.id: one for one in card.utterances} for card in cards]
    return [[table[one] for one in shared] for table in tables]


def _column(numbers: Iterable[int]) -> Integers:
    return np.fromiter(numbers, np.int64)


def _numbered(names: Sequence[str | None]) -> Integers:
    numbers = {name: number for number, name in enumerate(sorted({name for name in names if name}))}
    return np.array([numbers[name] if name else -1 for name in names], np.int64)


def _intervals(errors: Sequence[Integers], words: Integers, block: Integers, resamples: int) -> list[Interval | None]:
    """The intervals of several models from the same draws, as `domain.significance.wer_interval` makes one."""
    if not words.size:
        return [None] * len(errors)
    number = np.unique(block, return_inverse=True)[1]
    sums = [block_sums(column, column, words, number) for column in errors]
    if sums[0].effective < FEWEST:
        return [None] * len(errors)
    columns = np.column_stack([*(one.benchmark for one in sums), sums[0].words]).astype(np.float64)
    *drawn, size = resampled(columns, resamples, SEED).T
    return [percentile_interval(ratios(one, size), CONFIDENCE, sums[0].effective) for one in drawn]
