"""Never two runs of one track at once, whatever the order in which the server hears of things; and never nobody."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.logging import disable_run_logger

from tasks.turns import Queue, may_be_waited_for, place

TRACK, TURN = "track:maps", "turn:track:maps"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MOST_STEPS = 50_000


@pytest.fixture(autouse=True)
def no_logs() -> Iterator[None]:
    """There is no run whose log it could be."""
    with disable_run_logger():
        yield


class Server:
    """Prefect's table of flow runs. A request takes a while to arrive, and its answer to come back."""

    def __init__(self, seed: int = 0) -> None:
        self.runs: dict[UUID, FlowRun] = {}
        self.steps = 0
        self.calls = 0
        self._random = random.Random(seed)

    async def pause(self, seconds: float = 0) -> None:
        """Let others do something meanwhile."""
        for _ in range(self._random.randint(0, 6)):
            self.steps += 1
            assert self.steps < MOST_STEPS, "nobody gets the turn"
            await asyncio.sleep(0)

    def add(self, number: int, state: str = "Running", *, tags: Sequence[str] = (TRACK,), second: int = 0) -> UUID:
        """A run that is expected to start at that second after noon."""
        at = NOON + timedelta(seconds=second)
        run = FlowRun(id=UUID(int=number), flow_id=UUID(int=0), name=f"run {number}", tags=list(tags))
        self.runs[run.id] = run.model_copy(update={"expected_start_time": at})
        self.move(run.id, state)
        return run.id

    def move(self, run_id: UUID, state: str) -> None:
        """Another state."""
        kinds = {"Late": "SCHEDULED", "AwaitingRetry": "SCHEDULED", "Resuming": "SCHEDULED", "Suspended": "PAUSED"}
        kind = StateType(kinds.get(state, state.upper()))
        self.runs[run_id] = self.runs[run_id].model_copy(update={"state_type": kind, "state_name": state})

    async def read_flow_run(self, run_id: UUID) -> FlowRun:
        """As Prefect's client."""
        await self._call()
        return self.runs[run_id]

    async def update_flow_run(self, run_id: UUID, tags: list[str]) -> None:
        """As Prefect's client."""
        await self._call()
        self.runs[run_id] = self.runs[run_id].model_copy(update={"tags": tags})
        await self.pause()

    async def read_flow_runs(
        self, *, flow_run_filter: FlowRunFilter, limit: int, offset: int, **_: object
    ) -> list[FlowRun]:
        """As Prefect's client, for what we ask of it."""
        await self._call()
        wanted = flow_run_filter.model_dump(exclude_unset=True)
        assert wanted["parent_task_run_id"] == {"is_null_": True}
        tags, states = set(wanted["tags"]["all_"]), wanted["state"]["type"]["any_"]
        found = [run for run in self.runs.values() if tags <= set(run.tags) and run.state_type in states]
        await self.pause()
        return sorted(found, key=place)[offset : offset + limit]

    async def _call(self) -> None:
        self.calls += 1
        await self.pause()


def queue(server: Any, run_id: UUID) -> Queue:
    """The queue as a run sees it; waiting takes no time."""
    return Queue(server, run_id, TRACK, sleep=server.pause)


async def waits(server: Server, run_id: UUID) -> bool:
    """Whether a run still waits when it has looked many times."""
    turn = asyncio.ensure_future(queue(server, run_id).take_turn())
    until = server.calls + 20
    while not turn.done() and server.calls < until:  # noqa: ASYNC110 - it counts what others ask
        await asyncio.sleep(0)
    waiting = not turn.done()
    turn.cancel()
    await asyncio.wait([turn])
    return waiting


async def test_an_empty_queue_costs_three_requests() -> None:
    """Most runs are alone: they read themselves, set their tags, and look once."""
    server = Server()
    run = server.add(1, tags=["mine"])

    await queue(server, run).take_turn(["delivery:1"])

    assert server.calls == 3
    assert server.runs[run].tags == ["mine", "delivery:1", TRACK, TURN]


@pytest.mark.parametrize("state", ["Running", "Cancelling", "Pending", "Scheduled", "Late"])
async def test_who_was_earlier_goes_first(state: str) -> None:
    """It is at work, or will be soon."""
    server = Server()
    server.add(1, state, second=0)

    assert await waits(server, server.add(2, second=1))


@pytest.mark.parametrize("state", ["Suspended", "AwaitingRetry", "Resuming", "Crashed", "Failed", "Completed"])
async def test_who_waits_for_a_person_holds_nobody_up(state: str) -> None:
    """A release that waits for approval over the weekend, a crash that is tried again later, all that is over."""
    server = Server()
    server.add(1, state, tags=[TRACK, TURN], second=0)

    assert not await waits(server, server.add(2, second=1))


