"""Clients that outlive one call: one for each event loop, closed when that loop ends."""

import asyncio
import atexit
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Hashable
from contextlib import AbstractAsyncContextManager, suppress
from contextvars import Context
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_PATIENCE: Final = 5
"""Seconds for closing a connection when the process ends."""


class PerLoop(Generic[K, V]):
    """Opens a context once per event loop and key, and keeps it open until the loop ends.

    A store has no `close`: tasks load it, use it and forget it. A task of its own keeps the context open instead.
    `asyncio.run` cancels the tasks that are left before it closes its loop, and with that the context is closed. Loops that
    nobody ends, such as Prefect's in a thread of its own, are tidied up when the process ends.
    """

    def __init__(self, opened: Callable[[K], AbstractAsyncContextManager[V]]) -> None:
        self._opened = opened
        self._kept: dict[tuple[AbstractEventLoop, K], tuple[Future[V], asyncio.Task[None]]] = {}
        atexit.register(self.close)

    async def get(self, key: K) -> V:
        """What the context gave when it was opened in the running loop; what hindered it is raised to whoever waits."""
        loop = asyncio.get_running_loop()
        if (loop, key) not in self._kept:
            ready: Future[V] = loop.create_future()
            keeper = loop.create_task(self._keep(loop, key, ready), context=Context())
            self._kept[loop, key] = ready, keeper
        return await asyncio.shield(self._kept[loop, key][0])

    def close(self) -> None:
        """Close what is open in the loops of other threads."""
        for (loop, _), (_, keeper) in list(self._kept.items()):
            if loop.is_running():
                with suppress(TimeoutError):
                    asyncio.run_coroutine_threadsafe(_end(keeper), loop).result(_PATIENCE)

    async def _keep(self, loop: AbstractEventLoop, key: K, ready: "Future[V]") -> None:
        try:
            async with self._opened(key) as value:
                ready.set_result(value)
                await asyncio.Event().wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)
        finally:
            ready.cancel()
            del self._kept[loop, key]


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
