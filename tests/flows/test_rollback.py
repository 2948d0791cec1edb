"""Rolling back: the model before goes live again, at once, on the same endpoint; the bad one does not come back by itself."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.flow_engine import run_flow_async
from rich.console import Console

import flows.going_live
from deployments.orphan_table import show_orphans
from deployments.orphaned import find_and_remove
from deployments.undoing import DEPLOYMENT, roll_back
from domain.ledger import News, Pending, Release
from domain.mistakes import Mistake
from domain.orphans import Orphan
from flows.deploy import deploy
from flows.rollback import rollback
from flows.training_update import training_update
from tasks.endpoints import ReleaseFailed
from tests.emulator.service_kit import path_of
from tests.flows.conftest import World
from tests.flows.kill_kit import Killer, declare_crashed, disagreements, parameters_of, run_next
from tests.flows.kill_kit import killer as killer
from tests.flows.release_kit import RECOGNITION, SPOKEN, STAGED, Templates, copied, live_model

WISH = {"track": "places", "to": "", "reason": "it stutters", "by": "ada"}


@pytest.fixture
async def world(templates: Templates, tmp_path: Path) -> AsyncIterator[World]:
    """A track with three releases."""
    async with copied(templates.live, tmp_path) as world:
        yield world


async def releases(world: World) -> list[Release]:
    """All releases, oldest first."""
    state = await world.ledger.state()
    return [*reversed(state.previous_releases), *([state.release] if state.release else [])]


async def deleted(world: World, model: str) -> None:
    """Somebody deletes a model, and the evaluations that are in the way."""
    for evaluation in await world.entities("evaluations"):
        await world.speech.call("DELETE", path_of(evaluation))
    answer = await world.speech.call("DELETE", f"/{model}")
    assert answer.status_code == 204, answer.text


async def test_a_release_is_taken_back_in_one_step(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The drill: one rollback; the endpoint's id stays, history says why and who, the benchmark is the old model."""
    _, second, third = await releases(world)

    begun = time.monotonic()
    release = await rollback(world.track, reason="names are wrong", by="ada")
    with capsys.disabled():
        print(f"\n  rollback on the emulator: {time.monotonic() - begun:.1f} s")

    state = await world.ledger.state()
    assert (release.number, release.kind, release.model) == (4, "rollback", second.model)
    assert (release.endpoint, release.version, release.by) == (third.endpoint, second.version, "ada")
    assert await live_model(world) == second.model == state.benchmark.model
    assert [one.number for one in state.previous_releases] == [3, 2, 1]
    assert [(one.model, one.reason) for one in state.withdrawn] == [(third.model, "names are wrong")]
    told = {entry.kind: entry.facts for entry in await world.ledger.history()}
    assert told["rollback"]["why"] == told["rollback-started"]["why"] == "names are wrong"


async def test_a_model_that_was_taken_back_does_not_come_back_by_itself(world: World) -> None:
    """The same data are pushed again: refused with reason and remedy, nothing is trained; and nobody can deploy it."""
    _, second, third = await releases(world)
    await rollback(world.track, reason="it mishears xerxes")
    done = await world.speech.state()

    state = await training_update(**world.arguments, return_state=True)

    assert state.name == "Refused"
    assert "it mishears xerxes" in state.message
    assert f"speechops rollback {world.track} --to {third.version}" in state.message
    assert (await live_model(world), await world.speech.state()) == (second.model, done)
    with pytest.raises(Mistake, match="was taken back"):
        await deploy(world.track, third.model_name, third.evidence)


@pytest.mark.slow
async def test_other_training_data_release_after_a_rollback(world: World) -> None:
    """Only the model that was taken back is unwelcome, not the next one."""
    await rollback(world.track)
    world.write_track("xanadu and xerxes and a xystus are all places\n", SPOKEN, STAGED)

    assert (await training_update(**world.arguments)).released


@pytest.mark.slow
async def test_naming_a_model_that_was_taken_back_makes_it_welcome_again(world: World) -> None:
    """It was a mistake to take it back: it is live again, and the model before can still be gone back to."""
    _, second, third = await releases(world)
    await rollback(world.track)

    again = await rollback(world.track, to=third.version)

    assert (again.model, again.version, (await world.ledger.state()).withdrawn) == (third.model, third.version, ())
    assert (await rollback(world.track)).model == second.model


async def test_asking_twice_is_one_rollback(world: World) -> None:
    """Two people wake up, or one is in doubt: one more step back has to be named, and the message says how."""
    first, second, _ = await releases(world)
    await rollback(world.track, by="ada")

    state = await rollback(world.track, by="bob", return_state=True)

    assert state.name == "Already live"
    assert f"To go back one more: `speechops rollback places --to {first.version}`" in state.message
    assert await live_model(world) == second.model
    assert (await rollback(world.track, to=first.version)).model == first.model
    with pytest.raises(Mistake, match=r"has no release '9\.9\.9'. There are: 1\.2\.0"):
        await rollback(world.track, to="9.9.9")


