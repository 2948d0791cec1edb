"""Testing data wear out: who tries often enough finds a candidate that is better on them by chance."""

from collections.abc import Iterator

from domain.comparison import Comparison
from domain.gate.rule import many
from domain.policy import GatePolicy
from domain.verdict import Finding, Outcome

_NEARLY = 0.8


def reuse(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """The same testing data decide about a limited number of candidates; people are told before the last."""
    number, budget = comparison.earlier_verdicts + 1, policy.reuse_budget
    told = f"these testing data judge their {_ordinal(number)} candidate, of {budget} that they are good for"
    worn = number > budget
    if worn:
        told = (
            f"these testing data are worn out: they have judged {many(number - 1, 'candidate')} before, and are good for "
            f"{budget}; record new ones"
        )
    elif number >= _NEARLY * budget:
        told += ": record new ones soon"
    outcome = Outcome.INCONCLUSIVE if worn else Outcome.PASS
    yield Finding(rule="reuse", outcome=outcome, reason=told, value=number, threshold=budget)


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
