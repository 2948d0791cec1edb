"""Critical phrases, such as names of places: heard where they are said, and only there."""

from collections.abc import Iterator

from domain.comparison import Comparison
from domain.gate.chance import sign_test
from domain.gate.groups import members
from domain.gate.phrase_search import Changes, PhraseSearch
from domain.gate.rule import ROUNDING, many, percent, some
from domain.normalise import normaliser_with
from domain.policy import GatePolicy
from domain.verdict import Finding, Outcome


def phrases(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """Recall may not fall by more than chance, every `must` phrase must be heard, false alarms may not rise."""
    if not comparison.phrases:
        if policy.control:
            yield Finding(rule="control set", outcome=Outcome.INCONCLUSIVE, reason=_NO_PHRASES)
        return
    normaliser = normaliser_with(comparison.candidate.scorecard.normaliser)
    if normaliser is None:
        yield Finding(rule="critical phrases", outcome=Outcome.INCONCLUSIVE, reason=_NO_NORMALISER)
        return
    found = PhraseSearch(comparison, normaliser)
    yield _recall(found, policy)
    yield from _must(found)
    yield _control(found, comparison, policy)


_NO_PHRASES = "the policy names a control set, but no critical phrases are listed, so false alarms cannot be counted"
_NO_NORMALISER = "this version does not know the normaliser of these scores, so critical phrases cannot be looked for"


def _recall(found: PhraseSearch, policy: GatePolicy) -> Finding:
    tallies = found.tallies.values()
    said, before, after = (sum(getattr(tally, name) for tally in tallies) for name in ("said", "before", "after"))
    unsaid = some(found.names[key] for key, tally in found.tallies.items() if not tally.said)
    missing = f"; no recording has {unsaid}" if unsaid else ""
    if not said:
        reason = f"no critical phrase is said in any recording, so their recall is not judged{missing}"
        return Finding(rule="critical phrases", outcome=Outcome.PASS, reason=reason)
    limit = policy.maximum_phrase_recall_fall_points / 100
    chance = sign_test(found.heard.fewer, found.heard.more)
    outcome, doubt = _judged((before - after) / said, limit, chance, policy)
    moved = f"{percent(before / said)} to {percent(after / said)} of {many(said, 'occurrence')}"
    return Finding(
        rule="critical phrases",
        outcome=outcome,
        reason=f"recall of critical phrases went from {moved}{doubt}{missing}",
        value=after / said,
        threshold=before / said - limit,
        words=said,
    )


def _judged(worse: float, limit: float, chance: float, policy: GatePolicy) -> tuple[Outcome, str]:
    """More than chance fails, however little; what may be chance is tolerated up to the limit."""
    if worse <= 0:
        return Outcome.PASS, ""
    if chance <= policy.alpha:
        return Outcome.FAIL, ", by more than chance"
    if worse > limit + ROUNDING:
        return Outcome.INCONCLUSIVE, f", which may be chance, but is more than {limit * 100:g} points"
    return Outcome.PASS, ", which may be chance"


def _must(found: PhraseSearch) -> Iterator[Finding]:
    for key in sorted(found.must):
        tally, name = found.tallies[key], found.names[key]
        heard = tally.said > 0 and tally.after == tally.said
        told = f"is heard {tally.after} of {tally.said} times" if tally.said else "is in no recording: add one"
        yield Finding(
            rule="must phrase",
            outcome=Outcome.PASS if heard else Outcome.FAIL,
            reason=f"'{name}', which must be heard, {told}",
            value=tally.after / tally.said if tally.said else None,
            threshold=1.0,
            words=tally.said,
        )


def _control(found: PhraseSearch, comparison: Comparison, policy: GatePolicy) -> Finding:
    names = members(comparison, policy.control) if policy.control else None
    where = f"in {policy.control}" if policy.control else "in all recordings"
    if names is not None and not names:
        reason = f"the control set {policy.control} is not in the testing data: add recordings, or correct the policy"
        return Finding(rule="control set", outcome=Outcome.FAIL, reason=reason)
    alarms = [pair for name, pair in sorted(found.alarms.items()) if names is None or name in names]
    changes = Changes()
    for pair in alarms:
        changes.count(*pair)
    before, after = (sum(pair[side] for pair in alarms) for side in (0, 1))
    recordings = len(comparison.candidate.scorecard.utterances if names is None else names)
    limit = policy.maximum_false_alarm_rise_points / 100
    chance = sign_test(changes.more, changes.fewer)
    outcome, doubt = _judged((after - before) / recordings, limit, chance, policy)
    return Finding(
        rule="control set",
        outcome=outcome,
        reason=f"critical phrases heard where nobody said them, {where}: {before} by the benchmark, {after} by the "
        f"candidate{doubt}",
        value=(after - before) / recordings,
        threshold=limit,
    )
