"""Prefect's own server, as tasks ask it: it may be away for minutes, restarted or moved, while their work goes on."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
from prefect.logging import get_run_logger
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential

Sleep = Callable[[float], Awaitable[None]]

_MOST_TRIES = 65
"""With waits of up to 30 seconds: half an hour. Prefect's client tries a few times more within each."""


def is_away(error: BaseException) -> bool:
    """Whether the server may answer when it is asked again.

    >>> is_away(httpx.ConnectError("refused")), is_away(ValueError())
    (True, False)
    """
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (408, 429) or error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


def patiently(sleep: Sleep = asyncio.sleep) -> AsyncRetrying:
    """Call it with a request that may be repeated, and its arguments; it asks until the server answers.

    Raises:
        httpx.HTTPError: the server refuses, or has not answered for half an hour.
    """
    return AsyncRetrying(
        retry=retry_if_exception(is_away),
        stop=stop_after_attempt(_MOST_TRIES),
        wait=wait_exponential(max=30),
        before_sleep=_tell_once,
        sleep=sleep,
        reraise=True,
    )


def _tell_once(tries: RetryCallState) -> None:
    error = tries.outcome.exception() if tries.outcome else None
    if tries.attempt_number == 1:
        get_run_logger().warning("The Prefect server does not answer (%s); asking again", type(error).__name__)
