"""When a task is worth repeating, and what a run's log says of errors that people can act on."""

import logging
from typing import Any, Final, TypedDict

from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from domain.mistakes import Mistake
from speech_client import SpeechError, TransientError
from tasks.store_errors import StoreUnavailable


async def is_transient(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether the task failed on something that may pass: the network, a throttle, a server error."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, TransientError | ConnectionError)


async def is_store_away(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether the task failed because the store does not answer, or is busy; a full disk is for people to mend."""
    return isinstance(await state.aresult(raise_on_failure=False), StoreUnavailable)


class Retries(TypedDict):
    """Keyword arguments of `@task` that concern caching and repetition."""

    cache_policy: CachePolicy
    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Any


_DELAYS: Final = [2.0, 10.0, 60.0, 300.0]

FRESH: Retries = {
    "cache_policy": NO_CACHE,
    "retries": len(_DELAYS),
    "retry_delay_seconds": _DELAYS,
    "retry_condition_fn": is_store_away,
}
"""For every task that talks to the store alone. No task is cached: a flow run that is retried asks again. Prefect would give it
the job that Failed, or the head of hours ago."""

REMOTE: Retries = {**FRESH, "retry_condition_fn": is_transient}
"""For tasks that talk to the Speech service or to a data source. Starting tasks look for what an earlier try created before they create."""


class PlainErrors(logging.Filter):
    """Drops the traceback of errors whose message already says what to do."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always keep the record; only its traceback may go."""
        if (
            record.exc_info
            and isinstance(record.exc_info, tuple)
            and isinstance(record.exc_info[1], Mistake | SpeechError | ConnectionError)
        ):
            record.exc_info = None
            record.exc_text = None
        return True


for _name in ("prefect.flow_runs", "prefect.task_runs"):
    logging.getLogger(_name).addFilter(PlainErrors())