async def test_who_is_later_or_of_another_track_holds_nobody_up() -> None:
    """Two tracks go side by side, and nobody waits for tonight's schedule."""
    server = Server()
    server.add(1, "Scheduled", second=9)
    server.add(2, "Running", tags=["track:bus", "turn:track:bus"], second=0)

    assert not await waits(server, server.add(3, second=1))


async def test_who_has_the_turn_keeps_it_when_an_earlier_run_turns_up() -> None:
    """Resumed after its approval, tried again, or started by hand and slow to come: it was earlier, but it is not alone."""
    server = Server()
    holder = server.add(1, second=5)
    await queue(server, holder).take_turn()

    late = server.add(2, tags=[], second=0)
    assert await waits(server, late)

    server.move(holder, "Completed")
    assert not await waits(server, late)


async def test_a_tie_is_decided_by_the_ids() -> None:
    """Two runs that were made at the same moment do not wait for each other."""
    server = Server()
    first, second = server.add(1), server.add(2)

    assert (await waits(server, first), await waits(server, second)) == (False, True)


async def test_what_a_crash_left_behind_does_not_count() -> None:
    """The mark of the turn stays on a run that died; when it is tried again, it has to ask again."""
    server = Server()
    server.add(1, "Pending", tags=[TRACK, TURN], second=9)

    assert not await waits(server, server.add(2, second=0))


async def test_a_long_queue_is_read_to_its_end() -> None:
    """Prefect's server answers with 200 runs at most."""
    server = Server()
    for number in range(2, 450):
        server.add(number, "Scheduled", second=10 + number)
    holder = server.add(999, tags=[TRACK, TURN], second=10_000)

    assert await waits(server, server.add(1, second=0))
    server.move(holder, "Completed")
    assert not await waits(server, UUID(int=1))


async def test_a_server_that_is_away_is_waited_for() -> None:
    """It is restarted, or moved: the run just asks again."""

    class Away(Server):
        async def _call(self) -> None:
            await super()._call()
            if self.calls < 20:
                raise httpx.ConnectError("refused")

    server = Away()

    await queue(server, server.add(1)).take_turn()

    assert server.calls > 20


async def test_a_server_that_refuses_is_told_at_once() -> None:
    """A wrong key does not become right by waiting."""

    class Refuses(Server):
        async def _call(self) -> None:
            await super()._call()
            raise httpx.HTTPStatusError("no", request=httpx.Request("GET", "http://a"), response=httpx.Response(401))

    server = Refuses()

    with pytest.raises(httpx.HTTPStatusError):
        await queue(server, server.add(1)).take_turn()
    assert server.calls == 1


@pytest.mark.parametrize("seed", range(60))
async def test_never_two_at_once_and_everybody_in_the_end(seed: int) -> None:
    """Runs that join late, die, are tried again or resumed, in any order that the network makes of it."""
    server, chance, busy = Server(seed), random.Random(seed), set[UUID]()

    async def live(run_id: UUID) -> None:
        for _ in range(chance.randint(1, 3)):
            await server.pause()
            server.move(run_id, "Pending")
            await server.pause()
            server.move(run_id, "Running")
            await queue(server, run_id).take_turn()
            busy.add(run_id)
            assert len(busy) == 1
            await server.pause()
            await server.pause()
            busy.remove(run_id)
            server.move(run_id, chance.choice(["AwaitingRetry", "Suspended"]))
        server.move(run_id, "Completed")

    runs = [
        server.add(number, "Scheduled", tags=chance.choice([[], [TRACK]]), second=chance.randint(0, 3))
        for number in range(1, 7)
    ]
    await asyncio.gather(*map(live, runs))

    assert all(run.state_name == "Completed" for run in server.runs.values())


def test_a_scheduled_run_is_waited_for_only_when_it_starts_by_itself() -> None:
    """Its state's name says which."""
    server = Server()

    states = ["Scheduled", "Late", "AwaitingRetry", "Resuming", "Pending"]

    runs = [server.runs[server.add(number, state)] for number, state in enumerate(states)]
    assert [may_be_waited_for(run) for run in runs] == [True, True, False, False, True]


async def test_who_leaves_the_queue_lets_the_next_one_in() -> None:
    """Its own run goes on for hours, with something else."""
    server = Server()
    first, second = server.add(1, tags=["mine"], second=0), server.add(2, second=1)
    await queue(server, first).take_turn()
    assert await waits(server, second)

    await queue(server, first).end_turn()

    assert server.runs[first].tags == ["mine"]
    assert not await waits(server, second)
