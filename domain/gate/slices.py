"""Better overall does not excuse worse for one group of recordings."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from domain.comparison import Comparison
from domain.gate.groups import Slice, measured_slices
from domain.gate.rule import ROUNDING, between, fewest_blocks, many, percent, points, short, some
from domain.policy import GatePolicy
from domain.significance import gap_change, holm
from domain.verdict import Finding, Outcome

_LISTED = 10

_Slices = Mapping[str, Slice]


def slices(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """No slice may get worse by more than chance; declared ones must be there, protected ones shown not to be worse.

    The best and the worst group of a label may not move apart by more than chance.
    """
    found = measured_slices(comparison, policy)
    yield from _absent(found, policy)
    yield from _regressions(found, policy)
    yield from _protected(found, policy)
    yield from _gaps(comparison, found, policy)
    yield from _unjudged(found, policy)


def _absent(found: _Slices, policy: GatePolicy) -> Iterator[Finding]:
    for name in sorted({*policy.required_slices, *policy.protected_slices}):
        if not found[name].words:
            reason = f"the testing data have no {short(name)}, which the policy asks for: add recordings, or correct it"
            yield Finding(rule=short(f"slice: {name}"), outcome=Outcome.FAIL, reason=reason, words=0)


def _regressions(found: _Slices, policy: GatePolicy) -> Iterator[Finding]:
    chances = holm({name: _regression(one) for name, one in found.items() if one.judged})
    for name, chance in chances.items():
        one = found[name]
        worse = chance <= policy.alpha and one.gain is not None and one.gain.value < 0
        told = f"{short(name)}: WER {_went(one)}{', worse by more than chance' if worse else ''}"
        yield _finding(one, f"slice: {name}", Outcome.FAIL if worse else Outcome.PASS, told, 0.0)


def _regression(one: Slice) -> float:
    chance = one.gain.better_or_equal if one.gain else None
    return 1.0 if chance is None else chance


def _went(one: Slice) -> str:
    return f"went from {percent(one.before)} to {percent(one.after)}"


def _protected(found: _Slices, policy: GatePolicy) -> Iterator[Finding]:
    for name in sorted(set(policy.protected_slices)):
        one = found[name]
        if one.words:
            outcome, told = _non_inferior(one, policy)
            told = f"{short(name)}, which is protected, {told}"
            yield _finding(one, f"protected slice: {name}", outcome, told, -policy.slice_margin_points / 100)


def _non_inferior(one: Slice, policy: GatePolicy) -> tuple[Outcome, str]:
    gain, margin, allowed = one.judged, policy.slice_margin_points / 100, f"{policy.slice_margin_points:g} points"
    if gain is None or gain.interval is None:
        return Outcome.INCONCLUSIVE, f"has too little evidence ({_evidence_of(one)}); {_asked(policy)}"
    if gain.value < -margin - ROUNDING:
        return Outcome.FAIL, f"{_went(one)}; at most {allowed} more are allowed"
    if gain.interval[0] <= -margin + ROUNDING:
        return Outcome.INCONCLUSIVE, f"{_went(one)}, and a loss of {allowed} is not excluded: {between(gain.interval)}"
    return Outcome.PASS, f"{_went(one)}, and a loss of {allowed} is excluded"


def _gaps(comparison: Comparison, found: _Slices, policy: GatePolicy) -> Iterator[Finding]:
    by_label: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for name, one in found.items():
        if one.judged:
            by_label[name.partition("=")[0]][name] = one.recordings
    compared = {label: groups for label, groups in by_label.items() if len(groups) > 1}
    for label, groups in compared.items():
        # labels are judged together: Bonferroni's share of alpha keeps the chance of one false alarm where it was
        yield _gap(comparison, label, groups, policy, confidence=1 - policy.alpha / len(compared))


def _gap(
    comparison: Comparison, label: str, groups: Mapping[str, frozenset[str]], policy: GatePolicy, *, confidence: float
) -> Finding:
    change, limit = gap_change(comparison, groups, confidence=confidence), policy.maximum_gap_rise_points / 100
    rise, interval = -change.value, change.interval and (-change.interval[1], -change.interval[0])
    wider = interval is not None and interval[0] > limit + ROUNDING
    spread = f" ({between(interval)})" if interval else ""
    told = f"the largest gap between groups of {short(label)} {_grew(rise)}{spread}"
    return Finding(
        rule=short(f"gap: {label}"),
        outcome=Outcome.FAIL if wider else Outcome.PASS,
        reason=f"{told}{', more than by chance: one group is left behind' if wider else ''}",
        value=rise,
        interval=interval,
        threshold=limit,
        words=change.words,
        speakers=change.blocks,
    )


def _grew(rise: float) -> str:
    return f"{'grew' if rise > 0 else 'shrank'} by {points(abs(rise), 2)} points"


def _unjudged(found: _Slices, policy: GatePolicy) -> Iterator[Finding]:
    left = [one for one in found.values() if one.words and not one.judged]
    if left:
        listed = some((f"{short(one.name)} ({_evidence_of(one)})" for one in left), _LISTED)
        reason = f"too little evidence to judge {many(len(left), 'slice')}: {listed}; {_asked(policy)}"
        yield Finding(rule="slices not judged", outcome=Outcome.PASS, reason=reason)


def _evidence_of(one: Slice) -> str:
    speakers = f", {many(one.gain.blocks, 'speaker')}" if one.gain else ""
    return f"{many(one.words, 'word')}{speakers}"


def _asked(policy: GatePolicy) -> str:
    return f"{policy.slice_minimum_words:,} words and {fewest_blocks(policy)} speakers are needed"


def _finding(one: Slice, rule: str, outcome: Outcome, reason: str, threshold: float) -> Finding:
    gain = one.judged
    return Finding(
        rule=short(rule),
        outcome=outcome,
        reason=reason,
        value=gain.value if gain else None,
        interval=gain.interval if gain else None,
        threshold=threshold,
        words=one.words,
        speakers=one.gain.blocks if one.gain else None,
    )