async def test_a_deleted_model_is_refused_with_the_next_best_choice(world: World) -> None:
    """Somebody deleted it in Speech Studio: the message has the command for the one before."""
    first, second, _ = await releases(world)
    await deleted(world, second.model)

    with pytest.raises(Mistake, match=rf"is deleted\. Next best: .*speechops rollback places --to {first.version}"):
        await rollback(world.track, to=second.version)

    await deleted(world, first.model)
    with pytest.raises(
        Mistake, match=r"no earlier release to go back to \(1\.1\.0 .* is deleted; 1\.0\.0 .* is deleted"
    ):
        await rollback(world.track)


async def test_a_model_that_the_service_calls_expired_is_not_gone_back_to(world: World) -> None:
    """By the service's clock, which may be ahead of ours: clients have what they had."""
    before = await live_model(world)
    await world.speech.http.post("/_emulator/clock", json={"offset_seconds": timedelta(days=5 * 365).total_seconds()})

    with pytest.raises(ReleaseFailed, match=r"ModelDeprecated.* is back"):
        await rollback(world.track)

    assert await live_model(world) == before
    assert (await world.ledger.state()).pending is None


async def test_what_was_live_comes_back_when_the_old_model_does_not_answer(world: World) -> None:
    """The verification on the live id fails: clients have what they had, and the message says what else can be done."""
    first, _, third = await releases(world)
    await world.fault(method="POST", path=RECOGNITION, kind="deaf", times=1)

    with pytest.raises(ReleaseFailed, match=rf"is back\. Next best: .* --to {first.version}"):
        await rollback(world.track)

    assert await live_model(world) == third.model
    state = await world.ledger.state()
    assert (state.pending, state.withdrawn, state.last.kind) == (None, (), "rollback-failed")


async def interrupted(world: World, kind: str, model: str, evidence: str) -> None:
    """A run died while it put a model live, or back."""
    pending = Pending(model_name=model, evidence=evidence, kind=kind, flow_run=str(uuid4()))
    news = News(kind=f"{kind}-started", flow_run=pending.flow_run, revision="")
    await world.ledger.append(news, lambda _: {"pending": pending})


@pytest.mark.slow
async def test_an_interrupted_release_that_clients_have_already_is_taken_back(
    templates: Templates, tmp_path: Path
) -> None:
    """The run died after the endpoint had changed: back is to the live model of the ledger, and the new one is withdrawn."""
    async with copied(templates.ready, tmp_path) as world:
        _, second = await releases(world)
        third = [entry.facts for entry in await world.ledger.history() if entry.kind == "training-update"][-1]
        (model,) = [one for one in await world.entities("models") if one["displayName"] == third["candidate"]]
        (endpoint,) = await world.entities("endpoints")
        await interrupted(world, "release", third["candidate"], third["ruling"])
        await world.speech.call("PATCH", path_of(endpoint), json={"model": {"self": model["self"]}})

        release = await rollback(world.track, reason="gibberish")

        assert release.model == second.model == await live_model(world)
        state = await training_update(**world.arguments, return_state=True)
        assert (state.name, "gibberish" in state.message) == ("Refused", True)
        assert (await rollback(world.track, to=third["candidate"])).model_name == third["candidate"]


async def test_a_run_that_was_taken_for_dead_leaves_the_endpoint_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run has taken the rollback over meanwhile: what fails here must not change what clients have."""
    _, second, _ = await releases(world)

    async def taken_over(*_: object) -> None:
        await interrupted(world, "rollback", second.model_name, second.evidence)
        raise ConnectionError("the network is away")

    monkeypatch.setattr(flows.going_live, "listen", taken_over)
    with pytest.raises(Mistake, match="was taken over by another run"):
        await rollback(world.track)

    assert await live_model(world) == second.model
    assert (await world.ledger.state()).pending is not None


@pytest.mark.slow
@pytest.mark.parametrize("after", ["training-update", "rollback"])
async def test_a_rollback_that_cannot_be_finished_is_taken_back(world: World, after: str) -> None:
    """Its model was deleted after the crash: the live model stays, and nothing is in the way for ever."""
    first, second, third = await releases(world)
    await interrupted(world, "rollback", second.model_name, second.evidence)
    await deleted(world, second.model)

    if after == "rollback":
        assert (await rollback(world.track, to=first.version)).model == first.model
    else:
        await training_update(**world.arguments)
        assert await live_model(world) == third.model
        assert [entry.kind for entry in await world.ledger.history()][-1] == "rollback-failed"
    assert (await world.ledger.state()).pending is None


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


async def test_a_rollback_whose_process_is_killed_is_finished_by_the_next_run(world: World, killer: Killer) -> None:
    """SIGKILL right after the endpoint has changed, before anybody has noted it; `make slow` does it at every step."""
    step = "after PATCH endpoints"
    assert (await killer.run("rollback", await parameters_of(world, "rollback"), wanted=step))[0] == step
    await declare_crashed()

    await run_next(world, "training-update")

    assert await disagreements(world) == []
    assert (await world.ledger.state()).release.kind == "rollback"
