"""Starts the runs that a plan asks for: each of them once, however often it is asked."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect import task
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.states import Scheduled
from pydantic import BaseModel, ConfigDict

from domain.mistakes import Mistake
from domain.plan import FlowName, Plan, PlannedRun
from tasks.orchestrator import patiently
from tasks.retrying import FRESH

DEPLOYMENT = "speechops"
"""The name of every flow's deployment, as in `testing-update/speechops`."""

_DIGITS = 12
_APART = timedelta(milliseconds=1)


class StartedRun(BaseModel):
    """A run that was started, by us or by whoever asked for the same one before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    name: str
    flow: FlowName
    track: str
    reasons: tuple[str, ...]


class Started(BaseModel):
    """What was started for one revision, and what else people should know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: str = ""
    runs: tuple[StartedRun, ...] = ()
    notes: tuple[str, ...] = ()


class Names(BaseModel):
    """What the runs that are started are told: their data source, and the blocks that they use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    speech: str
    store: str


@task(name="start-runs", description="Start what has to run, testing first; what is started already stays.", **FRESH)
async def start_runs(plan: Plan, names: Names) -> Started:
    """Start the runs of a plan in its order; the server gives the same run for the same key.

    Raises:
        Mistake: a flow has no deployment.
    """
    async with get_client() as client:
        deployments = {flow: await _deployment(client, flow) for flow in dict.fromkeys(run.flow for run in plan.runs)}
        started: list[FlowRun] = []
        for run in plan.runs:
            last = started[-1].expected_start_time if started else None
            started.append(await _start(client, run, deployments, names, _after(last)))
    runs = tuple(_noted(run, flow_run) for run, flow_run in zip(plan.runs, started, strict=True))
    return Started(revision=plan.revision, runs=runs, notes=plan.notes)


async def _deployment(client: PrefectClient, flow: FlowName) -> UUID:
    try:
        found: DeploymentResponse = await patiently()(client.read_deployment_by_name, f"{flow}/{DEPLOYMENT}")
    except ObjectNotFound:
        raise Mistake(
            f"there is no deployment '{flow}/{DEPLOYMENT}' on this Prefect server. Run `speechops deploy`, then run again."
        ) from None
    return found.id


async def _start(
    client: PrefectClient, run: PlannedRun, deployments: Mapping[FlowName, UUID], names: Names, at: datetime
) -> FlowRun:
    started: FlowRun = await patiently()(
        client.create_flow_run_from_deployment,
        deployments[run.flow],
        name=f"{run.track} @ {run.revision[:_DIGITS]}",
        parameters={"track": run.track, "revision": run.revision, **names.model_dump()},
        tags=[f"track:{run.track}", f"from:{names.source}"],
        idempotency_key=run.key,
        state=Scheduled(scheduled_time=at),
    )
    get_run_logger().info("%s '%s' is flow run %s", run.flow, started.name, started.id)
    return started


def _after(last: datetime | None) -> datetime:
    """Now, but after the run before it, whatever the clocks of those who started that one say: turns go by this."""
    now = datetime.now(UTC)
    return max(now, last + _APART) if last else now


def _noted(run: PlannedRun, flow_run: FlowRun) -> StartedRun:
    return StartedRun(
        id=flow_run.id, name=flow_run.name, flow=run.flow, track=run.track, reasons=tuple(map(str, run.reasons))
    )
