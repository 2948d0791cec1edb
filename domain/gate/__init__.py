"""The gate: may the candidate replace the benchmark?

A rule is a function from a comparison and a policy to findings. `decide` runs the rules and takes the worst outcome; when
the evidence itself is INVALID nothing further is judged. A new rule is one more function in a tuple.
"""

from domain.comparison import Comparison
from domain.gate.base import newest_base
from domain.gate.errors import deletions, empty_outputs, insertions, token_errors
from domain.gate.leaks import leakage, without, without_leaked
from domain.gate.phrases import phrases
from domain.gate.reuse import reuse
from domain.gate.rule import Rule
from domain.gate.slices import slices
from domain.gate.superiority import minimum_gain, second_opinion, significance, target
from domain.gate.suspicion import suspicion
from domain.gate.validity import validity
from domain.policy import GatePolicy
from domain.verdict import Finding, Outcome, Verdict, worst

__all__ = ["RULES", "Rule", "check", "decide", "without"]

RULES: tuple[Rule, ...] = (
    minimum_gain,
    significance,
    second_opinion,
    target,
    suspicion,
    newest_base,
    slices,
    phrases,
    insertions,
    deletions,
    empty_outputs,
    token_errors,
    reuse,
)
"""The rules that judge valid evidence, in the order in which people read them."""


def decide(comparison: Comparison, policy: GatePolicy, rules: tuple[Rule, ...] = RULES) -> Verdict:
    """Judge the candidate: INVALID evidence stops everything, otherwise the worst finding is the outcome."""
    findings, judged = _evidence(comparison, policy)
    if worst(findings) is not Outcome.INVALID:
        findings += tuple(finding for rule in rules for finding in rule(judged, policy))
    return _verdict(comparison, judged, policy, findings)


def check(comparison: Comparison, policy: GatePolicy) -> Verdict:
    """Only ask whether the evidence is valid, as for a measurement that decides nothing."""
    findings, judged = _evidence(comparison, policy)
    return _verdict(comparison, judged, policy, findings)


def _evidence(comparison: Comparison, policy: GatePolicy) -> tuple[tuple[Finding, ...], Comparison]:
    """What speaks for or against the evidence, and the part of it that is judged."""
    findings = (*validity(comparison, policy), *leakage(comparison, policy))
    invalid = worst(findings) is Outcome.INVALID
    return findings, comparison if invalid else without_leaked(comparison)


def _verdict(whole: Comparison, judged: Comparison, policy: GatePolicy, findings: tuple[Finding, ...]) -> Verdict:
    benchmark, candidate, base = judged.benchmark, judged.candidate, judged.base
    return Verdict(
        outcome=worst(findings),
        findings=findings,
        benchmark=benchmark.model,
        candidate=candidate.model,
        benchmark_counts=benchmark.scorecard.total,
        candidate_counts=candidate.scorecard.total,
        policy=policy.fingerprint,
        normaliser=candidate.scorecard.normaliser,
        base=base.model if base else None,
        base_counts=base.scorecard.total if base else None,
        excluded=tuple(sorted(_ids(whole) - _ids(judged))),
    )


def _ids(comparison: Comparison) -> set[str]:
    return {utterance.id for utterance in comparison.candidate.scorecard.utterances}
