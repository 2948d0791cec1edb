"""How many jobs of one kind are looked at with few requests: by lists, and one by one where a list leaves doubt.

Azure's lists have no documented order, may lag, and skip entities when others vanish between two pages. So what a list
shows counts unless it is older than what we know, and what it does not show is asked for by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from speech_client.connection import Connection
from speech_client.entities import Entity, Job, Status
from speech_client.errors import SignInFailed, SpeechError, TransientError, Unauthorized
from speech_client.filters import F, Filter
from speech_client.links import id_of
from speech_client.paging import page_by_page

E = TypeVar("E", bound=Job)

PAGE = 100
MOST_PAGES = 30
"""Of each list, for it also holds the jobs of others."""
MOST_GETS = 20
"""Per sweep; who is left over comes first in the next one."""
FINAL = (F.status == Status.SUCCEEDED.value) | (F.status == Status.FAILED.value)

_RESTARTABLE = frozenset({"endpoints"})
"""Kinds that are not final for ever: a changed endpoint runs again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sight(Generic[E]):
    """What one look at a job brought: the job as it stands, or the error; Retry-After in seconds."""

    job: E | None = None
    retry_after: float | None = None
    error: SpeechError | None = None


async def ask(connection: Connection, job: E) -> Sight[E]:
    """Look at one job by itself."""
    try:
        answer = await connection.get(f"{job.collection}/{id_of(job)}")
        return Sight(answer.parse(type(job)), answer.retry_after)
    except SpeechError as error:
        return Sight(error=error, retry_after=error.retry_after if isinstance(error, TransientError) else None)


async def ask_each(connection: Connection, jobs: Iterable[E]) -> dict[str, Sight[E]]:
    """Look at each job by itself; by its id, what was seen."""
    asked = {job.id: job for job in jobs}
    sights = await asyncio.gather(*(ask(connection, job) for job in asked.values()))
    return dict(zip(asked, sights, strict=True))


@dataclass(slots=True)
class Sweep(Generic[E]):
    """One look at many jobs of one kind. `known` is what was last seen of each by id, the least recently seen first."""

    connection: Connection
    known: Mapping[str, E]
    sights: dict[str, Sight[E]] = field(default_factory=dict)
    requests: int = 0
    retry_after: float | None = None
    trouble: TransientError | None = None

    async def run(self) -> None:
        """Fill `sights`; what is missing there afterwards was not looked at, because of `trouble` or for lack of turns.

        Raises:
            Unauthorized, SignInFailed: We may not ask at all.
        """
        try:
            await self._read_lists()
        except TransientError as error:
            self.trouble = error
            return
        await self._ask_for_the_rest()

    async def _read_lists(self) -> None:
        kind = type(next(iter(self.known.values())))
        if not issubclass(kind, Entity):
            return  # an operation is in no list
        try:
            await self._read(kind, ~FINAL)
            since = [job.last_action_date_time or job.created_date_time for job in self._missing()]
            dated = [moment for moment in since if moment]
            if len(since) > MOST_GETS and dated:  # many are over at once; their last action is what we wait for
                await self._read(kind, FINAL & (F.last_action_date_time >= min(dated)))
        except (TransientError, Unauthorized, SignInFailed):
            raise
        except SpeechError as error:
            _log.warning("%s cannot be listed (%s) Asking for one after the other.", kind.collection, error)

    async def _read(self, kind: type[E], condition: Filter) -> None:
        params = {"filter": str(condition), "top": str(PAGE)}
        pages = page_by_page(self.connection, kind.collection, kind, params)
        before = self.requests
        async for page, retry_after in pages:
            self._count(retry_after)
            for job in page.values:
                self._note(job)
            if not self._missing() or self.requests - before == MOST_PAGES:
                return

    def _note(self, fresh: E) -> None:
        known = self.known.get(fresh.id)
        if known is None:
            return
        if not _is_stale(fresh, known):
            self.sights[known.id] = Sight(fresh)
        elif not fresh.is_final:
            self.sights[known.id] = Sight(known)

    async def _ask_for_the_rest(self) -> None:
        asked = await ask_each(self.connection, self._missing()[:MOST_GETS])
        for sight in asked.values():
            self._count(sight.retry_after)
        self.sights |= asked

    def _count(self, retry_after: float | None) -> None:
        self.requests += 1
        self.retry_after = max((time for time in (self.retry_after, retry_after) if time is not None), default=None)

    def _missing(self) -> list[E]:
        return [job for name, job in self.known.items() if name not in self.sights]


def _is_stale(fresh: Job, known: Job) -> bool:
    """Whether a list shows what was before `known`: `last_action_date_time` (whole seconds) is when a status began."""
    if fresh.last_action_date_time is None or known.last_action_date_time is None:
        return fresh.is_final and fresh.collection in _RESTARTABLE
    if fresh.is_final and fresh.collection in _RESTARTABLE:
        return fresh.last_action_date_time <= known.last_action_date_time
    return fresh.last_action_date_time < known.last_action_date_time
