"""The gain of a candidate, with an interval and probabilities whose unit is the speaker."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from domain.comparison import Comparison, Measured
from domain.corpus import Labels
from domain.significance.blocks import BlockSums, Unit, single_sums, sums_of
from domain.significance.draws import flipped, resampled
from domain.significance.intervals import Floats, Interval, check, percentile_interval, rounded, tail_probability

Method = Literal["block bootstrap", "sign flips", "too few blocks"]

FEWEST = 5
"""Fewer blocks show nothing: chance alone puts four of four on the same side once in sixteen times."""
ENOUGH = 10
"""Fewer (effective) blocks are too few to draw from: signs are flipped instead."""


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better the candidate is: fractions of WER, positive is better.

    `interval` is two-sided at the confidence that was asked for. There is none with too few blocks, nor where even the
    same sign in every block could not be significant (five blocks at 95 %, ten at 99.9 %). `worse_or_equal` is the one-sided
    probability of a gain this large if there is none, `better_or_equal` of a loss this large: at 95 % the interval lies
    above zero just when `worse_or_equal` is at most 0.025.
    """

    value: float
    interval: Interval | None
    worse_or_equal: float | None
    method: Method
    blocks: int
    words: int
    better_or_equal: float | None = None
    unit: Unit = "speakers"
    """What the blocks are: "blocks" when some are speakers and some are not."""


def gain_of(
    comparison: Comparison,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 1,
    only: frozenset[str] | None = None,
) -> Gain:
    """The gain of the candidate over the benchmark, on all utterances or `only` some.

    Utterances that one of the two lacks are left out. Equal input gives equal bytes on every machine. See `gain_over`.
    """
    return gain_over(sums_of(comparison, only), confidence=confidence, resamples=resamples, seed=seed)


def gain_over(sums: BlockSums, *, confidence: float = 0.95, resamples: int = 10_000, seed: int = 1) -> Gain:
    """The gain on blocks of utterances.

    From ten effective blocks on by paired block bootstrap (Bisani and Ney 2004; Liu and Peng 2019): blocks are drawn
    with replacement, both models' errors together. With fewer by sign flips: without a difference each block's gain
    might as well have the other sign. The interval then inverts that test; its ends are pooled gains of subsets of
    the blocks (Hartigan, "Using Subsample Values as Typical Values", 1969).

    Raises:
        ValueError: `confidence` or `resamples` make no sense.
    """
    check(confidence, resamples)
    if sums.found < FEWEST or not sums.total:
        value = int(sums.gains.sum()) / sums.total if sums.total else 0.0
        return Gain(value, None, None, "too few blocks", sums.found, sums.total, unit=sums.unit)
    judge = _bootstrapped if sums.effective >= ENOUGH else _flipped
    return judge(sums, confidence, resamples, seed)


def _bootstrapped(sums: BlockSums, confidence: float, resamples: int, seed: int) -> Gain:
    columns = np.column_stack([sums.gains, sums.words]).astype(np.float64)
    gained, words = resampled(columns, resamples, seed).T
    return Gain(
        value=int(sums.gains.sum()) / sums.total,
        interval=percentile_interval(ratios(gained, words), confidence, sums.effective),
        worse_or_equal=tail_probability(int((gained <= 0).sum()), resamples, sums.effective),
        method="block bootstrap",
        blocks=sums.found,
        words=sums.total,
        better_or_equal=tail_probability(int((gained >= 0).sum()), resamples, sums.effective),
        unit=sums.unit,
    )


def _flipped(sums: BlockSums, confidence: float, resamples: int, seed: int) -> Gain:
    columns = np.column_stack([sums.gains, sums.words]).astype(np.float64)
    gained, words = flipped(columns, resamples, seed).T
    return Gain(
        value=int(sums.gains.sum()) / sums.total,
        interval=_inverted(gained[1:], words[1:], confidence),
        worse_or_equal=rounded(int((gained <= 0).sum()) / len(gained)),
        method="sign flips",
        blocks=sums.found,
        words=sums.total,
        better_or_equal=rounded(int((gained >= 0).sum()) / len(gained)),
        unit=sums.unit,
    )


def _inverted(gained: Floats, words: Floats, confidence: float) -> Interval | None:
    """All gains that the test does not reject. A subset without words bounds nothing: it counts as beyond both ends."""
    rank = int((1 - confidence) / 2 * (len(gained) + 1))
    if not rank:
        return None
    some = words > 0
    low = np.sort(np.where(some, ratios(gained, words), -np.inf))[rank - 1]
    high = np.sort(np.where(some, ratios(gained, words), np.inf))[-rank]
    return (float(low), float(high)) if np.isfinite(low) and np.isfinite(high) else None


def ratios(errors: Floats, words: Floats) -> Floats:
    """Errors per word; 0 where there are no words."""
    return np.divide(errors, words, out=np.zeros_like(errors), where=words > 0)


def wer_interval(
    measured: Measured,
    labels: Labels,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 1,
    only: frozenset[str] | None = None,
) -> Interval | None:
    """The confidence interval of one model's WER, by block bootstrap; None with too few for it, as below five.

    Raises:
        ValueError: `confidence` or `resamples` make no sense.
    """
    check(confidence, resamples)
    sums = single_sums(measured, labels, only)
    if sums.effective < FEWEST:
        return None
    columns = np.column_stack([sums.benchmark, sums.words]).astype(np.float64)
    errors, words = resampled(columns, resamples, seed).T
    return percentile_interval(ratios(errors, words), confidence, sums.effective)
