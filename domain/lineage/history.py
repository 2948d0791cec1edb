"""A track's ledger as people read it: one line per entry, and the WER over time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from domain.ledger import Entry, Release, State

LIVE_KINDS: Final = ("release", "rollback")
"""Kinds of entries after which another model is live."""

_RATES: Final = {"training-update": "candidate_wer", "testing-update": "benchmark_wer"}
_NAMES: Final = ("by", "approver", "decided_by")
_MOST: Final = 300
"""Characters of one fact in a line."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Record):
    """One entry of the history; what it does not tell is empty."""

    number: int
    at: datetime
    kind: str
    what: str
    """For people: what came of it."""
    model: str = ""
    version: str = ""
    wer: float | None = None
    """As a fraction, on the testing data of that time."""
    words: int | None = None
    testing: str = ""
    """Content hash of the testing data."""
    outcome: str = ""
    revision: str = ""
    flow_run: str = ""
    by: str = ""
    ruling: str = ""
    """Digest of the evidence."""


class Lines(_Record):
    """The answer of `speechops history`."""

    track: str
    entries: int
    """How many there are in all."""
    lines: tuple[Line, ...]
    """The newest last."""


class Mark(_Record):
    """A point in the chart of the WER over time."""

    at: datetime
    wer: float
    kind: str
    """`measured` (of what is live, or the benchmark), `release`, `rollback`, or `refused`."""
    label: str = ""
    """Version of a release."""
    testing: str = ""


def lines_of(entries: Sequence[Entry], state: State) -> tuple[Line, ...]:
    """The history, oldest first.

    Args:
        entries: of the ledger, oldest first.
        state: the head, which knows the releases.
    """
    releases = releases_of(state)
    rates = {str(one.facts.get("ruling")): one.facts for one in entries if one.kind in _RATES}
    counted, lines = 0, []
    for entry in entries:
        counted += entry.kind in LIVE_KINDS
        release = releases.get(counted) if entry.kind in LIVE_KINDS else None
        lines.append(_line(entry, release, rates))
    return tuple(lines)


def releases_of(state: State) -> dict[int, Release]:
    """All releases that the head knows, by number."""
    known = [*([state.release] if state.release else []), *state.previous_releases]
    return {release.number: release for release in known}


def _line(entry: Entry, release: Release | None, rates: Mapping[str, Mapping[str, Any]]) -> Line:
    facts, ruling = entry.facts, _text(entry.facts.get("ruling"))
    measured = {**rates.get(ruling, {}), **facts} if release else facts
    wer = facts.get(_RATES.get(entry.kind, "wer"))
    if wer is None and release:
        wer = release.wer if release.wer is not None else measured.get("candidate_wer")
    return Line(
        number=entry.number,
        at=entry.at,
        kind=entry.kind,
        what=_what(entry, release),
        model=_text(facts.get("model") or facts.get("candidate")) or (release.model_name if release else ""),
        version=_text(facts.get("version")) or (release.version if release else ""),
        wer=wer if isinstance(wer, int | float) else None,
        words=measured.get("words") if isinstance(measured.get("words"), int) else None,
        testing=_text(measured.get("testing")),
        outcome=_text(facts.get("outcome")),
        revision=entry.revision,
        flow_run=entry.flow_run,
        by=next((_text(facts[name]) for name in _NAMES if facts.get(name)), ""),
        ruling=ruling,
    )


def _text(value: object) -> str:
    return value[:_MOST] if isinstance(value, str) else ""


def _what(entry: Entry, release: Release | None) -> str:
    facts = entry.facts
    why = _text(facts.get("reason")) or _text(facts.get("why")) or (release.reason if release else "")
    told = {
        "testing-update": "benchmark measured",
        "training-update": f"candidate judged: {_text(facts.get('outcome'))}",
        "release-started": "release begun",
        "release": f"release {release.number} is live" if release else "released",
        "release-failed": "release failed, taken back",
        "rollback-started": "rollback begun",
        "rollback": f"rolled back: release {release.number} is live" if release else "rolled back",
        "rollback-failed": "rollback failed",
        "approval": f"approval: {_text(facts.get('decision')) or 'asked for'}",
        "retention": f"removed from the Speech service: {_removed(facts)}",
        "watch": _counted("looked after the live model, findings", facts.get("findings")),
        "promotion": f"promoted to {_text(facts.get('target')) or 'another resource'}",
        "begun-anew": _begun_anew(facts),
        "forget": _counted("a speaker's data removed, recordings", facts.get("recordings")),
    }.get(entry.kind, entry.kind)
    return f"{told}: {why}" if why else told


def _begun_anew(facts: Mapping[str, Any]) -> str:
    return f"gone on after entry {facts.get('ended_with')}, although it had reached {facts.get('had_reached')}"


def _removed(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{len(names)} {kind}" for kind, names in facts.items() if isinstance(names, list)) or "nothing"


def _counted(what: str, value: object) -> str:
    number = len(value) if isinstance(value, list | tuple | dict) else value
    return f"{what}: {number}" if isinstance(number, int) and not isinstance(number, bool) else what


def marks_of(lines: Iterable[Line]) -> tuple[Mark, ...]:
    """The points of the chart: what was measured, what went live, what was refused; oldest first.

    A verdict whose model went live is one point, where it went live.
    """
    known = tuple(lines)
    released = {line.ruling for line in known if line.kind in LIVE_KINDS}
    return tuple(_marks(known, released))


def _marks(lines: Iterable[Line], released: set[str]) -> Iterator[Mark]:
    for line in lines:
        if line.wer is None or (line.kind == "training-update" and line.ruling in released):
            continue
        kind = {"training-update": "refused", "testing-update": "measured", "watch": "measured"}.get(
            line.kind, line.kind
        )
        if kind in ("measured", "refused", *LIVE_KINDS):
            yield Mark(at=line.at, wer=line.wer, kind=kind, label=line.version, testing=line.testing)
