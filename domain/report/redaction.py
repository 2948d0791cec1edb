"""A decision as people may read it who must not see the testing data."""

import re
from collections.abc import Collection, Iterator

from domain.comparison import Comparison
from domain.gate.rule import short
from domain.ruling import Decision
from domain.verdict import Finding

_NAMING = ("validity", "leaks", "critical phrases", "must phrase", "control set")
"""Rules whose reasons may name recordings or phrases."""


def without_names(decision: Decision, comparison: Comparison) -> Decision:
    """The decision with a mark in place of every recording's name, and of every phrase, in the reasons of its findings."""
    verdict = decision.ruling.verdict
    names = frozenset(_names(comparison))
    findings = tuple(_redacted(finding, names) for finding in verdict.findings)
    ruling = decision.ruling.model_copy(update={"verdict": verdict.model_copy(update={"findings": findings})})
    return decision.model_copy(update={"ruling": ruling})


def _names(comparison: Comparison) -> Iterator[str]:
    for side in (comparison.benchmark, comparison.candidate, comparison.base):
        if side is not None:
            card = side.scorecard
            for name in (*(one.id for one in card.utterances), *card.missing, *card.unexpected):
                yield name
                yield short(name)
    for phrase in comparison.phrases:
        yield phrase.text
        yield short(phrase.text)


def _redacted(finding: Finding, names: Collection[str]) -> Finding:
    if not finding.rule.startswith(_NAMING):
        return finding
    reason = finding.reason
    for name in sorted((name for name in names if name and name in reason), key=lambda name: (-len(name), name)):
        reason = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[…]", reason)
    return finding.model_copy(update={"reason": reason})
