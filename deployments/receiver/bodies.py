"""Reading bodies before anybody knows who sent them: piece by piece, each with a limit, and all together with another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect

from deployments.receiver.hook import MEGABYTE

PATIENCE_SECONDS = 30
"""How long a sender may take to send a body."""


class BodyTooLarge(Exception):
    """No sender sends so much."""


class BodyUnavailable(Exception):
    """It did not arrive in time, or too much is being read already; it may be sent again."""


class Bodies:
    """The bodies of all requests that are being answered."""

    def __init__(self, most_held: int = 128 * MEGABYTE) -> None:
        self._most_held = most_held
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """The body, which takes up room until it is left.

        Raises:
            BodyTooLarge: it has more than `most` bytes.
            BodyUnavailable: it did not come, or there is no room for it now.
        """
        body = bytearray()
        try:
            await self._fill(body, request, most)
            yield bytes(body)
        finally:
            self._held -= len(body)

    async def _fill(self, body: bytearray, request: Request, most: int) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                async for piece in request.stream():
                    body += piece
                    self._held += len(piece)
                    self._check(len(body), most)
        except (TimeoutError, ClientDisconnect):
            raise BodyUnavailable("the body did not arrive in time") from None

    def _check(self, size: int, most: int) -> None:
        if size > most:
            raise BodyTooLarge(f"the body has more than {most} bytes")
        if self._held > self._most_held:
            raise BodyUnavailable("too much is being received at once")
