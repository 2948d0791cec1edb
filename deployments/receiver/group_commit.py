"""Many requests, one transaction: while the disk writes, those that come meanwhile gather for the next one."""

import asyncio
from collections.abc import Sequence

from deployments.receiver.outbox import Outbox, OutboxUnavailable, Stored, Told

MOST_TOGETHER = 100
MOST_WAITING = 256
"""So that a disk that hangs holds no more connections than others leave free; whoever is one too many comes again."""

PATIENCE_SECONDS = 8.0
"""How long one waits for its turn and for the disk; senders wait for 10 seconds (GitHub, GitLab) or more."""


class GroupCommit:
    """Stores what requests tell. Each is answered only after the transaction that holds it is on the disk."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._waiting: list[tuple[Told, asyncio.Future[Stored]]] = []
        self._storing: asyncio.Task[None] | None = None

    async def store(self, told: Told) -> Stored:
        """Keep what one request told, all or nothing.

        Raises:
            OutboxUnavailable: it cannot be said that it was kept; if it was, it is known when it comes again.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise OutboxUnavailable("too many wait for it")
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting.append((told, future))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all())
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await future
        except TimeoutError:
            raise OutboxUnavailable("too many wait for it") from None

    async def _store_all(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            asked = [(told, future) for told, future in together if not future.done()]  # whoever gave up comes again
            for (_, future), stored in zip(asked, await self._stored([told for told, _ in asked]), strict=True):
                if future.done():
                    continue
                if isinstance(stored, Exception):
                    future.set_exception(stored)
                else:
                    future.set_result(stored)

    async def _stored(self, requests: Sequence[Told]) -> Sequence[Stored | Exception]:
        try:
            return await asyncio.to_thread(self._outbox.store_all, requests)
        except Exception as error:
            return [error] * len(requests)
