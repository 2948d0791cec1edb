"""What all rules share: their shape, and how figures are told to people."""

import math
from collections.abc import Callable, Iterable

from domain.comparison import Comparison
from domain.policy import GatePolicy
from domain.significance.gain import FEWEST
from domain.verdict import Finding

ROUNDING = 1e-9
"""3.6 % to 3.4 % is a gain of 0.2 points, whatever binary fractions say."""

Rule = Callable[[Comparison, GatePolicy], Iterable[Finding]]
"""What one rule finds in valid evidence."""


def rates(comparison: Comparison) -> tuple[float, float]:
    """The WERs of benchmark and candidate as fractions.

    Raises:
        ValueError: the evidence is not valid, so no rule should have been asked.
    """
    benchmark, candidate = comparison.benchmark.wer, comparison.candidate.wer
    if benchmark is None or candidate is None:
        raise ValueError("rules judge valid evidence only: run them through decide()")
    return benchmark, candidate


def words_of(comparison: Comparison) -> int:
    """Reference words that both models were measured on."""
    return comparison.candidate.scorecard.total.reference_words


def fewest_blocks(policy: GatePolicy) -> int:
    """With fewer blocks (speakers) even the same sign in each of them would not be more than chance.

    >>> fewest_blocks(GatePolicy()), fewest_blocks(GatePolicy(confidence_percent=99))
    (6, 8)
    """
    return max(FEWEST, math.ceil(math.log2(2 / policy.alpha)))


def percent(rate: float | None) -> str:
    """A fraction as people read it.

    >>> percent(0.105), percent(None)
    ('10.5%', 'unknown')
    """
    return "unknown" if rate is None else f"{rate:.1%}"


def points(rate: float, digits: int = 1) -> str:
    """A difference of rates as people read it; never "-0.0".

    >>> points(-0.0001), points(0.0123, 2)
    ('0.0', '1.23')
    """
    return f"{round(rate * 100, digits) + 0.0:.{digits}f}"


def between(interval: tuple[float, float]) -> str:
    """An interval of differences.

    >>> between((-0.002, 0.0105))
    'between -0.20 and 1.05 points'
    """
    return f"between {points(interval[0], 2)} and {points(interval[1], 2)} points"


def some(names: Iterable[str], limit: int = 3) -> str:
    """The first names in order, each cut to a readable length, and how many more there are.

    >>> some(["d", "c", "b", "a"])
    'a, b, c and 1 more'
    """
    names = sorted(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(short(name) for name in names[:limit]) + more


def short(text: str, limit: int = 80) -> str:
    """A name that stays on one line of a report.

    >>> short("noise=babble25"), len(short("x" * 500))
    ('noise=babble25', 80)
    """
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def many(count: int, thing: str) -> str:
    """A count with its noun.

    >>> many(1, "leak"), many(1200, "recording")
    ('1 leak', '1,200 recordings')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
