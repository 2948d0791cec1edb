"""Retention: what nobody needs any more is removed from the Speech service. It never fails a release."""

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterState
from prefect.client.schemas.filters import FlowRunFilterStateType as StateTypes
from prefect.client.schemas.objects import StateType
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from domain.ledger import News, State
from domain.release_policy import ReleaseSettings
from domain.retention import Held, superfluous
from domain.rollback import earlier
from speech_client import Conflict, SpeechClient
from tasks.approvals import Approvals
from tasks.blocks import load_speech, load_store
from tasks.holdings import read_holdings, remove
from tasks.ledger import Ledger
from tasks.orchestrator import asked, crash_if_cut_off
from tasks.owners import has_others
from tasks.retrying import FRESH
from tasks.rollbacks import why_unusable
from tasks.store import Store
from tasks.vault import read_ruling

_WAITING = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED]


@task(name="retention", description="Remove old models, and endpoints that nobody uses.", **FRESH)
async def retire(speech: str, store: str, track: str) -> None:
    """Delete what retention does not keep, and tell the ledger; whatever goes wrong is told in the log, and left for next time.

    While another run of the track is at work nothing is removed, for that one may be about to use it.
    """
    try:
        if await has_others(track):
            get_run_logger().info("Another run of '%s' is at work: what is to be removed, the next run removes", track)
        else:
            await _remove_superfluous(speech, await load_store(store), track)
    except Exception as error:
        crash_if_cut_off(error)
        get_run_logger().warning("What '%s' no longer needs could not be removed: %s", track, error)


async def _remove_superfluous(speech: str, keep: Store, track: str) -> None:
    head = await Ledger(keep, track).state()
    async with (await load_speech(speech)).client() as client:
        held = await read_holdings(client, "endpoint", "evaluation", "model")
        plan = superfluous(held, head, await keep_models(keep, head), await wanted(client, keep, head))
        removed = [one for one in plan if await _is_removed(client, one)]
    if removed:
        await Ledger(keep, track).append(_news(removed))


async def keep_models(store: Store, head: State) -> int:
    """How many models the track keeps, by its settings at the live release."""
    if head.release is None:
        return ReleaseSettings().keep_models
    return (await read_ruling(store, head.release.evidence)).subject.track.release.keep_models


async def wanted(client: SpeechClient, store: Store, head: State) -> frozenset[str]:
    """Paths and names of models that are not in use, and must stay: the next one to go back to, and what is to go live."""
    found = set(await _planned(head.track))
    for request in await Approvals(store, head.track).all():
        if request.status in ("open", "approved"):
            found.add(request.model.path)
    for target in earlier(head, head.release.model) if head.release else ():
        if not await why_unusable(client, target.model):
            return frozenset(found | {target.model})
    return frozenset(found)


async def _planned(track: str) -> list[str]:
    """Names of the models that runs of deploy wait to put live."""
    chosen = FlowRunFilter(state=FlowRunFilterState(type=StateTypes(any_=_WAITING)))
    async with get_client() as client:
        runs = await asked(
            client.read_flow_runs, flow_filter=FlowFilter(name=FlowFilterName(any_=["deploy"])), flow_run_filter=chosen
        )
    return [str(run.parameters.get("model")) for run in runs if run.parameters.get("track") == track]


async def _is_removed(client: SpeechClient, held: Held) -> bool:
    try:
        await remove(client, held)
    except Conflict as error:
        charged = ", and is charged" if held.kind == "endpoint" else ""
        get_run_logger().warning("The %s '%s' cannot be deleted yet%s: %s", held.kind, held.name, charged, error)
        return False
    get_run_logger().info("The %s '%s' is deleted", held.kind, held.name)
    return True


def _news(removed: list[Held]) -> News:
    facts = {
        f"{kind}s": [one.name for one in removed if one.kind == kind] for kind in ("endpoint", "evaluation", "model")
    }
    return News(
        kind="retention",
        flow_run=str(flow_run.id or ""),
        revision="",
        facts={name: names for name, names in facts.items() if names},
    )
