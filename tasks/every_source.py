"""The safety net: every data source is looked at now and then, whether or not a web hook told of a change."""

from datetime import UTC, datetime

from prefect import task
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from tasks.orchestrator import patiently
from tasks.retrying import FRESH
from tasks.sources import source_names
from tasks.starting import DEPLOYMENT, deployment_id

FLOW = "data-update"


@task(name="update-every-source", description="Start a data-update for each data source that has a block.", **FRESH)
async def update_every_source(speech: str, store: str) -> tuple[str, ...]:
    """The names of the sources for which a run of `data-update` was started.

    Raises:
        Mistake: the flow has no deployment.
    """
    names: list[str] = await patiently()(source_names)
    async with get_client() as client:
        deployment = await deployment_id(client, FLOW) if names else None
        for name in names:
            await patiently()(
                client.create_flow_run_from_deployment,
                deployment,
                name=name,
                parameters={"source": name, "speech": speech, "store": store},
                tags=[f"source:{name}"],
                idempotency_key=f"{FLOW}/{DEPLOYMENT} {name} {_occasion()}",
            )
    return tuple(names)


def _occasion() -> str:
    """The hour, for a schedule: of the runs that piled up while no worker was there, one per source is enough."""
    if "auto-scheduled" in flow_run.tags:
        return f"{datetime.now(UTC):%Y-%m-%dT%H}"
    return str(flow_run.id)
