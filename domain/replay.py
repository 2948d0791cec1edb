"""What a verdict that was reached again says otherwise than before, for people."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from domain.verdict import Verdict

_DIGEST = 64
_Findings = Mapping[str, list[dict[str, Any]]]


def same_bytes(then: Mapping[str, Any], now: Verdict) -> bool:
    """Whether both verdicts are the same JSON, byte by byte; `then` is what the evidence holds."""
    return json.dumps(then) == json.dumps(json.loads(now.model_dump_json()))


def differences(then: Mapping[str, Any], now: Verdict) -> tuple[str, ...]:
    """What differs, a line each: first the outcome, then rule by rule, then the rest.

    Args:
        then: the earlier verdict as the evidence holds it; another version of speechops may have written it.
        now: the verdict of today.
    """
    later = json.loads(now.model_dump_json())
    plain = sorted((then.keys() | later.keys()) - {"outcome", "findings"})
    before, after = _by_rule(then.get("findings", ())), _by_rule(later["findings"])
    return (
        *_changed(then, later, ["outcome"]),
        *(line for rule in dict.fromkeys((*before, *after)) for line in _rule_changed(rule, before, after)),
        *_changed(then, later, plain),
    )


def _by_rule(findings: Iterable[dict[str, Any]]) -> _Findings:
    rules: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in findings:
        rules[finding["rule"]].append(finding)
    return rules


def _rule_changed(rule: str, before: _Findings, after: _Findings) -> Iterator[str]:
    for one, other in zip_longest(before.get(rule, ()), after.get(rule, ())):
        if one is None or other is None:
            found, when = (one, "then") if other is None else (other, "now")
            yield f"rule '{rule}' only {when}: {found['outcome']}: {found['reason']}"
        else:
            names = [name for name in dict.fromkeys((*one, *other)) if name != "rule"]
            yield from (f"rule '{rule}': {change}" for change in _changed(one, other, names))


def _changed(then: Mapping[str, Any], now: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        old, new = (_shown(side[name]) if name in side else "absent" for side in (then, now))
        if old != new:
            yield f"{name} was {old}, now {new}"


def _shown(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if len(value) == _DIGEST and " " not in value:
        return f"{value[:12]}…"
    return f"'{value}'" if " " in value else value
