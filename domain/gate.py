"""The gate: may the candidate replace the benchmark?

A rule is a function from a comparison and a policy to findings. `decide` runs the rules and takes the worst outcome; when
the evidence itself is INVALID nothing further is judged. A new rule is one more function in a tuple.
"""

import math
from collections.abc import Callable, Iterable, Iterator

from domain.comparison import Comparison, Measured, ServiceScore
from domain.track import GatePolicy
from domain.verdict import Finding, Outcome, Verdict, worst

_ROUNDING = 1e-9  # 3.6 % to 3.4 % is a gain of 0.2 points, whatever binary fractions say


Rule = Callable[[Comparison, GatePolicy], Iterable[Finding]]


def decide(comparison: Comparison, policy: GatePolicy, rules: tuple[Rule, ...] | None = None) -> Verdict:
    """Judge the candidate: INVALID evidence stops everything, otherwise the worst finding is the outcome."""
    findings = tuple(validity(comparison, policy))
    if worst(findings) is not Outcome.INVALID:
        findings += tuple(
            finding for rule in (RULES if rules is None else rules) for finding in rule(comparison, policy)
        )
    return _verdict(comparison, policy, findings)


def check(comparison: Comparison, policy: GatePolicy) -> Verdict:
    """Only ask whether the evidence is valid, as for a measurement that decides nothing."""
    return _verdict(comparison, policy, tuple(validity(comparison, policy)))


def _verdict(comparison: Comparison, policy: GatePolicy, findings: tuple[Finding, ...]) -> Verdict:
    benchmark, candidate = comparison.benchmark, comparison.candidate
    return Verdict(
        outcome=worst(findings),
        findings=findings,
        benchmark=benchmark.model,
        candidate=candidate.model,
        benchmark_counts=benchmark.scorecard.total,
        candidate_counts=candidate.scorecard.total,
        policy=policy.fingerprint,
        normaliser=candidate.scorecard.normaliser,
    )


def validity(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """Evidence that cannot be trusted decides nothing: every problem of it is a finding of its own."""
    problems = [
        *_invalid_side("benchmark", comparison.benchmark, policy),
        *_invalid_side("candidate", comparison.candidate, policy),
        *_different_yardsticks(comparison),
    ]
    if problems:
        yield from (Finding(rule="validity", outcome=Outcome.INVALID, reason=problem) for problem in problems)
        return
    counts = comparison.candidate.scorecard.total
    yield Finding(
        rule="validity",
        outcome=Outcome.PASS,
        reason=f"both models transcribed all {len(comparison.candidate.scorecard.utterances)} recordings, "
        "and our WER agrees with the service's",
        words=counts.reference_words,
    )


def _invalid_side(side: str, measured: Measured, policy: GatePolicy) -> Iterator[str]:
    scorecard, service = measured.scorecard, measured.service
    if service.status != "Succeeded":
        yield f"the evaluation is {service.status}, not Succeeded"
    yield from (f"the service's {name} of the {side} is {value}" for name, value in _not_a_count(service))
    if service.words != service.correct + service.substitutions + service.deletions:
        yield f"the service's word counts of the {side} do not add up"
    if scorecard.missing:
        yield f"the {side} has no transcript of {_some(scorecard.missing)}"
    if scorecard.unexpected:
        yield f"the {side} has transcripts of unknown recordings: {_some(scorecard.unexpected)}"
    if measured.wer is None:
        yield f"the references of the {side} hold no words, so there is nothing to measure"
    elif math.isfinite(service.wer) and abs(measured.wer - service.wer) * 100 > policy.scoring_tolerance_points:
        yield (
            f"our WER of the {side} is {measured.wer:.2%} but the service's is {service.wer:.2%}, further apart than "
            f"{policy.scoring_tolerance_points} points"
        )


def _not_a_count(service: ServiceScore) -> Iterator[tuple[str, float]]:
    if not (math.isfinite(service.wer) and service.wer >= 0):
        yield "WER", service.wer
    if service.words <= 0:
        yield "word count", service.words
    for name in ("correct", "substitutions", "deletions", "insertions"):
        if getattr(service, name) < 0:
            yield f"count of {name}", getattr(service, name)


def _different_yardsticks(comparison: Comparison) -> Iterator[str]:
    benchmark, candidate = comparison.benchmark.scorecard, comparison.candidate.scorecard
    if benchmark.normaliser != candidate.normaliser:
        yield "the two models were scored with different normalisers"
    if benchmark.total.reference_words != candidate.total.reference_words:
        yield "the two models were scored on different references"


def _some(names: Iterable[str], limit: int = 3) -> str:
    names = sorted(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def minimum_gain(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """The candidate must be better by a gain that matters: in points and relative to the benchmark's WER."""
    benchmark, candidate = _rates(comparison)
    gain = benchmark - candidate
    yield _gain("minimum gain", gain, policy.minimum_gain_points / 100, benchmark, candidate, comparison)
    relative = gain / benchmark if benchmark else 0.0
    yield _gain(
        "minimum relative gain",
        relative,
        policy.minimum_relative_gain_percent / 100,
        benchmark,
        candidate,
        comparison,
    )


def _gain(
    rule: str, gain: float, threshold: float, benchmark: float, candidate: float, comparison: Comparison
) -> Finding:
    enough = gain > 0 and gain >= threshold - _ROUNDING
    relative = "relative" in rule
    shown = f"{abs(gain):.1%} of it" if relative else f"{abs(gain) * 100:.1f} points"
    asked = f"{threshold:.1%}" if relative else f"{threshold * 100:.1f} points"
    moved = f"{'fell' if gain > 0 else 'rose'} from {benchmark:.1%} to" if gain else "stayed at"
    asks = "" if enough else f"; at least {asked} less is asked for"
    return Finding(
        rule=rule,
        outcome=Outcome.PASS if enough else Outcome.FAIL,
        reason=f"WER {moved} {candidate:.1%} ({shown}){asks}",
        value=gain,
        threshold=threshold,
        words=comparison.candidate.scorecard.total.reference_words,
    )


def target(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """Better is not enough when the result is still not acceptable."""
    if policy.target_wer_percent is None:
        return
    candidate, limit = _rates(comparison)[1], policy.target_wer_percent / 100
    acceptable = candidate <= limit + _ROUNDING
    yield Finding(
        rule="target WER",
        outcome=Outcome.PASS if acceptable else Outcome.FAIL,
        reason=f"WER {candidate:.1%} is {'within' if acceptable else 'over'} the target of {limit:.1%}",
        value=candidate,
        threshold=limit,
        words=comparison.candidate.scorecard.total.reference_words,
    )


def _rates(comparison: Comparison) -> tuple[float, float]:
    benchmark, candidate = comparison.benchmark.wer, comparison.candidate.wer
    if benchmark is None or candidate is None:
        raise ValueError("rules judge valid evidence only: run them through decide()")
    return benchmark, candidate


RULES: tuple[Rule, ...] = (minimum_gain, target)
"""The rules that judge valid evidence, in the order in which people read them."""
