"""Does customisation still pay? The newest base model costs nothing and improves by itself."""

from collections.abc import Iterator
from dataclasses import replace

from domain.comparison import Comparison
from domain.gate.rule import between, percent, points, rates
from domain.policy import GatePolicy
from domain.significance import gain_of
from domain.verdict import Finding, Outcome


def newest_base(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """The candidate must be better than the newest base model, by more than chance."""
    if comparison.base is None:
        yield Finding(rule="base model", outcome=Outcome.PASS, reason="the newest base model was not measured")
        return
    against = replace(comparison, benchmark=comparison.base)
    base, candidate = rates(against)
    gain = gain_of(against, confidence=policy.confidence_percent / 100)
    outcome, told = _judged(base - candidate, gain.interval)
    yield Finding(
        rule="base model",
        outcome=outcome,
        reason=f"the newest base model has a WER of {percent(base)}, the candidate {percent(candidate)}: {told}",
        value=gain.value,
        interval=gain.interval,
        threshold=0.0,
        words=gain.words,
        speakers=gain.blocks,
    )


def _judged(gain: float, interval: tuple[float, float] | None) -> tuple[Outcome, str]:
    if gain <= 0:
        return Outcome.FAIL, "customisation no longer pays"
    if interval is None or interval[0] <= 0:
        spread = f", {between(interval)}" if interval else ""
        return Outcome.INCONCLUSIVE, f"whether customisation pays is not sure{spread}"
    return Outcome.PASS, f"customisation pays by {points(gain)} points"
