"""Reading bodies before anybody knows who sent them: piece by piece, each with a limit, and all together with another.

A body goes through the hashes as it comes, and only its beginning stays in memory.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hmac import HMAC

from fastapi import Request
from starlette.requests import ClientDisconnect

from deployments.receiver.hook import MEGABYTE, Body, Hook

PATIENCE_SECONDS = 20
"""How long a sender may take to send a body."""


class BodyTooLarge(Exception):
    """No sender sends so much."""


class BodyUnavailable(Exception):
    """It did not arrive in time, or too much is being read already; it may be sent again."""


@dataclass(slots=True, eq=False)
class _Reading:
    """A body that is still coming."""

    deadline: asyncio.Timeout
    kept: bytearray = field(default_factory=bytearray)
    size: int = 0
    is_dropped: bool = False


class Bodies:
    """The bodies of all requests that are being answered."""

    def __init__(self, most_held: int = 128 * MEGABYTE) -> None:
        self._most_held = most_held
        self._held = 0
        self._coming: set[_Reading] = set()

    @asynccontextmanager
    async def read(self, request: Request, hook: Hook) -> AsyncIterator[Body]:
        """The body, which takes up room until it is left.

        Raises:
            BodyTooLarge: it has more bytes than the hook takes.
            BodyUnavailable: it did not come, or there was no room for it.
        """
        if (
            int(request.headers.get("Content-Length", 0)) > hook.most_bytes
        ):  # the server has checked that it is a number
            raise _too_large(hook)
        reading = _Reading(asyncio.timeout(PATIENCE_SECONDS))
        try:
            yield await self._read(reading, request, hook)
        finally:
            self._held -= len(reading.kept)

    async def _read(self, reading: _Reading, request: Request, hook: Hook) -> Body:
        sha256, signing = hashlib.sha256(), hook.signing()
        self._coming.add(reading)
        try:
            async with reading.deadline:
                async for piece in request.stream():
                    sha256.update(piece)
                    self._take(reading, piece, signing, hook)
        except (TimeoutError, ClientDisconnect):
            raise BodyUnavailable("the body did not arrive in time, or there was no room for it") from None
        finally:
            self._coming.remove(reading)
        _check_kept(reading)
        return Body(bytes(reading.kept), reading.size, sha256.hexdigest(), [one.hexdigest() for one in signing])

    def _take(self, reading: _Reading, piece: bytes, signing: Sequence[HMAC], hook: Hook) -> None:
        for one in signing:
            one.update(piece)
        kept = piece[: hook.most_kept - len(reading.kept)]
        reading.kept += kept
        reading.size += len(piece)
        self._held += len(kept)
        if reading.size > hook.most_bytes:
            raise _too_large(hook)
        self._make_room()
        _check_kept(reading)

    def _make_room(self) -> None:
        """The largest of those that are coming goes, so that a flood of large ones does not keep small ones out."""
        if self._held > self._most_held:
            largest = max(self._coming, key=lambda one: len(one.kept))
            self._held -= len(largest.kept)
            largest.kept, largest.is_dropped = bytearray(), True
            largest.deadline.reschedule(asyncio.get_running_loop().time())


def _check_kept(reading: _Reading) -> None:
    if reading.is_dropped:
        raise BodyUnavailable("too much is being received at once")


def _too_large(hook: Hook) -> BodyTooLarge:
    return BodyTooLarge(f"the body has more than {hook.most_bytes} bytes")
