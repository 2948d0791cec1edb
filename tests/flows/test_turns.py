"""Turns on a real Prefect server: two runs of one track queue, two tracks overlap, and people see who waits for whom."""

import asyncio
import inspect
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.flows import Flow
from prefect.runtime import flow_run

import tasks.turns
from flows.deploy import deploy
from flows.testing_update import testing_update
from flows.training_update import training_update
from tasks.turns import Queue, take_turn

PATIENCE = 120


class Works:
    """Flow runs that take their turn, and then work until they may end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ids: dict[str, str] = {}
        self.inside: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.may_end: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.waits = asyncio.Event()
        real = Queue._tell

        def tell(queue: Queue, runs: list[FlowRun]) -> None:
            real(queue, runs)
            self.waits.set()

        monkeypatch.setattr(Queue, "_tell", tell)
        monkeypatch.setattr(tasks.turns, "_LOOK_SECONDS", 0.05)

    def start(self, name: str, track: str) -> "asyncio.Task[None]":
        """Run a flow for a track in this process."""

        @flow(name="work", flow_run_name=name)
        async def work() -> None:
            self.ids[name] = str(flow_run.id)
            await take_turn(f"track:{track}")
            self.inside[name].set()
            await self.may_end[name].wait()

        return asyncio.create_task(work())


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Works:
    """None yet."""
    return Works(monkeypatch)


async def test_one_track_queues_and_two_overlap(works: Works, logged: Callable[[], str]) -> None:
    """While the first works on the tram, the second waits for it, and the ferry is worked on beside it."""
    async with asyncio.timeout(PATIENCE):
        first = works.start("first", "tram")
        await works.inside["first"].wait()
        second = works.start("second", "tram")
        await works.waits.wait()
        other = works.start("other", "ferry")
        await works.inside["other"].wait()
        assert not works.inside["second"].is_set()
        assert f"Waiting for 'first' (flow run {works.ids['first']}, Running) to be over" in logged()

        works.may_end["first"].set()
        await works.inside["second"].wait()
        for name in ("second", "other"):
            works.may_end[name].set()
        await asyncio.gather(first, second, other)


async def test_a_run_within_another_has_its_turn(works: Works) -> None:
    """A deploy that is part of a training update must not wait for that update to end."""

    @flow
    async def outer() -> list[str]:
        await take_turn("track:tram")
        return await inner()

    @flow
    async def inner() -> list[str]:
        await take_turn("track:tram")
        async with get_client() as client:
            return (await client.read_flow_run(flow_run.id)).tags

    async with asyncio.timeout(PATIENCE):
        assert await outer() == []


@pytest.mark.parametrize("each", [testing_update, training_update, deploy], ids=lambda each: each.name)
async def test_every_flow_that_changes_a_track_takes_its_turn(
    each: Flow[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything else."""

    class Asked(Exception):
        """With what."""

    async def ask(what: str) -> None:
        raise Asked(what)

    monkeypatch.setitem(inspect.unwrap(each.fn).__globals__, "take_turn", ask)
    arguments = {"model": "m", "verdict": "v"} if each is deploy else {}

    with pytest.raises(Asked, match="track:bus"):
        await each("bus", **arguments)
