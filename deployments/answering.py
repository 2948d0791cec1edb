"""Finds the requests that wait for a person, takes the answer to the store, and resumes the run that asked."""

from collections.abc import Sequence
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from pydantic import TypeAdapter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.deploy_command import address, server
from deployments.stores import opened_store
from domain.approval import REQUEST_ID, Answer, Request
from domain.mistakes import Mistake
from domain.report import percent
from domain.track import check_name
from tasks.approvals import Approvals, tracks_with_requests
from tasks.store import Store

_MINUTES = "%Y-%m-%d %H:%M UTC"


async def approve(which: str, answer: Answer, store: str) -> str:
    """Decide, and resume the run; what came of it, for people.

    Raises:
        Mistake: it cannot be decided so, or nobody can be found who asked.
    """
    keep = await opened_store(store)
    request = await _wanted(keep, which)
    async with server() as client:
        run = await _run(client, request)
        _check_waiting(run, request)
        decided = await Approvals(keep, request.track).decide(request.id, answer)
        went_on = await _resume(client, run, answer)
    return f"{decided.model.name}: {decided.outcome}. {went_on}"


async def requests(track: str, store: str) -> list[Request]:
    """The requests of a track, or of all."""
    keep = await opened_store(store)
    if track:
        check_name(track)
    tracks = [track] if track else await tracks_with_requests(keep)
    return [one for name in tracks for one in await Approvals(keep, name).all()]


def as_json_list(found: Sequence[Request]) -> bytes:
    """One JSON list of requests."""
    return TypeAdapter(list[Request]).dump_json(list(found), indent=2) + b"\n"


def show(found: Sequence[Request], console: Console) -> None:
    """A table of requests, and the command that answers them."""
    if not found:
        console.print("Nothing waits for an approval.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "track", "model", "WER", "data changed by", "state"):
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for one in found:
        state = one.outcome if one.is_over else f"open until {one.expires_at:{_MINUTES}}"
        wer = f"{percent(one.benchmark_wer)} → {percent(one.candidate_wer)}"
        table.add_row(*map(Text, (one.id, one.track, one.model.name, wer, ", ".join(one.authors), state)))
    console.print(table)
    console.print("Answer with: speechops approve ID --as NAME --reason WHY, or with --reject", soft_wrap=True)


async def _wanted(keep: Store, which: str) -> Request:
    if REQUEST_ID.fullmatch(which):
        found = [await Approvals(keep, track).find(which) for track in await tracks_with_requests(keep)]
        if there := [one for one in found if one]:
            return there[0]
        raise Mistake(f"there is no request {which} in {keep}. `speechops approvals` lists what is open.")
    check_name(which)
    waiting = [one for one in await Approvals(keep, which).all() if not one.is_over]
    if len(waiting) != 1:
        named = f": {', '.join(one.id for one in waiting)}. Name one of them" if waiting else ""
        raise Mistake(f"{len(waiting)} requests of track '{which}' wait for an approval in {keep}{named}.")
    return waiting[0]


async def _run(client: PrefectClient, request: Request) -> FlowRun:
    try:
        return await client.read_flow_run(UUID(request.flow_run))
    except ObjectNotFound:
        raise Mistake(
            f"the Prefect server at {address()} does not know the flow run {request.flow_run} that asked. Is PREFECT_API_URL "
            "that of another server?"
        ) from None


def _check_waiting(run: FlowRun, request: Request) -> None:
    if not request.is_over and run.state and run.state.is_final():
        raise Mistake(
            f"flow run '{run.name}', which asked, is over ({run.state_name}): nothing would go live. Run training-update again."
        )


async def _resume(client: PrefectClient, run: FlowRun, answer: Answer) -> str:
    form = {"approve": answer.approve, "approver": answer.by, "reason": answer.reason}
    result = await client.resume_flow_run(run.id, run_input=form)
    if result.status == SetStateStatus.ACCEPT:
        return f"Flow run '{run.name}' goes on."
    return (
        f"Flow run '{run.name}' ({run.state_name}) was not resumed. If it still waits, give the same command again; if it is "
        "over and the model is not live, run training-update again."
    )
