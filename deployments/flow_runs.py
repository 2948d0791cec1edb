"""Run a deployment and watch it: what `prefect deployment run --watch` shows, told step by step to whoever listens."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterStartTime,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.client.schemas.sorting import FlowRunSort
from pydantic import BaseModel, ValidationError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from domain.mistakes import Mistake
from tasks.results import refuse_foreign_results

OnTask = Callable[[str, str], None]
"""Called with the name of a task and its new state, such as `Running`."""

R = TypeVar("R", bound=BaseModel)
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 300


async def run_to_end(client: PrefectClient, deployment: str, parameters: dict[str, str], on_task: OnTask) -> FlowRun:
    """Start a deployment's flow and return its run when it is over.

    Args:
        client: of the Prefect server.
        deployment: such as `training-update/speechops`.
        parameters: of the flow.
        on_task: is told when a task of the run, or of its subflows, changes its state.
    """
    found = await client.read_deployment_by_name(deployment)
    run = await client.create_flow_run_from_deployment(found.id, parameters=parameters)
    return await watched(client, run, on_task)


async def watched(client: PrefectClient, run: FlowRun, on_task: OnTask) -> FlowRun:
    """The run when it is over; see `run_to_end`."""
    seen: dict[str, str] = {}
    while not (run.state and run.state.is_final()):
        await asyncio.sleep(_LOOK_SECONDS)
        run = await client.read_flow_run(run.id)
        for task in await _tasks(client, run):
            state = task.state_name or ""
            if seen.get(str(task.id)) != state:
                seen[str(task.id)] = state
                on_task(task.name.rsplit("-", 1)[0], state)
    return run


@retry(
    retry=retry_if_exception_type(LookupError),
    wait=wait_fixed(_LOOK_SECONDS),
    stop=stop_after_delay(_PATIENCE_SECONDS),
    reraise=True,
)
async def update_since(client: PrefectClient, source: str, since: datetime) -> FlowRun:
    """The run of data-update that was started for a data source after a moment; it is waited for.

    Raises:
        LookupError: there is none after five minutes.
    """
    chosen = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[f"source:{source}"]), start_time=FlowRunFilterStartTime(after_=since)
    )
    runs = await client.read_flow_runs(flow_run_filter=chosen, sort=FlowRunSort.START_TIME_DESC, limit=1)
    if not runs:
        raise LookupError(source)
    return runs[0]


async def runs_for(client: PrefectClient, source: str, revision: str) -> list[FlowRun]:
    """The runs that a change of a data source started, in their order.

    Args:
        client: of the Prefect server.
        source: the name of the source's block.
        revision: the full one.
    """
    tagged = FlowRunFilter(tags=FlowRunFilterTags(all_=[f"from:{source}"]))
    runs = await client.read_flow_runs(flow_run_filter=tagged, sort=FlowRunSort.EXPECTED_START_TIME_ASC)
    return [run for run in runs if run.parameters.get("revision") == revision]


async def result_of(run: FlowRun, shape: type[R]) -> R:
    """What the flow returned.

    Raises:
        Mistake: it failed; the message is the run's own.
    """
    state = run.state
    if state is None or not state.is_completed():
        raise Mistake(f"the flow run '{run.name}' ended as {run.state_name}: {state.message if state else 'no state'}")
    refuse_foreign_results()
    try:
        return shape.model_validate(await state.aresult(retry_result_failure=False))
    except ValidationError:
        raise Mistake(
            f"the result of the flow run '{run.name}' cannot be read: another version of speechops stored it. Run it again."
        ) from None


async def _tasks(client: PrefectClient, run: FlowRun) -> list[TaskRun]:
    children = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run.id]))
    )
    ids = [run.id, *(child.id for child in children)]
    tasks = await client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=ids)), limit=200)
    return sorted(tasks, key=lambda task: (task.end_time is None, task.end_time or task.start_time or task.created))
