"""A release outside its window: planned as a run of its own, which waits on the Prefect server and holds no worker."""

from datetime import UTC, datetime
from uuid import UUID

from prefect import task
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.states import Scheduled

from domain.approval import Hold
from domain.mistakes import Mistake
from domain.naming import fingerprint
from domain.ruling import Ruling
from domain.window import WindowSettings, next_opening
from tasks.orchestrator import patiently
from tasks.retrying import FRESH
from tasks.starting import DEPLOYMENT

_DEPLOY = f"deploy/{DEPLOYMENT}"


def now() -> datetime:
    """The time of this machine, in UTC: release windows go by it."""
    return datetime.now(UTC)


@task(name="plan-release", description="Outside the release window: let the release wait on the server.", **FRESH)
async def plan_release(
    ruling: Ruling, verdict: str, approval: str, window: WindowSettings, speech: str, store: str
) -> Hold | None:
    """Start a run of `deploy` at the next opening; the same release is planned once, whoever asks.

    Args:
        ruling: what let the model pass.
        verdict: its digest.
        approval: id of the approval; empty when none is asked for.
        window: when a model may go live.
        speech: name of the Speech Resource block.
        store: name of the store's block.

    Returns:
        None while the window is open; otherwise what was planned.

    Raises:
        Mistake: it does not open any more, or the server has no deployment of `deploy`.
    """
    moment = now()
    opening = next_opening(window, moment)
    if opening is None:
        raise Mistake("the track's release window does not open within five years. Correct [release.window].")
    if opening <= moment:
        return None
    subject = ruling.subject
    track, model = subject.track.name, subject.candidate.name
    parameters = {"track": track, "model": model, "verdict": verdict, "approval": approval}
    async with get_client() as client:
        run = await _start(client, {**parameters, "speech": speech, "store": store}, opening)
    told = f"the release window opens at {opening:%Y-%m-%d %H:%M} UTC; flow run '{run.name}' ({run.id}) releases '{model}' then"
    get_run_logger().info("Nothing goes live now: %s", told)
    return Hold(name="Planned", message=told)


async def _start(client: PrefectClient, parameters: dict[str, str], at: datetime) -> FlowRun:
    """The run that is planned for this; a new one when somebody has cancelled that."""
    deployment, key = await _deployment(client), fingerprint("planned release", *parameters.values(), at.isoformat())
    while True:
        run: FlowRun = await patiently()(
            client.create_flow_run_from_deployment,
            deployment,
            name=f"release {parameters['model']}",
            parameters=parameters,
            tags=[f"track:{parameters['track']}"],
            idempotency_key=key,
            state=Scheduled(scheduled_time=at),
        )
        if not (run.state and run.state.is_final()):
            return run
        key = fingerprint(key, str(run.id))


async def _deployment(client: PrefectClient) -> UUID:
    try:
        found: DeploymentResponse = await patiently()(client.read_deployment_by_name, _DEPLOY)
    except ObjectNotFound:
        raise Mistake(
            f"the release window is closed, and there is no deployment '{_DEPLOY}' on this Prefect server that could release "
            "when it opens. Run `speechops deploy`, then run again; or run again while the window is open."
        ) from None
    return found.id
