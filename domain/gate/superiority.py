"""Is the candidate better, by enough to matter, and by more than chance?"""

from collections.abc import Iterator

from domain.comparison import Comparison
from domain.gate.rule import ROUNDING, between, fewest_blocks, many, percent, points, rates, words_of
from domain.policy import GatePolicy
from domain.significance import Gain, MatchedPairs, gain_of, matched_pairs, needed
from domain.verdict import Finding, Outcome


def minimum_gain(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """The candidate must be better by a gain that matters: in points and relative to the benchmark's WER."""
    if policy.mode == "non-inferiority":
        return
    benchmark, candidate = rates(comparison)
    gain = benchmark - candidate
    relative = gain / benchmark if benchmark else 0.0
    least, least_relative = policy.minimum_gain_points, policy.minimum_relative_gain_percent
    shown, asked = f"{points(abs(gain))} points", f"{least:.1f} points"
    yield _gain("minimum gain", gain, least / 100, shown, asked, comparison)
    shown, asked = f"{percent(abs(relative))} of it", f"{least_relative:.1f}%"
    yield _gain("minimum relative gain", relative, least_relative / 100, shown, asked, comparison)


def _gain(rule: str, gain: float, threshold: float, shown: str, asked: str, comparison: Comparison) -> Finding:
    enough = gain > 0 and gain >= threshold - ROUNDING
    asks = "" if enough else f"; at least {asked} less is asked for"
    return Finding(
        rule=rule,
        outcome=Outcome.PASS if enough else Outcome.FAIL,
        reason=f"WER {_moved(comparison)} ({shown}){asks}",
        value=gain,
        threshold=threshold,
        words=words_of(comparison),
    )


def _moved(comparison: Comparison) -> str:
    benchmark, candidate = rates(comparison)
    if benchmark == candidate:
        return f"stayed at {percent(candidate)}"
    return f"{'fell' if candidate < benchmark else 'rose'} from {percent(benchmark)} to {percent(candidate)}"


def significance(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """The gain, or in mode non-inferiority the absence of a loss that matters, must be more than chance."""
    gain = gain_of(comparison, confidence=policy.confidence_percent / 100)
    threshold = -policy.margin_points / 100 if policy.mode == "non-inferiority" else 0.0
    told = _non_inferior if policy.mode == "non-inferiority" else _superior
    outcome, reason = told(comparison, policy, gain)
    yield Finding(
        rule="significance" if policy.mode == "superiority" else "non-inferiority",
        outcome=outcome,
        reason=reason,
        value=gain.value,
        interval=gain.interval,
        threshold=threshold,
        words=gain.words,
        speakers=gain.blocks,
    )


def _superior(comparison: Comparison, policy: GatePolicy, gain: Gain) -> tuple[Outcome, str]:
    if gain.interval is None:
        return Outcome.INCONCLUSIVE, _too_few(gain, policy)
    shown = f"{between(gain.interval)} {_basis(policy, gain)}"
    if gain.interval[0] > 0:
        return Outcome.PASS, f"the gain is more than chance: {shown}"
    if gain.value <= 0:
        return Outcome.INCONCLUSIVE, f"there is no gain to be sure of: {shown}"
    return Outcome.INCONCLUSIVE, f"the gain may be chance: {shown}{_would_show(comparison, policy)}"


def _non_inferior(comparison: Comparison, policy: GatePolicy, gain: Gain) -> tuple[Outcome, str]:
    margin, allowed = policy.margin_points / 100, f"{policy.margin_points:g} points"
    if gain.value < -margin - ROUNDING:
        return Outcome.FAIL, f"WER {_moved(comparison)}; at most {allowed} more are allowed"
    if gain.interval is None:
        return Outcome.INCONCLUSIVE, _too_few(gain, policy)
    shown = f"the gain is {between(gain.interval)} {_basis(policy, gain)}"
    if gain.interval[0] > -margin + ROUNDING:
        return Outcome.PASS, f"a loss of {allowed} is excluded: {shown}"
    return Outcome.INCONCLUSIVE, f"a loss of {allowed} is not excluded: {shown}"


def _too_few(gain: Gain, policy: GatePolicy) -> str:
    if gain.blocks < (fewest := fewest_blocks(policy)):
        return f"too few {gain.unit} to tell: {gain.blocks}; at least {fewest} are needed"
    return f"{gain.blocks} {gain.unit} are too unequal to tell: nearly all words are of a few of them"


def _basis(policy: GatePolicy, gain: Gain) -> str:
    known = gain.unit in ("speakers", "sessions")
    doubt = "" if known else ", as if nobody spoke in two of them, which is too sure: label the speakers"
    return f"at {policy.confidence_percent:g}% confidence, from {gain.blocks:,} {gain.unit} ({gain.method}){doubt}"


def _would_show(comparison: Comparison, policy: GatePolicy) -> str:
    more = needed(comparison, confidence=policy.confidence_percent / 100)
    if more is None:
        return ""
    minutes = "" if more.minutes is None else f", or {more.minutes:,.0f} minutes,"
    return f"; about {more.speakers:,} more {more.unit}{minutes} like these would show it (80% power)"


def second_opinion(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """NIST's MAPSSWE beside the blocks: a gain that it does not see is not released without a person's word."""
    pairs = matched_pairs(comparison)
    found = pairs.z is not None and pairs.p < policy.alpha
    better = found and (pairs.z or 0) > 0
    asked = policy.mode == "superiority"
    saw = "a gain" if better else "a loss" if found else "no difference that is more than chance"
    yield Finding(
        rule="matched pairs",
        outcome=Outcome.PASS if better or not asked else Outcome.INCONCLUSIVE,
        reason=f"MAPSSWE, which takes these speakers as they are, finds {saw} ({_shown(pairs)})",
        value=pairs.p,
        threshold=policy.alpha,
        words=words_of(comparison),
    )


def _shown(pairs: MatchedPairs) -> str:
    return f"{'p < 0.001' if pairs.p < 0.001 else f'p = {pairs.p:.3f}'}, {many(pairs.segments, 'segment')}"


def target(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """Better is not enough when the result is still not acceptable."""
    if policy.target_wer_percent is None:
        return
    candidate, limit = rates(comparison)[1], policy.target_wer_percent / 100
    acceptable = candidate <= limit + ROUNDING
    yield Finding(
        rule="target WER",
        outcome=Outcome.PASS if acceptable else Outcome.FAIL,
        reason=f"WER {percent(candidate)} is {'within' if acceptable else 'over'} the target of {percent(limit)}",
        value=candidate,
        threshold=limit,
        words=words_of(comparison),
    )
