"""What it means to wait for a job: how long, how often, and how it ends. `watching` does it for many at once."""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import MappingProxyType
from typing import Generic, TypeAlias, TypeVar

from speech_client.entities import Job, Status
from speech_client.errors import JobFailed, JobTimedOut, TransientError

E = TypeVar("E", bound=Job)
Clock: TypeAlias = Callable[[], float]
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
LONGEST_CALL_PAUSE = 60.0
"""Seconds between two looks at one job because of notifications; they double up to here while nothing comes of them."""

_log = logging.getLogger(__name__)


def patience_for(entity: Job) -> timedelta:
    """Return how long a job of this kind may take."""
    return PATIENCE.get(entity.collection, DEFAULT_PATIENCE)


class Waiter(Generic[E]):
    """One caller who waits for one job, until it is final or `patience` is over. All times are in seconds of one clock.

    A moment without the service does not end the wait. An unknown status counts as not final.

    Args:
        entity: As last seen.
        patience: How long to wait.
        now: When the wait begins.
    """

    def __init__(self, entity: E, patience: timedelta, now: float) -> None:
        self.entity = entity
        self.id = entity.id
        self.due = now
        """Before this time nobody may look again."""
        self.looked_at = -math.inf
        self.called_at = math.inf
        """When to look because of a notification, without regard to `due`."""
        self._patience = patience
        self.deadline = now + patience.total_seconds()
        self._calls = 0
        self._deaf_until = -math.inf
        self._trouble: TransientError | None = None
        self._unread: E | None = None
        self._error: Exception | None = None
        self._news = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to look for."""
        return self.entity.is_final or self._error is not None

    def see(self, fresh: E, now: float) -> None:
        """Take what was seen of the job."""
        _log_change(self.entity, fresh)
        self.entity = self._unread = fresh
        self._trouble, self.looked_at = None, now
        self._news.set()

    def miss(self, trouble: TransientError, now: float) -> None:
        """Take it that the service could not be asked."""
        self._trouble, self.looked_at = trouble, now

    def end(self, error: Exception) -> None:
        """Let the caller have this error."""
        self._error = error
        self._news.set()

    def end_if_later(self, next_look: float) -> None:
        """Time out when the next look would come after the deadline; one look at least is taken."""
        if self.looked_at > -math.inf and min(next_look, self.called_at) > self.deadline:
            self.end(self._timed_out())

    def call(self, now: float) -> None:
        """Plan a look because of a notification; each that finds nothing new makes the next one wait twice as long."""
        self.called_at = min(self.called_at, max(now, self._deaf_until))

    def answer_call(self, now: float) -> None:
        """Note that the planned look is taken now."""
        self.called_at = math.inf
        self._deaf_until = now + min(2.0**self._calls, LONGEST_CALL_PAUSE)
        self._calls += 1

    async def outcome(self, on_poll: OnPoll[E] | None) -> E:
        """Return the job once it has succeeded.

        Raises:
            JobFailed: Azure says Failed.
            JobTimedOut: The job is not over when `patience` is; it may still succeed, so waiting again is fine.
        """
        while not (self.entity.is_final and self._unread is None):
            await self._news.wait()
            self._news.clear()
            seen, self._unread = self._unread, None
            if seen is not None and on_poll and inspect.isawaitable(told := on_poll(seen)):
                await told
            if self._error and self._unread is None:
                raise self._error
        if self.entity.status == Status.FAILED:
            raise JobFailed(self.entity)
        return self.entity

    def _timed_out(self) -> JobTimedOut:
        reason = f" The last look failed: {self._trouble}" if self._trouble else ""
        return JobTimedOut(
            self.entity,
            f"Waited up to {self._patience} for {self.entity.label} in {self.entity.collection}; it is still "
            f"{self.entity.status}. It may still succeed: wait again, or raise the patience.{reason}",
        )


def _log_change(before: Job, after: Job) -> None:
    if before.status == after.status:
        return
    known = isinstance(after.status, Status)
    note = "" if known else " (unknown to us; taken as not final)"
    level = logging.INFO if known else logging.WARNING
    _log.log(level, "%s %s: %s -> %s%s", after.collection, after.id, before.status, after.status, note)
