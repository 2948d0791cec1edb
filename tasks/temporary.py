"""What pull requests leave on the Speech service: found by name and properties, removed when no run needs it any more.

A run removes what it made when it ends. One that is killed cannot: whatever run of a pull request ends next does it.
"""

from collections.abc import AsyncIterator, Collection
from logging import Logger, LoggerAdapter
from typing import Any
from uuid import UUID

from prefect import task
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterState
from prefect.client.schemas.filters import FlowRunFilterStateType as StateTypes
from prefect.client.schemas.objects import StateType
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from domain.temporary import pull_of
from speech_client import Conflict, Entity, SpeechClient
from tasks.blocks import load_speech
from tasks.orchestrator import asked
from tasks.retrying import FRESH

FLOW = "pull-request"
_UNFINISHED = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
_MOST_RUNS = 200


Log = Logger | LoggerAdapter[Any]


@task(name="remove-temporary", description="Delete what pull requests have left on the Speech service.", **FRESH)
async def remove_temporary(speech: str) -> tuple[str, ...]:
    """Delete what no other unfinished run needs; see `remove_left`."""
    return await remove_left(speech, UUID(str(flow_run.id)) if flow_run.id else None, get_run_logger())


async def remove_left(speech: str, me: UUID | None, log: Log) -> tuple[str, ...]:
    """Delete the evaluations, models and datasets of every pull request that no other unfinished run works on.

    What the service does not let go yet (a training cannot be ended) stays for the next run.

    Args:
        speech: name of the Speech Resource block.
        me: the run that needs nothing any more.
        log: is told of each deletion.

    Returns:
        The names of what stays.
    """
    async with get_client() as client:
        busy = await busy_pulls(client, me)
    if busy is None:
        log.warning("Over %d runs of pull requests are not over: nothing temporary is removed for now", _MOST_RUNS)
        return ()
    async with (await load_speech(speech)).client() as service:
        return tuple([entity.display_name async for entity in _kept(service, busy, log)])


async def busy_pulls(client: PrefectClient, me: UUID | None = None) -> frozenset[str] | None:
    """The numbers of the pull requests that an unfinished run works on, other than the run `me`; None when there are too many."""
    chosen = FlowRunFilter(state=FlowRunFilterState(type=StateTypes(any_=_UNFINISHED)))
    named = FlowFilter(name=FlowFilterName(any_=[FLOW]))
    runs = await asked(client.read_flow_runs, flow_filter=named, flow_run_filter=chosen, limit=_MOST_RUNS)
    if len(runs) == _MOST_RUNS:
        return None
    return frozenset(str(run.parameters.get("number")) for run in runs if run.id != me)


async def _kept(service: SpeechClient, busy: Collection[str], log: Log) -> AsyncIterator[Entity]:
    """Delete one after the other: a model cannot go before the evaluation that uses it, nor a dataset before both."""
    for collection in (service.evaluations, service.models, service.datasets):
        listed: list[Entity] = [entity async for entity in collection.list()]
        for entity in listed:
            number = pull_of(entity.display_name, entity.custom_properties)
            if number is None or str(number) in busy:
                continue
            try:
                await collection.delete(entity.id)
            except Conflict as error:
                log.warning("'%s' cannot be deleted yet: %s", entity.display_name, error)
                yield entity
            else:
                log.info("Deleted '%s'", entity.display_name)
