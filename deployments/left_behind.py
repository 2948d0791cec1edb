"""Runs that the local stack left behind when it was stopped: their processes are gone with it, and nobody would tell."""

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterParentTaskRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Cancelled, Crashed

from deployments.applying import DEPLOYMENT

_BEGUN = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


async def end_left_behind(client: PrefectClient, pool: str) -> list[FlowRun]:
    """End what looks as if it ran; call it only while no worker of that pool can be there. What was ended.

    Runs wait for others of their track, and would do so for ever. What a data source asked for is Crashed, so that an
    automation begins it again; what a person started, from a folder that may have changed since, is Cancelled.
    """
    left = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_BEGUN)),
            parent_task_run_id=FlowRunFilterParentTaskRunId(is_null_=True),
        ),
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[DEPLOYMENT])),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
    )
    for run in left:
        await client.set_flow_run_state(run.id, _end(run))
    return left


def _end(run: FlowRun) -> State[None]:
    told = "The stack was stopped while it ran."
    if run.state_type is not StateType.CANCELLING and run.parameters.get("source"):
        return Crashed(message=told)
    return Cancelled(message=f"{told} To go on: prefect flow-run retry {run.id}")
