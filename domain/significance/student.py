"""Student's t and the normal distribution, as far as the tests need them: the standard library has only the latter."""

import math
from functools import cache
from statistics import NormalDist

NORMAL = NormalDist()
_LIKE_NORMAL = 2_000
"""From so many degrees of freedom on, t and normal quantiles differ in the fourth digit."""


def t_probability(t: float, freedom: int) -> float:
    """P(T <= t) with whole degrees of freedom, by the finite series of Abramowitz and Stegun, 26.7.3 and 26.7.4.

    >>> f"{t_probability(2.228, 10):.4f}"
    '0.9750'
    """
    if freedom >= _LIKE_NORMAL:
        return NORMAL.cdf(t)
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    if freedom % 2:
        inside = 2 / math.pi * (angle + (sine * _series(cosine, cosine, 2, freedom - 1) if freedom > 1 else 0.0))
    else:
        inside = sine * _series(1.0, cosine, 1, freedom - 1)
    return min(1.0, max(0.0, 0.5 + inside / 2))


def _series(first: float, cosine: float, step: int, end: int) -> float:
    term = total = first
    while step < end:
        term *= cosine * cosine * step / (step + 1)
        total += term
        step += 2
    return total


@cache
def t_quantile(probability: float, freedom: int) -> float:
    """The t that a share of `probability` (0 to 1, both excluded) lies below.

    >>> f"{t_quantile(0.975, 19):.3f}"
    '2.093'
    """
    if freedom >= _LIKE_NORMAL:
        return NORMAL.inv_cdf(probability)
    low, high = -1e6, 1e6
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if t_probability(middle, freedom) < probability else (low, middle)
    return middle
