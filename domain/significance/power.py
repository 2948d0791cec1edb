"""What testing data can show, and what it would take to show more."""

import math
from dataclasses import dataclass

from domain.comparison import Comparison
from domain.significance.blocks import BlockSums, Unit, sums_of
from domain.significance.gain import ENOUGH, FEWEST
from domain.significance.student import t_quantile

_UNANIMOUS = 1.25
"""Where only the same sign in every block is significant, gains must be larger than the formula says (simulated)."""
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Needed:
    """What would show the gain with 80 % power, beyond what is there, rounded up to figures that people plan with."""

    speakers: int
    """Or sessions or recordings, where the speakers are unknown: `unit` says which."""
    minutes: float | None
    """Of audio, when they speak as long as those that are there; None when their length is unknown."""
    unit: Unit = "speakers"


def smallest_gain(comparison: Comparison, *, power: float = 0.8, confidence: float = 0.95) -> float | None:
    """The smallest gain (fraction of WER) that these testing data can detect: see `smallest_over`."""
    return smallest_over(sums_of(comparison), power=power, confidence=confidence)


def smallest_over(sums: BlockSums, *, power: float = 0.8, confidence: float = 0.95) -> float | None:
    """The gain that is found significant with probability `power`, by the interval that `gain_of` gives.

    (t[1-alpha/2] + t[power]) * standard error, with n-1 degrees of freedom: Bloom, "Minimum Detectable Effects" (1995).
    None when no gain could be significant, or when the blocks' gains do not differ at all (equal transcripts).
    """
    freedom, same_sign = sums.effective - 1, (1 - confidence) / 2 * 2.0 ** min(sums.found, 60)
    if sums.found < FEWEST or same_sign < 1 or freedom < 1 or not (error := standard_error(sums)):
        return None
    sum_of_quantiles = t_quantile((1 + confidence) / 2, freedom) + t_quantile(power, freedom)
    return sum_of_quantiles * error * (_UNANIMOUS if same_sign < 2 else 1.0)


def standard_error(sums: BlockSums) -> float:
    """Of the pooled gain, a ratio of sums over blocks (Cochran, "Sampling Techniques", 1977, section 6.3)."""
    count, gain = len(sums.words), int(sums.gains.sum()) / sums.total
    left = sums.gains - gain * sums.words
    return math.sqrt(math.fsum(left * left) * count / (count - 1)) / sums.total


def needed(comparison: Comparison, *, power: float = 0.8, confidence: float = 0.95) -> Needed | None:
    """How many more speakers, or minutes, would show the observed gain; None without a gain, or with speakers enough.

    Standard errors shrink with the root of the number of speakers, so `smallest_over` is solved for that number. Ten
    speakers are asked for in any case.
    """
    sums = sums_of(comparison)
    saved = int(sums.gains.sum())
    if saved <= 0 or not sums.total:
        return None
    if (missing := _blocks_for(saved / sums.total, sums, power, confidence) - sums.found) <= 0:
        return None
    more, seconds = _sensible(missing), _seconds_per_block(comparison, sums.found)
    return Needed(more, None if seconds is None else float(_sensible(math.ceil(more * seconds / 60))), sums.unit)


def _blocks_for(gain: float, sums: BlockSums, power: float, confidence: float) -> int:
    if len(sums.words) < 2:
        return ENOUGH
    spread, blocks = standard_error(sums) * math.sqrt(sums.found), sums.found
    for _ in range(_ROUNDS):
        freedom = max(blocks, ENOUGH) - 1
        quantiles = t_quantile((1 + confidence) / 2, freedom) + t_quantile(power, freedom)
        wanted = max(ENOUGH, math.ceil((quantiles * spread / gain) ** 2))
        if wanted == blocks:
            break
        blocks = wanted
    return blocks


def _seconds_per_block(comparison: Comparison, blocks: int) -> float | None:
    lengths = [comparison.seconds.get(one.id) for one in comparison.benchmark.scorecard.utterances]
    known = [length for length in lengths if length is not None]
    return math.fsum(known) / blocks if known and len(known) == len(lengths) else None


def _sensible(number: int) -> int:
    """Rounded up: as it is to 10, to fives to 100, then to two digits.

    >>> _sensible(7), _sensible(11), _sensible(101), _sensible(2345)
    (7, 15, 110, 2400)
    """
    if number <= 10:
        return number
    step = 5 if number <= 100 else 10 ** (len(str(number)) - 2)
    return math.ceil(number / step) * step
