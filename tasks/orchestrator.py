"""Prefect's own server, as flows and tasks ask it: it may be away for minutes, restarted or moved, while their work goes on.

Two ladders of retries hold a run over an outage. What our code asks goes through `patiently`: looks at most 30 seconds
apart, for half an hour. What Prefect's engine asks by itself (states, names) is repeated by Prefect's client, as the
job variables in prefect.yaml say. A run that neither holds is cut off: it ends as Crashed, never as Failed, and whoever
owns the runs (deployments/run_keeper.py) begins it again. See docs/operations.md.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import httpx
from prefect.context import FlowRunContext, SettingsContext, TaskRunContext, get_settings_context
from prefect.exceptions import PrefectHTTPStatusError
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, Settings
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential

Sleep = Callable[[float], Awaitable[None]]
P = ParamSpec("P")
R = TypeVar("R")

_MOST_TRIES = 65
"""With waits of up to 30 seconds: half an hour, and the time that the tries themselves take."""
_OWN_RETRIES = 1
"""Of Prefect's client within one try. Its waits double without a limit; ours end soon after the server is back."""


class CutOff(BaseException):
    """This run cannot go on without Prefect's server. No `Exception`: nothing may take it for a failure of the work.

    Prefect's engine calls a run that ends with it Crashed.
    """


def is_away(error: BaseException) -> bool:
    """Whether the server may answer when it is asked again.

    >>> is_away(httpx.ConnectError("refused")), is_away(ValueError())
    (True, False)
    """
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (408, 429) or error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


def is_cut_off(error: BaseException) -> bool:
    """Whether an error says that Prefect's server was away, and nothing about the work.

    Our clients of other services turn such errors of httpx into their own; one that is left is told by its address.
    """
    if isinstance(error, BaseExceptionGroup):
        return any(map(is_cut_off, error.exceptions))
    if is_away(error) and _is_prefects(error):
        return True
    return error.__cause__ is not None and is_cut_off(error.__cause__)


def _is_prefects(error: BaseException) -> bool:
    if isinstance(error, PrefectHTTPStatusError):
        return True
    try:
        asked = error.request.url if isinstance(error, httpx.RequestError | httpx.HTTPStatusError) else None
    except RuntimeError:  # raised without a request
        return False
    api = httpx.URL(PREFECT_API_URL.value() or "")
    return asked is not None and (asked.host, asked.port) == (api.host, api.port)


def crash_if_cut_off(error: BaseException) -> None:
    """To be called first by whoever catches every `Exception` and takes it for a failure.

    Raises:
        CutOff: it is none.
    """
    if is_cut_off(error):
        raise CutOff(f"Prefect's server was away for too long ({type(error).__name__})") from error


def crashes_when_cut_off(flow: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """For every flow, below `@flow`: a run that fails for lack of Prefect's server ends as Crashed, and is begun again."""

    @functools.wraps(flow)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await flow(*args, **kwargs)
        except Exception as error:
            crash_if_cut_off(error)
            raise

    return guarded


def patiently(sleep: Sleep = asyncio.sleep) -> Callable[..., Awaitable[Any]]:
    """Call it with a request that may be repeated, and its arguments; it asks until the server answers.

    Raises:
        httpx.HTTPError: the server refuses.
        CutOff: it has not answered for half an hour (outside a run: the last `httpx.HTTPError`).
    """
    tries = AsyncRetrying(
        retry=retry_if_exception(is_away),
        stop=stop_after_attempt(_MOST_TRIES),
        wait=wait_exponential(max=30),
        before_sleep=_tell_once,
        sleep=sleep,
        reraise=True,
    )

    async def ask(call: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        try:
            with retries_of_client(_OWN_RETRIES):
                return await tries(call, *args, **kwargs)
        except httpx.HTTPError as error:
            if in_run():
                crash_if_cut_off(error)
            raise

    return ask


async def asked(call: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
    """As `patiently`, in a run; somebody at a command line is told at once that the server is away."""
    return await (patiently()(call, *args, **kwargs) if in_run() else call(*args, **kwargs))


async def displayed(call: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
    """What people see of a run, such as an artifact: a server that is away is waited for, one that refuses fails no run."""
    try:
        return await asked(call, *args, **kwargs)
    except Exception as error:
        _tell_lost(call, error)
        return None


async def hinted(call: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
    """As `displayed`, but soon out of date: the work does not wait for it."""
    try:
        with retries_of_client(_OWN_RETRIES):
            return await call(*args, **kwargs)
    except Exception as error:
        _tell_lost(call, error)
        return None


def _tell_lost(call: Callable[..., Awaitable[Any]], error: Exception) -> None:
    """By the kind of error alone: its message may quote what people said."""
    name = getattr(call, "__name__", "it")
    get_run_logger().warning("Not shown in the Prefect UI: %s failed (%s)", name, type(error).__name__)


def in_run() -> bool:
    """Whether this is called by a flow or a task."""
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None


_HASTY: dict[tuple[int, int], tuple[Settings, Settings]] = {}
"""By the id of settings, and a number of retries: them, and the same with that number. To derive them takes 50 ms."""


@contextmanager
def retries_of_client(most: int) -> Iterator[None]:
    """Prefect's client repeats a request so often, for as long as the context lasts."""
    here = get_settings_context()
    key = (id(here.settings), most)
    if key not in _HASTY:
        _HASTY[key] = (here.settings, here.settings.copy_with_update(updates={PREFECT_CLIENT_MAX_RETRIES: most}))
    with SettingsContext(profile=here.profile, settings=_HASTY[key][1]):
        yield


def _tell_once(tries: RetryCallState) -> None:
    error = tries.outcome.exception() if tries.outcome else None
    if tries.attempt_number == 1:
        get_run_logger().warning("The Prefect server does not answer (%s); asking again", type(error).__name__)
