"""Prefect's server is away while a run works: the run waits, or it is Crashed and goes on. It never Failed for that."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL

import flows.going_live
import tasks.orchestrator
from domain.mistakes import Mistake
from flows.training_update import training_update
from tasks.blocks import SpeechResource, find_block
from tasks.orchestrator import CutOff, asked, crashes_when_cut_off, displayed, hinted, is_cut_off, patiently
from tests.flows.conftest import DINOSAURS, NAMES, World
from tests.flows.gate_kit import Gate, gate
from tests.flows.test_overlaps_and_crashes import live_model, then

SECONDS = 0.3
"""Of an outage; the first retry of Prefect's client comes after two seconds."""


@flow
async def part() -> str:
    """Prefect's engine asks the server for it, by itself."""
    return str(flow_run.id)


@task
async def step() -> str:
    """A task asks the server for something."""
    async with get_client() as client:
        return (await client.read_flow_run(flow_run.id)).name


@task
async def patient_step() -> str:
    """A task of ours asks."""
    async with get_client() as client:
        return str((await asked(client.read_flow_run, flow_run.id)).name)


async def in_a_block() -> str:
    """Not kept from an earlier time."""
    return str(await find_block(SpeechResource, "nobody's"))


WORK = {"engine": part, "task": step, "our-task": patient_step, "block": in_a_block}
EACH = pytest.mark.parametrize("work", WORK.values(), ids=WORK)
FEW = [pytest.param(work, id=name, marks=[] if name == "engine" else pytest.mark.slow) for name, work in WORK.items()]
"""Each waits for more than two seconds."""


async def played(away: Gate, work: Callable[[], Any], *, ends: bool) -> FlowRun:
    """A run in whose middle the server goes away; when `ends` is not set, until the run knows no help any more."""
    ids: list[str] = []

    @flow(name="played")
    @crashes_when_cut_off
    async def play() -> None:
        ids.append(str(flow_run.id))
        await away.close()
        if ends:
            await away.open_after(SECONDS)
        try:
            await work()
        finally:
            await away.open()

    try:
        await play()
    except CutOff:
        assert not ends
    async with get_client() as client:
        return await client.read_flow_run(ids[0])


@pytest.mark.parametrize("work", FEW)
async def test_a_short_outage_is_waited_for(work: Callable[[], Any]) -> None:
    """By Prefect's client, and by our own patience."""
    async with gate(retries=3) as away:
        assert (await played(away, work, ends=True)).state_name == "Completed"


@EACH
async def test_a_run_that_is_cut_off_is_crashed(work: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not Failed: that would be told as a failure of the work, and begun by nobody again."""
    monkeypatch.setattr(tasks.orchestrator, "_MOST_TRIES", 1)
    monkeypatch.setattr(tasks.orchestrator, "_OWN_RETRIES", 0)
    async with gate(retries=0) as away:
        assert (await played(away, work, ends=False)).state_name == "Crashed"


async def test_what_people_see_is_not_what_a_run_is_for() -> None:
    """An artifact that the server does not take, and one that would only hold the work up."""
    seen: list[object] = []

    @flow
    async def shows(away: Any) -> str:
        seen.append(await displayed(acreate_markdown_artifact, markdown="x", key="No Such Key"))
        await away[0].close()
        seen.append(await hinted(acreate_markdown_artifact, markdown="x", key="progress"))
        await away[0].open()
        return "done"

    async with gate(retries=0) as away:
        assert await shows([away]) == "done"
    assert seen == [None, None]


def error(kind: type[httpx.RequestError], url: str) -> httpx.RequestError:
    """As httpx raises it."""
    return kind("refused", request=httpx.Request("GET", url))


@pytest.mark.parametrize(
    ("raised", "cut"),
    [
        (lambda api: error(httpx.ConnectError, f"{api}/flow_runs/1"), True),
        (lambda api: error(httpx.ReadTimeout, f"{api}/artifacts/"), True),
        (lambda api: ExceptionGroup("several", [ValueError(), error(httpx.ReadError, api)]), True),
        (lambda _: error(httpx.ConnectError, "https://speech.example.org/models"), False),
        (lambda _: httpx.ConnectError("without a request"), False),
        (lambda _: Mistake("wrong"), False),
    ],
)
def test_only_prefects_own_server_cuts_a_run_off(raised: Callable[[str], Exception], cut: bool) -> None:
    """Another service that is away is a matter of the work."""
    assert is_cut_off(raised(PREFECT_API_URL.value() or "")) is cut


def test_a_cause_counts() -> None:
    """Somebody told it in other words."""
    told = Mistake("no block")
    told.__cause__ = error(httpx.ConnectError, PREFECT_API_URL.value() or "")

    assert is_cut_off(told)


async def test_outside_a_run_nobody_waits() -> None:
    """A person at a command line is told at once."""
    calls: list[int] = []

    async def away() -> None:
        calls.append(1)
        raise httpx.ConnectError("refused")

    with pytest.raises(httpx.ConnectError):
        await asked(away)
    assert len(calls) == 1


async def test_patience_outlasts_half_an_hour() -> None:
    """Its looks are half a minute apart at most, so that a run goes on soon after the server is back."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    @flow
    async def asks() -> None:
        async def away() -> None:
            raise error(httpx.ConnectError, PREFECT_API_URL.value() or "")

        await patiently(sleep)(away)

    with pytest.raises(CutOff):
        await asks()
    assert max(waits) <= 30
    assert sum(waits) >= 1800


@pytest.mark.slow
async def test_a_release_is_not_taken_back_because_prefect_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients have the new model. The run is Crashed, the ledger knows of no failure, and the next run finishes it."""
    world.write_track("xanadu is a place\n")
    await training_update(**world.arguments)
    world.write_track(NAMES, settings='locale = "en-US"\n[release]\nstaging = false\n')

    async def cut_off() -> None:
        raise error(httpx.ConnectError, f"{PREFECT_API_URL.value()}/flow_runs/")

    with monkeypatch.context() as patch:
        then(patch, flows.going_live, "await_endpoint", cut_off)
        with pytest.raises(CutOff):
            await training_update(**world.arguments)
    assert (await world.ledger.state()).pending
    assert "failed-release" not in [entry.kind for entry in (await world.ledger.history())]
    world.write_track(DINOSAURS)

    await training_update(**world.arguments)

    state = await world.ledger.state()
    assert (state.release.number, state.pending) == (2, None)
    assert state.release.model.endswith(await live_model(world))
