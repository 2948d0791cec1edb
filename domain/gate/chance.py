"""A small exact test for counts that pair up: more often worse than better, or only chance?"""

import math

_EXACT = 1_000
"""Beyond so many changed recordings the normal distribution is as good."""


def sign_test(worse: int, better: int) -> float:
    """One-sided probability of so many changes for the worse if both directions are equally likely.

    The sign test; on pairs of hits and misses it is McNemar's exact test (Psychometrika 12, 1947).

    >>> sign_test(5, 0), sign_test(0, 0)
    (0.03125, 1.0)
    """
    changed = worse + better
    if changed <= _EXACT:
        at_least = sum(math.comb(changed, count) for count in range(worse, changed + 1))
        return float(at_least / 2**changed)
    return math.erfc((worse - 0.5 - changed / 2) / math.sqrt(changed / 2)) / 2
