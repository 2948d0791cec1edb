"""`speechops replay`: verdicts of the past, reached again from the store alone."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.plain_files import read_policy
from domain.mistakes import Mistake
from domain.policy import GatePolicy
from tasks.replays import Forgotten, Past, find_verdict, past_verdicts, replay
from tasks.store import LocalFolder, Store

_DIGITS = 8
"""Of a digest: enough to name a verdict."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Replayed(_Result):
    """One verdict, then and now."""

    verdict: str
    """Digest."""
    at: datetime | None = None
    track: str = ""
    revision: str = ""
    candidate: str = ""
    then: str = ""
    now: str = ""
    reasons: tuple[str, ...] = ()
    """Of today's outcome."""
    identical: bool = False
    """Whether both are the same JSON, byte by byte."""
    differences: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    """What is another version now."""
    problem: str = ""
    """Why it cannot be replayed."""
    forgotten: str = ""
    """By which entry of the history its evidence was removed for a speaker; then it cannot be replayed either."""


class Replays(_Result):
    """The answer of `speechops replay`."""

    policy: str | None
    """Fingerprint of the policy that was asked about; None for each verdict's own."""
    verdicts: tuple[Replayed, ...]

    @property
    def exit_code(self) -> int:
        """1 when a verdict cannot be replayed, 4 when one differs by its own policy, else 0."""
        if any(one.problem for one in self.verdicts):
            return 1
        differs = any(not one.identical and not one.forgotten for one in self.verdicts)
        return 4 if self.policy is None and differs else 0


async def replay_verdicts(verdict: str, track: str, everything: bool, store: Path, policy_file: Path | None) -> Replays:
    """Replay one verdict, those of a track, or all of the store.

    Args:
        verdict: the first digits of a digest; empty for many.
        track: a track's name, for its verdicts; empty for those of every track.
        everything: whether all are asked for.
        store: the folder.
        policy_file: a policy to judge by instead of each verdict's own.

    Raises:
        Mistake: nothing to replay, or what one verdict rests on is missing or was changed.
    """
    folder = LocalFolder(store)
    policy = read_policy(policy_file)[0] if policy_file else None
    if bool(verdict) == (everything or bool(track)):
        raise Mistake("name one verdict by its digest, or ask for many with --all or --track.")
    try:
        shown = await (_one(folder, verdict, policy) if verdict else _many(folder, track, policy))
    except OSError as error:
        raise Mistake(f"the store {folder} cannot be read ({error.strerror}). Correct --store.") from None
    return Replays(policy=policy.fingerprint if policy else None, verdicts=shown)


async def _one(store: Store, verdict: str, policy: GatePolicy | None) -> tuple[Replayed, ...]:
    return (await _replayed(store, await find_verdict(store, verdict.lower()), policy),)


async def _many(store: Store, track: str, policy: GatePolicy | None) -> tuple[Replayed, ...]:
    shown = [await _attempted(store, past, policy) for past in await past_verdicts(store, track or None)]
    if not shown:
        raise Mistake(f"the store {store} tells of no verdict. Name the store with --store.")
    return tuple(shown)


async def _attempted(store: Store, past: Past, policy: GatePolicy | None) -> Replayed:
    """One of many: what cannot be replayed is told among the others."""
    try:
        return await _replayed(store, past, policy)
    except Forgotten as told:
        return Replayed(verdict=past.digest, at=past.at, forgotten=str(told))
    except Mistake as mistake:
        return Replayed(verdict=past.digest, at=past.at, problem=str(mistake))


async def _replayed(store: Store, past: Past, policy: GatePolicy | None) -> Replayed:
    done = await replay(store, past, policy)
    subject, then = done.ruling.subject, done.ruling.verdict
    return Replayed(
        verdict=past.digest,
        at=past.at,
        track=subject.track.name,
        revision=subject.revision,
        candidate=then.candidate,
        then=then.outcome.value,
        now=done.now.outcome.value,
        reasons=done.now.reasons,
        identical=done.identical,
        differences=done.differences,
        causes=done.causes,
    )


def show_replays(result: Replays, console: Console) -> None:
    """What people read: a table, then what differs."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("verdict", "when", "revision", "candidate", "then", "now"):
        table.add_column(column, overflow="fold", no_wrap=column not in ("revision", "candidate"))
    for one in result.verdicts:
        when = f"{one.at:%Y-%m-%d}" if one.at else "–"
        cells = (one.verdict[:_DIGITS], when, one.revision, one.candidate, one.then, one.now)
        table.add_row(*map(Text, cells))
    console.print(table)
    for line in _told(result):
        console.print(Text(line))


def _told(result: Replays) -> Iterator[str]:
    many, asked = result.verdicts, result.policy is not None
    for one in many:
        if one.forgotten:
            yield f"{one.verdict[:_DIGITS]} cannot be replayed: {one.forgotten}"
        elif one.problem:
            yield f"{one.verdict[:_DIGITS]} cannot be replayed: {one.problem}"
        elif asked and one.then != one.now:
            yield f"{one.verdict[:_DIGITS]} would be {one.now}: {'; '.join(one.reasons)}"
        elif not asked and not one.identical:
            yield from _differing(one)
    if asked:
        yield f"{sum(one.then != one.now for one in many)} of {len(many)} would have come to another outcome"
    else:
        yield f"{sum(one.identical for one in many)} of {len(many)} identical, byte by byte"


def _differing(one: Replayed) -> Iterator[str]:
    yield f"{one.verdict[:_DIGITS]} differs:"
    yield from (f"  {line}" for line in one.differences)
    yield from (f"  version: {line}" for line in one.causes)
    if not one.causes:
        yield "  versions: all the same, so this verdict does not follow from its evidence"
