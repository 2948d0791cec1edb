"""Has production changed? Two periods of transcripts that nobody has labelled, compared beyond chance."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from domain.production.labelling import Wanted, choose
from domain.production.measures import MEASURES, Measure
from domain.production.policy import DriftPolicy
from domain.production.recording import Heard, Vocabulary
from domain.production.sums import Matrix, Sums, Unit, exchanged_changes, rates, resampled_changes, sums_of
from domain.significance.adjustment import holm
from domain.significance.intervals import percentile_interval, rounded

FEWEST: Final = 5
"""Of recordings, or folders, in each period: with fewer, no way to deal them is rare enough for five measures."""

_DRAWS = 4_999
_SEED = 20_261_121
_SLACK = 1e-12

Told = Literal["worse", "better", "changed", "steady", "too few", "not measured"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Change(_Record):
    """One measure in both periods. Rates are fractions; None is no evidence."""

    measure: str
    """Key of `domain.production.measures.MEASURES`."""
    before: float | None = None
    now: float | None = None
    change: float | None = None
    interval: tuple[float, float] | None = None
    """Of the change, 95 % unless the policy says otherwise; bootstrap over blocks."""
    probability: float | None = None
    """Two-sided, of such a change by chance (permutation of blocks), adjusted for all measures (Holm)."""
    told: Told = "not measured"

    @property
    def is_alarming(self) -> bool:
        """Whether people should look."""
        return self.told in ("worse", "changed")


class DriftReport(_Record):
    """Two periods compared, and what to label next."""

    changes: tuple[Change, ...]
    recordings_before: int
    recordings_now: int
    blocks_before: int
    blocks_now: int
    unit: Unit
    """What was taken as independent: recordings, or the folders that they are in."""
    outcome: Literal["drift", "steady", "too few"]
    """In one word."""
    notes: tuple[str, ...] = ()
    to_label: tuple[Wanted, ...] = ()


def without_names(found: DriftReport) -> DriftReport:
    """The figures alone, for people who must not see what was said, or in which recording."""
    hidden = f"{len(found.to_label)} recordings to label are not named here."
    return found.model_copy(update={"to_label": (), "notes": (*found.notes, hidden)})


def find_drift(
    now: Sequence[Heard],
    before: Sequence[Heard],
    *,
    vocabulary: Vocabulary | None = None,
    policy: DriftPolicy | None = None,
    unit: Literal["word", "character"] = "word",
    locale: str = "en-US",
) -> DriftReport:
    """Compare two periods, and choose what to label next among the recordings of the later one.

    Args:
        now: what the live model heard lately; with `base` where the base model was asked too.
        before: the same of the period that counts as normal.
        vocabulary: the normalised words of training and testing texts; None leaves unknown words out.
        policy: when a change is worth telling.
        unit: what the normaliser makes of texts; characters are never shown.
        locale: for the words that stand for numbers, which are never shown.
    """
    policy = policy or DriftPolicy()
    sums = sums_of(now, before, vocabulary)
    changes = tuple(_changes(sums, policy))
    return DriftReport(
        changes=changes,
        recordings_before=len(before),
        recordings_now=len(now),
        blocks_before=sums.found[0],
        blocks_now=sums.found[1],
        unit=sums.unit,
        outcome=_outcome(changes),
        notes=tuple(_notes(sums, now, before, vocabulary)),
        to_label=choose(now, before, vocabulary, policy, locale if unit == "word" else None),
    )


def _outcome(changes: Sequence[Change]) -> Literal["drift", "steady", "too few"]:
    if any(one.is_alarming for one in changes):
        return "drift"
    return "too few" if all(one.told in ("too few", "not measured") for one in changes) else "steady"


def _changes(sums: Sums, policy: DriftPolicy) -> Iterator[Change]:
    before, now = (rates(period.sum(axis=0)) for period in (sums.before, sums.now))
    measured = ~(np.isnan(before) | np.isnan(now))
    enough = sums.fewest >= FEWEST
    sure = _probabilities(sums, now - before, measured) if enough else {}
    spread = resampled_changes(sums, _DRAWS, _SEED) if enough else np.empty((0, len(MEASURES)))
    for column, (key, measure) in enumerate(MEASURES.items()):
        if not measured[column]:
            yield Change(measure=key)
            continue
        change = Change(
            measure=key,
            before=float(before[column]),
            now=float(now[column]),
            change=float(now[column] - before[column]),
            interval=_interval(spread[:, column], sums.fewest, policy) if enough else None,
            probability=sure.get(key),
            told="too few",
        )
        yield change.model_copy(update={"told": _judged(change, measure, policy)}) if enough else change


def _probabilities(sums: Sums, seen: Matrix, measured: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Of each measured change, by chance alone: what was seen counts as one of the draws."""
    drawn = np.abs(exchanged_changes(sums, _DRAWS, _SEED))
    reached = (drawn >= np.abs(seen) - _SLACK) | np.isnan(drawn)
    beyond = (1 + reached.sum(axis=0)) / (1 + _DRAWS)
    found = {key: rounded(float(beyond[column])) for column, key in enumerate(MEASURES) if measured[column]}
    return holm(found)


def _interval(draws: Matrix, blocks: int, policy: DriftPolicy) -> tuple[float, float] | None:
    return percentile_interval(draws[~np.isnan(draws)], policy.confidence_percent / 100, blocks)


def _judged(change: Change, measure: Measure, policy: DriftPolicy) -> Told:
    moved = change.change or 0.0
    if (change.probability or 0.0) > 1 - policy.confidence_percent / 100 + _SLACK or _is_small(change, policy):
        return "steady"
    if measure.worse == "either":
        return "changed"
    return "worse" if (moved > 0) == (measure.worse == "higher") else "better"


def _is_small(change: Change, policy: DriftPolicy) -> bool:
    before, moved = change.before or 0.0, abs(change.change or 0.0)
    whole = 1 - before if change.measure == "confidence" else before
    return moved == 0 or (not math.isclose(whole, 0) and moved / whole * 100 < policy.least_relative_percent)


def _notes(sums: Sums, now: Sequence[Heard], before: Sequence[Heard], vocabulary: Vocabulary | None) -> Iterator[str]:
    if sums.fewest < FEWEST:
        plural = f"{sums.unit}s"
        yield (
            f"{sums.found[0]} {plural} before and {sums.found[1]} now are too few to tell: {FEWEST} in each period are the "
            "fewest."
        )
    if vocabulary is None:
        yield "Unknown words were not measured: nobody gave a vocabulary."
    for name, period in (("before", before), ("now", now)):
        asked = sum(one.base is not None for one in period)
        if 0 < asked < len(period):
            yield f"The base model's transcripts are there for {asked} of {len(period)} recordings {name}."
    if not any(one.base is not None for one in (*now, *before)):
        yield "Disagreement was not measured: there are no transcripts of the base model."
