"""Who is at a track's endpoint: others wait for a run that lives, and take over from one that is dead."""

from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.logging import disable_run_logger
from prefect.states import Crashed, Paused, Running, Scheduled, State

from domain.ledger import News, Pending
from tasks.owners import Owners
from tests.flows.conftest import World


@flow(name="somebody")
async def somebody() -> None:
    """A flow whose runs are only made, never run."""


async def run_in(client: PrefectClient, state: State[None], *tags: str) -> FlowRun:
    """A run in that state."""
    run = await client.create_flow_run(somebody, tags=tags)
    await client.set_flow_run_state(run.id, state, force=True)
    return run


async def begun_by(world: World, run: object) -> Pending:
    """Let a run have something pending."""
    pending = Pending(model_name="places-model-x", evidence="e", flow_run=str(run))
    news = News(kind="release-started", flow_run=str(run), revision="")
    await world.ledger.append(news, lambda _: {"pending": pending})
    return pending


@pytest.mark.parametrize(
    ("state", "alive"),
    [(Running(), True), (Crashed(), False), (Paused(), False), (Scheduled(), False)],
    ids=lambda one: str(getattr(one, "name", one)),
)
async def test_only_a_run_at_work_is_waited_for(state: State[None], alive: bool) -> None:
    """A run that waits for a worker, or for a person, has no process that could be at the endpoint."""
    async with get_client() as client:
        run = await run_in(client, state)
        assert await Owners(client, None).is_at_work(str(run.id)) is alive


@pytest.mark.parametrize("unknown", ["", "not an id", str(UUID(int=7))])
async def test_a_run_that_the_server_does_not_know_is_dead(unknown: str) -> None:
    """Another server's, or deleted: waiting for it would never end."""
    async with get_client() as client:
        assert not await Owners(client, None).is_at_work(unknown)


async def test_a_run_does_not_wait_for_itself() -> None:
    """Begun again after a crash, it finds what it left pending itself."""
    async with get_client() as client:
        run = await run_in(client, Running())
        assert not await Owners(client, run.id).is_at_work(str(run.id))


async def test_what_is_pending_is_waited_for_until_its_run_is_dead(world: World) -> None:
    """Then it is there to be taken over."""
    async with get_client() as client:
        run = await run_in(client, Running())
        pending = await begun_by(world, run.id)
        looks: list[float] = []

        async def die(seconds: float) -> None:
            looks.append(seconds)
            if len(looks) == 2:
                await client.set_flow_run_state(run.id, Crashed(), force=True)

        with disable_run_logger():
            head = await Owners(client, None, sleep=die).settled(world.ledger)

    assert (head.pending, len(looks)) == (pending, 2)


async def test_another_run_with_the_turn_is_seen() -> None:
    """Retention leaves everything alone then; a run that only waits for its turn is no reason."""
    async with get_client() as client:
        await run_in(client, Running(), "track:owned-1")
        mine = await run_in(client, Running(), "turn:track:owned-1")
        assert not await Owners(client, mine.id).has_others("turn:track:owned-1")
        assert await Owners(client, None).has_others("turn:track:owned-1")
