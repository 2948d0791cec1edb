"""Verdicts reached again from the vault alone: no service, no Prefect, no network."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from domain.comparison import Comparison
from domain.gate import check, decide
from domain.ledger import Entry, broken_link
from domain.mistakes import Mistake
from domain.policy import GatePolicy
from domain.replay import differences, same_bytes
from domain.ruling import Ruling
from domain.verdict import Override, Verdict, may_override, overridden
from tasks import evidence, vault
from tasks.ledger import Ledger
from tasks.store import Store
from tasks.verifying import parts_of, read_forgotten
from tasks.versions import changed_versions, versions_now

_NONE = "0" * 64


class Forgotten(Mistake):
    """What a verdict rests on was removed because a speaker asked for it, and the history says so."""


@dataclass(frozen=True, slots=True)
class Past:
    """A verdict of the past; `at` is None when no history tells of it."""

    digest: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """A verdict, then and now."""

    past: Past
    ruling: Ruling
    now: Verdict
    identical: bool
    """Whether today's verdict is the same JSON, byte by byte."""
    differences: tuple[str, ...]
    causes: tuple[str, ...]
    """What is another version now, or that nobody knows."""


async def replay(store: Store, past: Past, policy: GatePolicy | None = None) -> Replay:
    """Reach a verdict again, by its own policy or by another one.

    Raises:
        Forgotten: a part of the evidence was removed for a speaker.
        Mistake: a part of the evidence is not there, or has been changed.
    """
    ruling = await vault.read_ruling(store, past.digest)
    if not ruling.comparison:
        raise Mistake(
            f"the verdict {past.digest[:12]}… was made before speechops kept all that a verdict rests on. "
            "Only later ones can be replayed."
        )
    comparison = await comparison_of(store, ruling)
    now = (check if ruling.measures_only else decide)(comparison, policy or ruling.subject.track.gate)
    if policy is None:
        now = _with_word(now, ruling.verdict.override)
    then = json.loads(await evidence.recall(store, past.digest, vault.RULING))["verdict"]
    return Replay(
        past, ruling, now, same_bytes(then, now), differences(then, now), await _causes(store, past.digest, now)
    )


async def comparison_of(store: Store, ruling: Ruling) -> Comparison:
    """The whole input of a verdict.

    Raises:
        Forgotten: a part of it was removed for a speaker.
        Mistake: a part of it is not there, or has been changed.
    """
    try:
        return await vault.read_comparison(store, ruling.comparison)
    except Mistake:
        forgotten = await read_forgotten(store)
        parts = await parts_of(store, ruling.comparison)
        resting = (ruling.comparison, ruling.measurement, *sorted(parts))
        told = next((forgotten[key] for key in (f"evidence/{one}" for one in resting) if key in forgotten), None)
        if told is None:
            raise
        raise Forgotten(f"its evidence was {told}") from None


def _with_word(verdict: Verdict, override: Override | None) -> Verdict:
    """A person's word stays what it was."""
    allowed = override is not None and may_override(verdict, override.reason)
    return overridden(verdict, override) if override and allowed else verdict


async def _causes(store: Store, digest: str, now: Verdict) -> tuple[str, ...]:
    versions = await vault.read_versions(store, digest)
    if versions is None:
        return ("the versions of then were not kept",)
    return changed_versions(versions, versions_now(now.normaliser))


async def find_verdict(store: Store, digest: str) -> Past:
    """The verdict whose digest begins like this.

    Raises:
        Mistake: none does, or several do.
    """
    if not re.fullmatch("[0-9a-f]{4,64}", digest):
        raise Mistake(
            f"{digest[:80]!a} is not the digest of a verdict. Give its first digits, four at least, as a report shows them."
        )
    keys = await store.keys(f"evidence/{digest}")
    found = sorted({key.split("/")[1] for key in keys if key.endswith(f"/{vault.RULING}")})
    if len(found) == 1:
        return next((past for past in await past_verdicts(store) if past.digest == found[0]), Past(found[0]))
    if found:
        raise Mistake(f"{len(found)} verdicts begin with {digest}. Give more digits.")
    raise Mistake(f"the store {store} has no verdict {digest}. Correct the digest, or name the store with --store.")


async def past_verdicts(store: Store, track: str | None = None) -> list[Past]:
    """Every verdict that the history of a track, or of all tracks, tells of: oldest first, each once.

    Raises:
        Mistake: there is no such track, or its history has been changed.
    """
    tracks = [key.split("/")[1] for key in await store.keys("tracks/") if key.endswith("/state.json")]
    if track is not None and track not in tracks:
        raise Mistake(f"the store {store} has no track '{track}' (known: {', '.join(tracks) or 'none'}).")
    entries = [entry for name in tracks if track in (None, name) for entry in await _history(store, name)]
    first: dict[str, Past] = {}
    for past in _verdicts(entries):
        first.setdefault(past.digest, past)
    return list(first.values())


async def _history(store: Store, track: str) -> list[Entry]:
    entries = await Ledger(store, track).history()
    if (number := broken_link(entries)) is not None:
        raise _changed(track, f"entry {number} does not follow from the one before")
    if any(not _is_digest(entry.facts.get("ruling", _NONE)) for entry in entries):
        raise _changed(track, "an entry names a verdict that cannot be one")
    return entries


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _changed(track: str, how: str) -> Mistake:
    return Mistake(
        f"the history of track '{track}' has been changed: {how}. Bring the store back from a backup; do not trust it."
    )


def _verdicts(entries: list[Entry]) -> Iterator[Past]:
    for entry in sorted(entries, key=lambda entry: entry.at):
        if "ruling" in entry.facts:
            yield Past(entry.facts["ruling"], entry.at)
