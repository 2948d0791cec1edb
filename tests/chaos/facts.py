"""Finds out what is the case after a plan: the facts that invariants are about."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import httpx
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun

from tasks.ledger import Ledger
from tasks.verifying import verify_store
from tests.chaos.invariants import Facts, Run, path_of
from tests.chaos.lanes import Lane, Track
from tests.chaos.world import World
from tests.emulator.fake_engine import wav

T = TypeVar("T")
AGAIN = "chaos:again"
"""Tag of a run that an operator started in place of another."""

RECOGNITION = "/speech/recognition/conversation/cognitiveservices/v1"


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask Prefect's server until it answers: it may be away just now, on purpose."""
    async with asyncio.timeout(300):
        while True:
            try:
                return await ask()
            except httpx.HTTPError:
                await asyncio.sleep(0.5)
    raise AssertionError


async def facts_of(
    world: World,
    lane: Lane,
    track: Track,
    *,
    owed: Iterable[tuple[str, str]],
    expected: Sequence[str | None],
    by_hand: frozenset[UUID] = frozenset(),
    earlier: frozenset[UUID] = frozenset(),
    complaints: Sequence[str] = (),
    scratch: Sequence[str] = (),
) -> Facts:
    """All about one track, once nothing is under way there."""
    ledger = Ledger(world.store, track.name)
    state, history = await ledger.state(), await ledger.history()
    verified = await verify_store(world.store, track.name) if history else None
    endpoints = [one async for one in _entities(world, "endpoints")]
    runs = [run for run in await runs_of(world, lane) if run.id not in earlier]
    live = next((one for one in endpoints if one["displayName"] == f"{track.name}-live"), None)
    return Facts(
        track=track.name,
        state=state,
        history=history,
        endpoints=endpoints,
        models=[one async for one in _entities(world, "models")],
        broken=[f"{one.what}: {one.detail}" for one in (verified.checks if verified else ()) if one.state == "broken"],
        runs=[_as_run(world, run, by_hand) for run in runs],
        owed=tuple(owed),
        heard=await heard(world, path_of(live).partition("/")[2], track) if live else None,
        expected=expected,
        engines=[
            f"{pid} of run {run}" for pid, run in world.conductor.alive.items() if run in {one.id for one in runs}
        ],
        complaints=complaints,
        scratch=scratch,
    )


async def runs_of(world: World, lane: Lane) -> list[FlowRun]:
    """The runs of a lane: of its tracks, and those of data-update for its source."""
    found: dict[UUID, FlowRun] = {}
    tags = [f"source:{lane.name}", f"from:{lane.name}", *(f"track:{track.name}" for track in lane.tracks)]
    chosen = FlowRunFilter.model_validate({"tags": {"any_": tags}})
    read = partial(world.client.read_flow_runs, flow_run_filter=chosen, limit=200)
    while page := await patiently(partial(read, offset=len(found))):
        found |= {run.id: run for run in page}
    return [run for run in found.values() if run.deployment_id]


async def unfinished(world: World) -> list[FlowRun]:
    """Every run of a deployment that is not over."""
    types = ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"]
    chosen = FlowRunFilter.model_validate({"state": {"type": {"any_": types}}})
    runs = await patiently(lambda: world.client.read_flow_runs(flow_run_filter=chosen, limit=200))
    return [run for run in runs if run.deployment_id]


def _as_run(world: World, run: FlowRun, by_hand: frozenset[UUID]) -> Run:
    return Run(
        id=str(run.id),
        flow=world.conductor.flows.get(run.deployment_id or run.id, ""),
        track=run.parameters.get("track", ""),
        revision="" if AGAIN in run.tags else run.parameters.get("revision", ""),
        kind=run.state_type.value if run.state_type else "",
        state=run.state_name or "",
        message=(run.state.message or "") if run.state else "",
        tags=tuple(run.tags),
        by_hand=run.id in by_hand,
        began=run.created.timestamp() if run.created else 0.0,
    )


async def heard(world: World, endpoint: str, track: Track) -> str | None:
    """What the endpoint hears when all names are said."""
    answer = await asked(world, endpoint, track)
    return str(answer.json().get("DisplayText", "")).rstrip(".").lower() if answer.is_success else answer.text


async def asked(world: World, endpoint: str, track: Track) -> httpx.Response:
    """One recording, through an endpoint."""
    return await world.http.post(
        RECOGNITION,
        params={"cid": endpoint, "language": "en-US"},
        content=wav(track.said),
        headers={"Content-Type": "audio/wav; codecs=audio/pcm; samplerate=16000"},
    )


async def _entities(world: World, kind: str) -> Any:
    page = await _page(world, f"/speechtotext/{kind}?api-version=2024-11-15&top=100")
    while True:
        for one in page["values"]:
            yield one
        if not (further := page.get("@nextLink")):
            return
        page = await _page(world, further)


async def _page(world: World, address: str) -> Any:
    for _ in range(60):
        with suppress(httpx.TransportError):
            return (await world.http.get(address)).raise_for_status().json()
        await world.services["emulator"].ready()
    raise AssertionError("the emulator does not answer")
