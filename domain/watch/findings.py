"""What a watch found about a live model, and what to do about it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.watch.drift import Drift
from domain.watch.expiry import Ending

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""From what wakes somebody to what can wait."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Finding(_Record):
    """One thing that somebody should know: without what people said, for it goes into events and notifications."""

    kind: str
    """Such as `silent-fallback`."""
    severity: Severity
    title: str
    """One line, with the track's name."""
    detail: str
    """What was seen, with figures."""
    what_to_do: str
    """With the command to type, where there is one."""
    facts: dict[str, Any] = {}
    key: str = ""
    """What makes it the same finding on another day; left empty, its kind."""
    since: datetime | None = None
    """When a watch saw it first; filled in by `told_before`."""
    new: bool = True
    """Whether the watch before had not seen it, or not as bad."""

    @property
    def identity(self) -> str:
        """Findings with the same one are the same finding, seen again."""
        return self.key or self.kind


class Look(_Record):
    """One thing that the watch looked at, and in one line what it saw, or why it could not look."""

    name: str
    told: str


class Part(Look):
    """A look with all that came of it."""

    findings: tuple[Finding, ...] = ()
    drifts: tuple[Drift, ...] = ()
    expiry: tuple[Ending, ...] = ()
    evidence: str = ""
    """Digest of the evaluation's bundle."""


class WatchReport(_Record):
    """The result of a watch, kept as `tracks/<track>/watch.json`: what is known of the live model today."""

    track: str
    at: datetime
    flow_run: str = ""
    revision: str = ""
    model: str = ""
    """Display name of the live model; empty while nothing is live."""
    looks: tuple[Look, ...] = ()
    findings: tuple[Finding, ...] = ()
    """The worst first."""
    drifts: tuple[Drift, ...] = ()
    """The live model's WER now, beside what is on record."""
    expiry: tuple[Ending, ...] = ()
    """When the models that matter end, the nearest first."""
    testing_hash: str = ""
    rolled_back_to: str = ""
    """The release that this watch went back to, by policy."""

    @property
    def worst(self) -> Severity | None:
        """The worst severity; None when there is no finding."""
        return min((one.severity for one in self.findings), key=SEVERITIES.index, default=None)


def told_before(findings: Iterable[Finding], last: WatchReport | None, now: datetime) -> tuple[Finding, ...]:
    """The findings, the worst first, each with whether it is new, or worse than it was, and since when it is known.

    >>> gone = Finding(kind="endpoint-gone", severity="critical", title="", detail="", what_to_do="")
    >>> first = told_before([gone], None, datetime(2026, 11, 21))
    >>> seen = WatchReport(track="taxi", at=datetime(2026, 11, 21), findings=first)
    >>> [(one.new, one.since.day) for one in told_before([gone], seen, datetime(2026, 11, 22))]
    [(False, 21)]
    """
    known = {one.identity: one for one in last.findings} if last else {}

    def marked(finding: Finding) -> Finding:
        seen = known.get(finding.identity)
        worse = seen is not None and SEVERITIES.index(finding.severity) < SEVERITIES.index(seen.severity)
        since = (seen.since if seen else None) or now
        return finding.model_copy(update={"new": seen is None or worse, "since": since})

    ranked = sorted(findings, key=lambda one: SEVERITIES.index(one.severity))
    return tuple(map(marked, ranked))


def unchecked(track: str, part: str, reason: str, again: str) -> Finding:
    """What could not be looked at is a finding itself: silence must not pass for health.

    Args:
        track: the track's name.
        part: what was to be looked at.
        reason: why that was not possible; without what people said.
        again: the command that watches again.
    """
    return Finding(
        kind="unchecked",
        key=f"unchecked:{part}",
        severity="warning",
        title=f"{track}: {part} could not be checked",
        detail=reason,
        what_to_do=f"Mend what the reason says, then watch again: {again}",
        facts={"part": part},
    )
