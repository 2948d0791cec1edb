"""The one way to wait for a job: at Azure's pace, with a deadline, on a clock that tests can replace."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Generic, TypeAlias, TypeVar

from speech_client.entities import Entity, Status
from speech_client.errors import JobFailed, JobTimedOut, TransientError
from speech_client.retries import Sleep

E = TypeVar("E", bound=Entity)
Clock: TypeAlias = Callable[[], float]
Reload: TypeAlias = Callable[[], Awaitable[tuple[E, float | None]]]
"""Asks once, and returns the entity with the seconds of Retry-After, if any."""
OnPoll: TypeAlias = Callable[[E], Awaitable[None] | None]

PATIENCE = MappingProxyType(
    {
        "datasets": timedelta(hours=6),
        "models": timedelta(days=7),  # Azure itself may give up training after a week
        "evaluations": timedelta(hours=24),
        "endpoints": timedelta(hours=2),  # up to 30 minutes, says Azure
        "transcriptions": timedelta(hours=25),  # up to 30 minutes to start and 24 hours to run
    }
)
"""How long we wait for a job of each kind. Source: the limits that Azure documents, rounded up."""

DEFAULT_PATIENCE = timedelta(hours=24)
PAUSE = 15.0
"""Seconds between two looks when the service names none: 100 requests per 10 s is its limit for all jobs together."""
SHORTEST_PAUSE = 0.2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Look(Generic[E]):
    entity: E
    pause: float
    trouble: TransientError | None = None


def patience_for(entity: Entity) -> timedelta:
    """Return how long a job of this kind may take."""
    return PATIENCE.get(entity.collection, DEFAULT_PATIENCE)


async def wait_until_final(
    entity: E,
    reload: Reload[E],
    *,
    patience: timedelta,
    clock: Clock,
    sleep: Sleep,
    on_poll: OnPoll[E] | None = None,
) -> E:
    """Return the entity as it is when its job has succeeded.

    A moment without the service does not end the wait. An unknown status counts as not final. The next look never
    comes before the time that the service named; if that is after the deadline, the wait ends now.

    Raises:
        JobFailed: Azure says Failed.
        JobTimedOut: The job is not over when `patience` is; it may still succeed, so waiting again is fine.
    """
    deadline = clock() + patience.total_seconds()
    while not entity.is_final:
        look = await _look_at(entity, reload, on_poll)
        _log_change(entity, look.entity)
        entity = look.entity
        if not entity.is_final:
            if clock() + look.pause > deadline:
                raise _timed_out(look, patience)
            await sleep(look.pause)
    if entity.status == Status.FAILED:
        raise JobFailed(entity)
    return entity


async def _look_at(entity: E, reload: Reload[E], on_poll: OnPoll[E] | None) -> _Look[E]:
    try:
        fresh, retry_after = await reload()
    except TransientError as error:
        _log.warning("%s %s: %s Still waiting.", entity.collection, entity.id, error)
        return _Look(entity, max(PAUSE, error.retry_after or 0.0), error)
    if on_poll and inspect.isawaitable(told := on_poll(fresh)):
        await told
    return _Look(fresh, PAUSE if retry_after is None else max(SHORTEST_PAUSE, retry_after))


def _timed_out(look: _Look[E], patience: timedelta) -> JobTimedOut:
    entity = look.entity
    reason = f" The last look failed: {look.trouble}" if look.trouble else ""
    return JobTimedOut(
        entity,
        f"Waited up to {patience} for {entity.display_name!r} in {entity.collection} ({entity.id}); it is still "
        f"{entity.status}. It may still succeed: wait again, or raise the patience.{reason}",
    )


def _log_change(before: Entity, after: Entity) -> None:
    if before.status == after.status:
        return
    known = isinstance(after.status, Status)
    note = "" if known else " (unknown to us; taken as not final)"
    level = logging.INFO if known else logging.WARNING
    _log.log(level, "%s %s: %s -> %s%s", after.collection, after.id, before.status, after.status, note)
