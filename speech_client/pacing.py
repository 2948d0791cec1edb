"""One pace for all requests of a client, below Azure's quota: 100 requests per 10 s, for all who use the resource.

A bucket of our own and not aiolimiter: that one runs on the event loop's clock alone, and cannot hold everybody back
when the service says 429.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PER_SECOND = 4.0
BURST = 50
"""At most 90 requests in any 10 s and 290 in any minute (an older page of Microsoft's says 300 per minute)."""

LONGEST_HOLD = 60.0
"""Seconds that a 429 may hold back requests that are not repetitions of its own; it may name hours."""

_ROUNDING = 1e-9


class Pace:
    """A token bucket: `burst` requests at once, then `per_second`; whoever comes first goes first.

    Args:
        per_second: Tokens that come back per second.
        burst: Tokens that it holds; requests that find one do not wait at all.
        clock: A monotonic clock in seconds.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        per_second: float = PER_SECOND,
        burst: int = BURST,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not (per_second > 0 and burst >= 1):
            raise ValueError("A pace needs per_second above 0 and a burst of at least 1.")
        self._per_second, self._burst = per_second, float(burst)
        self._clock, self._sleep = clock, sleep
        self._queue = asyncio.Lock()  # the lock's own queue is first in, first out
        self._tokens, self._counted, self._held_until = self._burst, clock(), 0.0

    async def turn(self) -> None:
        """Wait for the next token; somebody who is cancelled meanwhile takes none."""
        async with self._queue:
            while (pause := self._pause()) > 0:
                await self._sleep(pause)
            self._tokens -= 1

    def hold(self, seconds: float) -> None:
        """Let nobody through for so long (at most `LONGEST_HOLD`), since the service asked for it."""
        self._held_until = max(self._held_until, self._clock() + min(seconds, LONGEST_HOLD))

    def _pause(self) -> float:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._counted) * self._per_second)
        self._counted = now
        missing = 1 - self._tokens
        return max(missing / self._per_second if missing > _ROUNDING else 0.0, self._held_until - now)
