"""From draws to intervals and probabilities, wide enough when blocks are few."""

import math

import numpy as np
import numpy.typing as npt

from domain.significance.student import NORMAL, t_probability, t_quantile

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]


def rank_of(tail: float, draws: int, effective: int) -> int:
    """Which of sorted draws, counted from 1, bounds an interval that leaves out `tail` on this side; 0 if none could.

    The plain percentile interval is too narrow by sqrt((n-1)/n), and by normal instead of t quantiles. Hesterberg, "What
    Teachers Should Know About the Bootstrap" (2015), section 5.3, expands the percentile so that it allows for both.

    >>> rank_of(0.025, 10_000, 10_000), rank_of(0.025, 10_000, 20), rank_of(0.025, 10_000, 10)
    (249, 158, 85)
    """
    expanded = NORMAL.cdf(_widening(effective) * t_quantile(tail, effective - 1))
    return math.floor(expanded * (draws + 1))


def _widening(effective: int) -> float:
    return math.sqrt(effective / (effective - 1))


def tail_probability(beyond: int, draws: int, effective: int) -> float:
    """The one-sided probability when so many draws lie at or beyond zero: `rank_of`, asked the other way round."""
    share = (beyond + 1) / (draws + 1)
    if share >= 1:
        return 1.0
    return rounded(t_probability(NORMAL.inv_cdf(share) / _widening(effective), effective - 1))


def percentile_interval(draws: Floats, confidence: float, effective: int) -> Interval | None:
    """The two-sided interval of draws (shape (draws,)) from `effective` blocks; None when more draws would be needed."""
    ordered = np.sort(draws)
    rank = rank_of((1 - confidence) / 2, len(ordered), effective)
    return (float(ordered[rank - 1]), float(ordered[-rank])) if rank else None


def rounded(probability: float) -> float:
    """Six digits: the last ones of exp and log differ between machines."""
    return float(f"{probability:.6g}")


def check(confidence: float, resamples: int) -> None:
    """Refuse what gives no interval.

    Raises:
        ValueError: the confidence is not between 0 and 1, or there are fewer than 100 resamples.
    """
    if not 0 < confidence < 1 or resamples < 100:
        raise ValueError(f"confidence {confidence}, {resamples} resamples: ask for 0 to 1, and for 100 at least")
