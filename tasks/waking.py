"""A finished job wakes its waiter: a wait ends with the Speech service's web hook, not with the next look.

The receiver tells Prefect of such web hooks by an event, and who waits in a run listens to Prefect's events. What is
heard is a hint to look at once. Polling stays the truth and goes on whatever becomes of the hints: a server without
web sockets, a proxy in between, or nobody who registered a web hook costs nothing but the hints.
"""

import asyncio
from asyncio import AbstractEventLoop
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Final, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from prefect.events import Event
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_API_URL

from speech_client import Job, SpeechClient
from speech_client.polling import OnPoll
from tasks.orchestrator import Sleep

E = TypeVar("E", bound=Job)

JOB_CHANGED: Final = "speechops.job.changed"
"""A job of the Speech service. Payload: `entity` (such as `models/<id>`), `event` and `delivery`."""

QUIET_SECONDS = 10.0
"""A shorter wait is not worth a connection: the next look is as near."""

_AGAIN_SECONDS: Final = 45.0
"""After a lost connection. Prefect repeats the last minute's events to whoever comes, so that nothing is missed between."""
_CLOSING_SECONDS: Final = 1.0
"""So long a wait that is over lets its connection say goodbye."""

Events: TypeAlias = AbstractAsyncContextManager[AsyncIterator[Event]]


async def wait_until_final(
    client: SpeechClient, entity: E, *, patience: timedelta, on_poll: OnPoll[E] | None = None
) -> E:
    """Wait for a job as `SpeechClient.wait_until_final` does, and look at once when a web hook tells of it.

    Raises:
        JobFailed, JobTimedOut: the job did not succeed.
    """
    listener = _LISTENERS.setdefault(asyncio.get_running_loop(), Listener())
    async with listener.waking(client, entity):
        return await client.wait_until_final(entity, patience=patience, on_poll=on_poll)


@asynccontextmanager
async def _prefect_events() -> AsyncIterator[AsyncIterator[Event]]:
    wanted = EventFilter(event=EventNameFilter(name=[JOB_CHANGED]), occurred=EventOccurredFilter())
    async with get_events_subscriber(wanted, reconnection_attempts=0) as events:
        yield events


class Listener:
    """Those of one event loop who wait for jobs, and the one subscription that they share while there are any."""

    def __init__(
        self,
        subscribe: Callable[[], Events] = _prefect_events,
        *,
        quiet_seconds: float | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Nothing is asked of the server yet.

        Args:
            subscribe: opens the stream of events.
            quiet_seconds: how long somebody must have waited before it is opened; `QUIET_SECONDS` without it.
            sleep: for tests.
        """
        self._subscribe = subscribe
        self._quiet_seconds = quiet_seconds
        self._sleep = sleep
        self._waits: Counter[tuple[SpeechClient, str]] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._has_told = False

    @asynccontextmanager
    async def waking(self, client: SpeechClient, entity: Job) -> AsyncIterator[None]:
        """Wake this client's wait for this job, until the context ends; the last one out closes the subscription."""
        wait = client, entity.id
        self._waits[wait] += 1
        if self._task is None and PREFECT_API_URL.value():
            self._task = asyncio.create_task(self._listen(), name="speechops listens for finished jobs")
        try:
            yield
        finally:
            self._waits[wait] -= 1
            if not self._waits[wait]:
                del self._waits[wait]
            if not self._waits:
                await self._close()

    async def _close(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task], timeout=_CLOSING_SECONDS)

    async def _listen(self) -> None:
        await self._sleep(QUIET_SECONDS if self._quiet_seconds is None else self._quiet_seconds)
        while True:
            try:
                await self._follow()
            except Exception as error:  # whatever it is, it is only a hint that is lost
                self._tell_once(error)
            await self._sleep(_AGAIN_SECONDS)

    async def _follow(self) -> None:
        async with self._subscribe() as events:
            for client, job in list(self._waits):  # what was told just before is not in Prefect's memory yet
                client.notice(job)
            async for event in events:
                self._wake(event.payload.get("entity"))

    def _wake(self, entity: object) -> None:
        for client in {client for client, _ in self._waits}:
            client.notice(str(entity))

    def _tell_once(self, error: Exception) -> None:
        if not self._has_told:
            self._has_told = True
            get_run_logger().info(
                "Prefect's events cannot be followed (%s): until they can, a wait ends with the next look, as without web hooks",
                type(error).__name__,
            )


_LISTENERS: WeakKeyDictionary[AbstractEventLoop, Listener] = WeakKeyDictionary()
