"""One watcher for all waits of a client: a few jobs are asked for one by one, a crowd is looked at through lists.

A thousand waits cost some requests per round instead of a thousand. Nobody is looked at before the time that the
service named (Retry-After), except when a web hook tells that something happened: a notification is a hint, so the
job is looked at once, and what polling sees stays the truth. While nobody waits, nothing is asked.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from typing import Any, Generic, TypeVar

from speech_client.connection import Connection
from speech_client.entities import EntityReference, Job, last_part
from speech_client.errors import BadInput, SpeechError, TransientError
from speech_client.links import Which
from speech_client.polling import PAUSE, SHORTEST_PAUSE, Clock, OnPoll, Waiter
from speech_client.retries import Sleep
from speech_client.sweeping import Sight, Sweep, ask_each

E = TypeVar("E", bound=Job)

FEW = 3
"""So many jobs of a kind are asked for one by one, each at its own pace."""
MOST_CALLS = 10
"""So many notifications at once are answered one by one; for more, the lists are read."""
SECONDS_PER_REQUEST = 0.75
"""What a request of a sweep costs: at most 100 in any minute, for all kinds together."""

_log = logging.getLogger(__name__)


class Watcher:
    """Waits for any number of jobs of one resource."""

    def __init__(self, connection: Connection, *, clock: Clock, sleep: Sleep) -> None:
        self._connection, self._clock, self._sleep = connection, clock, sleep
        self._rooms: dict[type[Job], _Room[Any]] = {}
        self._budget = _Budget()

    async def wait(self, entity: E, *, patience: timedelta, on_poll: OnPoll[E] | None = None) -> E:
        """Return the entity as it is when its job has succeeded; see `SpeechClient.wait_until_final`."""
        waiter = Waiter(entity, patience, self._clock())
        if waiter.is_over:
            return await waiter.outcome(None)
        with self._room_of(type(entity)).joined(waiter):
            return await waiter.outcome(on_poll)

    def wake(self, which: Which) -> None:
        """Look at this job at once, if somebody waits for it."""
        job_id = which.id if isinstance(which, EntityReference) else last_part(which)
        for room in self._rooms.values():
            room.wake(job_id)

    def close(self) -> None:
        """End all waits with an error: there will be no more looks."""
        for room in self._rooms.values():
            room.close()

    def _room_of(self, kind: type[E]) -> _Room[E]:
        if kind not in self._rooms:
            self._rooms[kind] = _Room(self._connection, self._clock, self._sleep, self._budget)
        return self._rooms[kind]


class _Budget:
    """When the requests of earlier sweeps are paid for, and the next sweep may begin."""

    def __init__(self) -> None:
        self.free_at = -math.inf
        self.turn = asyncio.Lock()

    def spend(self, requests: int, now: float) -> None:
        self.free_at = max(self.free_at, now) + requests * SECONDS_PER_REQUEST


class _Room(Generic[E]):
    """Those who wait for jobs of one kind, and the one task that looks for them; there is one while somebody waits."""

    def __init__(self, connection: Connection, clock: Clock, sleep: Sleep, budget: _Budget) -> None:
        self._connection, self._clock, self._sleep, self._budget = connection, clock, sleep, budget
        self._waiters: dict[Waiter[E], None] = {}  # in the order of their coming
        self._lists_at = -math.inf
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def joined(self, waiter: Waiter[E]) -> Iterator[None]:
        """Look for this one too, until the context ends."""
        self._waiters[waiter] = None
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(), name="speech_client watcher")
        try:
            yield
        finally:
            self._waiters.pop(waiter, None)
            if not self._waiters and self._task:
                self._task.cancel()
                self._task = None

    def wake(self, job_id: str) -> None:
        """Plan a look at this job, at once if it was not called for lately."""
        for waiter in self._waiters:
            if waiter.id == job_id:
                waiter.call(self._clock())
                self._changed.set()

    def close(self) -> None:
        """End all waits."""
        self._end_all(BadInput("The client was closed while somebody waited for a job. Wait before you close it."))

    async def _watch(self) -> None:
        try:
            while self._waiters:
                await asyncio.sleep(0)  # who comes at the same moment is looked at together; who was told may read it
                self._give_up()
                if self._waiters:
                    await self._rest_or_look()
        except Exception as error:  # whatever it is, nobody may wait for ever
            self._end_all(error)

    async def _rest_or_look(self) -> None:
        if (pause := self._next_look() - self._clock()) > 0:
            await self._nap(pause)
        else:
            await self._look()

    @property
    def _is_crowd(self) -> bool:
        return len(self._waiters) > FEW and len({waiter.id for waiter in self._waiters}) > FEW

    def _round_at(self) -> float:
        """When a crowd is looked at."""
        return max(self._lists_at, self._budget.free_at, *(waiter.due for waiter in self._waiters))

    def _next_look(self) -> float:
        regular = self._round_at() if self._is_crowd else min(waiter.due for waiter in self._waiters)
        return min(regular, *(waiter.called_at for waiter in self._waiters))

    def _give_up(self) -> None:
        together = self._round_at() if self._is_crowd else None
        for waiter in self._waiters:
            waiter.end_if_later(waiter.due if together is None else together)
        self._let_go()

    async def _look(self) -> None:
        """Take the look that is due: at a crowd through lists, at a few or at those who were called for by themselves."""
        now = self._clock()
        called = [waiter for waiter in self._waiters if waiter.called_at <= now]
        if self._is_crowd and not 0 < len(called) <= MOST_CALLS:
            await self._sweep(called)
        else:
            due = [] if self._is_crowd else [waiter for waiter in self._waiters if waiter.due <= now]
            await self._ask(list(dict.fromkeys([*called, *due])), called)

    async def _sweep(self, called: list[Waiter[E]]) -> None:
        async with self._budget.turn:
            if self._budget.free_at > self._clock():  # another kind was quicker, or there are too many notifications
                for waiter in called:
                    waiter.called_at = self._budget.free_at
                return
            self._answer(called)
            waiters = sorted(self._waiters, key=lambda waiter: waiter.looked_at)
            sweep = Sweep(self._connection, {waiter.id: waiter.entity for waiter in waiters})
            await sweep.run()
            self._budget.spend(sweep.requests, self._clock())
        self._take(sweep, waiters)

    def _take(self, sweep: Sweep[E], waiters: list[Waiter[E]]) -> None:
        now = self._clock()
        self._lists_at = now + _pause(Sight(retry_after=sweep.retry_after, error=sweep.trouble))
        if sweep.trouble:
            _log.warning("%s Still waiting for %d jobs.", sweep.trouble, len(waiters))
        for waiter in waiters:
            _show(waiter, sweep.sights.get(waiter.id, Sight(error=sweep.trouble)), now)
            waiter.due = self._lists_at
        self._let_go()

    async def _ask(self, waiters: list[Waiter[E]], called: list[Waiter[E]]) -> None:
        self._answer(called)
        sights = await ask_each(self._connection, [waiter.entity for waiter in waiters])
        now, is_crowd = self._clock(), self._is_crowd
        for waiter in waiters:
            sight = sights[waiter.id]
            if isinstance(sight.error, TransientError):
                _log.warning("%s %s: %s Still waiting.", waiter.entity.collection, waiter.id, sight.error)
            _show(waiter, sight, now)
            if not is_crowd:  # else notifications could put off the round of all
                waiter.due = now + _pause(sight)
        self._let_go()

    def _answer(self, called: list[Waiter[E]]) -> None:
        for waiter in called:
            waiter.answer_call(self._clock())

    def _let_go(self) -> None:
        for waiter in [waiter for waiter in self._waiters if waiter.is_over]:
            del self._waiters[waiter]

    def _end_all(self, error: Exception) -> None:
        for waiter in self._waiters:
            waiter.end(copy(error) if isinstance(error, SpeechError) else error)
        self._waiters.clear()
        self._changed.set()

    async def _nap(self, seconds: float) -> None:
        """Sleep, until somebody comes or a notification does."""
        self._changed.clear()
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({sleeping, changed}, return_when=asyncio.FIRST_COMPLETED)
            if sleeping.done():
                sleeping.result()
        finally:
            sleeping.cancel()
            changed.cancel()


def _pause(sight: Sight[Any]) -> float:
    if sight.error:
        return max(PAUSE, sight.retry_after or getattr(sight.error, "retry_after", None) or 0.0)
    return PAUSE if sight.retry_after is None else max(SHORTEST_PAUSE, sight.retry_after)


def _show(waiter: Waiter[E], sight: Sight[E], now: float) -> None:
    if sight.job is not None:
        waiter.see(sight.job, now)
    elif isinstance(sight.error, TransientError):
        waiter.miss(sight.error, now)
    elif sight.error:
        waiter.end(sight.error)
