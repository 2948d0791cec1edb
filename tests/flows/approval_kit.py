"""Runs of deployments, as a worker runs them, but in this process: they can be suspended, resumed, and run again."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import OrchestrationResult
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow_async
from prefect.flows import Flow
from prefect.states import Scheduled

from domain.approval import Request
from tasks.approvals import Approvals
from tasks.starting import DEPLOYMENT
from tests.flows.conftest import World

ASKS = 'locale = "en-US"\n[release]\nstaging = false\n[release.approval]\nrequired = true\n'
YES = {"approve": True, "approver": "Grace Hopper", "reason": "heard it"}


async def deployed(flow: Flow[..., Any]) -> UUID:
    """The flow's deployment, which is made when it is missing."""
    async with get_client() as client:
        return await client.create_deployment(await client.create_flow(flow), DEPLOYMENT)


async def started(flow: Flow[..., Any], parameters: dict[str, Any]) -> UUID:
    """A new run of the flow's deployment."""
    deployment = await deployed(flow)
    async with get_client() as client:
        return (await client.create_flow_run_from_deployment(deployment, parameters=parameters)).id


async def worked_on(flow: Flow[..., Any], run: UUID) -> State[Any]:
    """What a worker does with a run that is due; the state in which it leaves it."""
    with suppress(Pause):
        await run_flow_async(
            flow, flow_run=await read(run), parameters=(await read(run)).parameters, return_type="state"
        )
    state = (await read(run)).state
    assert state
    return state


async def due(run: UUID) -> None:
    """Its time has come."""
    async with get_client() as client:
        await client.set_flow_run_state(run, Scheduled(), force=True)


async def read(run: UUID) -> FlowRun:
    """The run as it is now."""
    async with get_client() as client:
        return await client.read_flow_run(run)


async def resumed(run: UUID, form: dict[str, object] | None) -> OrchestrationResult[Any]:
    """What the UI does when somebody fills in the form."""
    async with get_client() as client:
        return await client.resume_flow_run(run, run_input=form)


async def requests(world: World) -> list[Request]:
    """All requests of the track, as they are stored."""
    return await Approvals(world.store, world.track).all()
