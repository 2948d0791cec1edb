"""When a single request is repeated, by the transport. Flows and tasks have their own retries.

Repeated are only requests that do the same when done twice (GET, HEAD, PUT, PATCH, DELETE), after throttling,
failures of the service and broken connections. A POST goes out once: Azure knows no idempotency key, and a
repeated POST creates a second entity (measured for common clients in the fact sheet on reliability).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_exponential,
    wait_random,
)

from speech_client.errors import TransientError

Sleep: TypeAlias = Callable[[float], Awaitable[None]]

REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patiently one request is repeated. All times are in seconds.

    The pause is what the service names in Retry-After, or else doubles from `first_pause` up to `longest_pause`, with
    jitter. It ends after `attempts` requests, or before the pauses would add up to more than `total_pause`.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 20.0
    total_pause: float = 60.0

    def retrying(self, sleep: Sleep = asyncio.sleep) -> AsyncRetrying:
        """Return tenacity's machine for one request; it raises the last error as it is."""
        return AsyncRetrying(
            sleep=sleep,
            retry=retry_if_exception_type(TransientError),
            stop=self._is_over,
            wait=self._pause,
            before_sleep=_log_repetition,
            reraise=True,
        )

    def _pause(self, state: RetryCallState) -> float:
        named = _error_of(state).retry_after
        if named is not None:
            return named
        doubling = wait_exponential(multiplier=self.first_pause) + wait_random(0, self.first_pause)
        return min(doubling(state), self.longest_pause)

    def _is_over(self, state: RetryCallState) -> bool:
        return state.attempt_number >= self.attempts or state.idle_for + state.upcoming_sleep > self.total_pause


def _error_of(state: RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, TransientError) else TransientError("unknown")


def _log_repetition(state: RetryCallState) -> None:
    _log.warning("%s Trying again in %.1f s.", _error_of(state), state.upcoming_sleep)
