"""`speechops rollback` and `speechops orphans`, as the person on call types them."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.flow_engine import run_flow_async
from rich.console import Console

from deployments.orphan_table import show_orphans
from deployments.orphaned import find_and_remove
from deployments.undoing import DEPLOYMENT, roll_back
from domain.mistakes import Mistake
from domain.orphans import Orphan
from flows.rollback import rollback
from tests.flows.conftest import World
from tests.flows.release_kit import Templates, copied, live_model

WISH = {"track": "places", "to": "", "reason": "it stutters", "by": "ada"}


@pytest.fixture
async def world(templates: Templates, tmp_path: Path) -> AsyncIterator[World]:
    """A track with three releases."""
    async with copied(templates.live, tmp_path) as world:
        yield world


@asynccontextmanager
async def worker() -> AsyncIterator[None]:
    """The deployment, and a worker that runs what is started of it."""
    async with get_client() as client:
        made = await client.create_deployment(await client.create_flow(rollback), name=DEPLOYMENT.partition("/")[2])
        chosen = DeploymentFilter(id=DeploymentFilterId(any_=[made]))

        async def work() -> None:
            while not (runs := await client.read_flow_runs(deployment_filter=chosen)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await run_flow_async(rollback, flow_run=runs[0], parameters=runs[0].parameters, return_type="state")

        working = asyncio.create_task(work())
        yield
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        await client.delete_deployment(made)


def console() -> tuple[Console, io.StringIO]:
    """A console, and what it shows."""
    shown = io.StringIO()
    return Console(file=shown, width=200), shown


async def test_the_command_runs_the_deployment_and_tells_its_end(world: World) -> None:
    """One command: it shows the steps, and says what is live now and how long it took."""
    screen, shown = console()

    async with worker():
        told = await roll_back(WISH, screen, here=False)

    state = await world.ledger.state()
    assert told.startswith(f"Rolled back: '{state.release.model_name}' (1.1.0) is live again, instead of '")
    assert "start-live-endpoint: Completed" in shown.getvalue()
    assert (state.release.by, state.release.model) == ("ada", await live_model(world))


async def test_without_a_worker_it_runs_here(world: World) -> None:
    """Three in the morning, and nothing takes the run: the same command with --here does it."""
    with pytest.raises(Mistake, match=r"has no deployment rollback/speechops.* --here"):
        await roll_back(WISH, console()[0], here=False)

    assert (await roll_back(WISH, console()[0], here=True)).startswith("Rolled back: ")
    with pytest.raises(Mistake, match=r"ended as Failed: track 'places' has no release '9'\. There are: 1\.2\.0"):
        await roll_back({**WISH, "to": "9"}, console()[0], here=True)


async def test_what_is_left_behind_is_listed_with_its_cost_and_removed(world: World) -> None:
    """A staging endpoint that nobody uses, and somebody else's live endpoint: the first goes, the second is only shown."""
    await world.speech.http.post("/_emulator/clock", json={"offset_seconds": -timedelta(days=1).total_seconds()})
    model = {"self": (await world.entities("models"))[0]["self"]}
    for name, track in (("places-staging-0", "places"), ("bus-live", "bus")):
        properties = {"track": track, "contentHash": "h"}
        body = {"displayName": name, "locale": "en-US", "model": model, "customProperties": properties}
        await world.speech.final(await world.speech.post("/endpoints", **body))

    def told(orphans: tuple[Orphan, ...]) -> list[tuple[str, bool, bool]]:
        return [(one.name, one.deletable, one.deleted) for one in orphans if one.kind == "endpoint"]

    screen, shown = console()
    listed = await find_and_remove("speechops", str(world.store.folder), 0.05, delete=False)
    removed = await find_and_remove("speechops", str(world.store.folder), 0.05, delete=True)
    show_orphans(removed, screen)

    assert told(listed.orphans) == [("bus-live", False, False), ("places-staging-0", True, False)]
    assert told(removed.orphans) == [("bus-live", False, False), ("places-staging-0", True, True)]
    assert (listed.monthly_cost, removed.monthly_cost) == (73.0, 36.5)
    assert "1 deleted; 1 left, 36.50 a month" in shown.getvalue()
    assert sorted(str(one["displayName"]) for one in await world.entities("endpoints")) == ["bus-live", "places-live"]
