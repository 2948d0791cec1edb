"""From the training to the release, with a person and a release window in between, as a worker runs it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.flow_runs import asuspend_flow_run
from pydantic import BaseModel

import flows.deploy
import tasks.windows
from domain.ledger import State
from domain.mistakes import Mistake
from flows.deploy import deploy, deploy_within
from flows.testing_update import testing_update
from flows.training_update import training_update
from tasks.ledger import Ledger
from tasks.results import KEPT, NOT_KEPT
from tests.flows.approval_kit import ASKS, YES, deployed, due, requests, resumed, started, worked_on
from tests.flows.conftest import NAMES, SPOKEN, World
from tests.tasks.test_results import records

RECOGNITION = "/speech/recognition"
NIGHT, MORNING = datetime(2100, 1, 4, 20, tzinfo=UTC), datetime(2100, 1, 5, 9, tzinfo=UTC)
"""Far away, or runs that are planned would begin while these tests run."""

WINDOW = '[release.window]\nhours = "09:00-16:00"\n'


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """The time by which release windows go."""
    return lambda now: monkeypatch.setattr(tasks.windows, "now", lambda: now)


async def planned(world: World) -> list[FlowRun]:
    """Runs of the track that wait on the server for their time."""
    waiting = FlowRunFilter.model_validate(
        {"tags": {"all_": [f"track:{world.track}"]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
    )
    async with get_client() as client:
        return await client.read_flow_runs(flow_run_filter=waiting)


@pytest.mark.slow
async def test_an_approved_model_waits_for_the_window_without_a_worker(
    world: World, clock: Callable[[datetime], None]
) -> None:
    """Approved at night: planned for the morning. Meanwhile nobody waits for either run, and clients notice nothing."""
    world.track = "nightly"
    world.write_track(settings=ASKS + WINDOW)
    await deployed(deploy)
    clock(NIGHT)
    run = await started(training_update, world.arguments)
    assert (await worked_on(training_update, run)).name == "Suspended"
    assert (await testing_update(**world.arguments)).decision.ruling.measures_only
    await resumed(run, YES)

    ended = await worked_on(training_update, run)

    assert (ended.name, ended.type.value) == ("Planned", "COMPLETED")
    assert "2100-01-05 09:00 UTC" in str(ended.message)
    assert await world.entities("endpoints") == []
    (waits,) = await planned(world)
    assert (waits.next_scheduled_start_time, waits.parameters["approval"]) == (MORNING, (await requests(world))[0].id)
    assert (await testing_update(**world.arguments)).decision.settled

    clock(MORNING)
    await due(waits.id)
    assert (await worked_on(deploy, waits.id)).type.value == "COMPLETED"
    release = (await ledger_of(world)).release
    assert release
    assert (release.approval, (await requests(world))[0].status) == (waits.parameters["approval"], "used")


@pytest.mark.slow
async def test_a_rejected_model_can_be_asked_for_again_and_an_approval_is_used_once(world: World) -> None:
    """Deploy on its own asks, too. What it was given is spent when the release fails: next time somebody hears of it."""
    world.track = "careful"
    world.write_track(NAMES, settings=ASKS)
    run = await started(training_update, world.arguments)
    await worked_on(training_update, run)
    await resumed(run, YES | {"approve": False, "reason": "on holiday"})
    ended = await worked_on(training_update, run)
    assert (ended.name, ended.type.value) == ("Rejected", "COMPLETED")
    assert not (await ended.aresult()).released
    (rejected,) = await requests(world)
    order = {"track": world.track, "model": rejected.model.name, "verdict": rejected.verdict}
    with pytest.raises(Mistake, match="its approval is rejected by Grace Hopper"):
        await deploy(**order, approval=rejected.id)
    with pytest.raises(Mistake, match="prefect deployment run deploy/speechops -p track=careful"):
        await deploy(**order)
    with pytest.raises(Mistake, match="there is none for this model and this verdict"):
        await flow(deploy_within)(**order, speech="speechops", store="speechops")

    run = await started(deploy, order)
    assert (await worked_on(deploy, run)).name == "Suspended"
    await resumed(run, YES)
    await world.fault(method="POST", path=RECOGNITION, kind="deaf", times=3)
    state = await worked_on(deploy, run)
    assert state.is_failed()
    assert "ReleaseFailed" in str(state.message)

    used = (await requests(world))[-1]
    with pytest.raises(Mistake, match="was used before"):
        await deploy(**order, approval=used.id)
    assert (await ledger_of(world)).release is None


@pytest.mark.slow
async def test_an_approval_that_other_testing_data_have_overtaken_does_not_count(world: World) -> None:
    """The run goes on with the data that it began with; meanwhile others became the track's."""
    world.track = "overtaken"
    world.write_track(settings=ASKS)
    run = await started(training_update, world.arguments)
    assert (await worked_on(training_update, run)).name == "Suspended"
    world.write_track(settings=ASKS, spoken={**SPOKEN, "9.wav": "xylon xenon xeric"})
    await testing_update(**world.arguments)
    world.write_track(settings=ASKS)
    await resumed(run, YES)

    assert (await worked_on(training_update, run)).name == "Stale"
    assert await world.entities("endpoints") == []


@pytest.mark.parametrize("stored", ["nothing", "plain JSON", "a pickle"])
async def test_a_run_that_goes_on_does_not_take_an_earlier_release_for_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stored: str
) -> None:
    """Before the approval it finished an interrupted release. Prefect would give the answer of that one, if it has it.

    A run that an earlier version suspended has a pickle, which nobody reads: the run goes on all the same.
    """
    done: list[str] = []
    mark = tmp_path / "mark"

    @flow(name="deploy-like", **(NOT_KEPT if stored == "nothing" else KEPT))
    async def deploys(track: str, model: str, verdict: str, speech: str, store: str, approval: str) -> Any:
        done.append(verdict)
        return ModelReleased(evidence=verdict)

    @flow(**KEPT)
    async def trains() -> str:
        if not done:
            await deploy_within("t", "m1", "interrupted", "", "")
        await asuspend_flow_run(timeout=600, key="approval")
        return str((await deploy_within("t", "m2", "approved", "", "")).evidence)

    monkeypatch.setattr(flows.deploy, "deploy", deploys)
    run: UUID = await started(trains, {})
    await worked_on(trains, run)
    if stored == "a pickle":
        await plant(run, mark)
    await resumed(run, None)

    assert await (await worked_on(trains, run)).aresult() == "approved"
    assert done == ["interrupted", "approved"]
    assert not mark.exists()


class ModelReleased(BaseModel):
    """What `deploy_within` looks at."""

    evidence: str


async def plant(run: UUID, mark: Path) -> None:
    """What an earlier version stored for the subflow, with something in it that makes `mark`."""
    chosen = FlowRunFilter.model_validate({"parent_flow_run_id": {"any_": [run]}})
    _, record = next(records(mark, ""))
    where = mark.with_name("record")
    where.write_text(json.dumps(record))
    async with get_client() as client:
        (child,) = await client.read_flow_runs(flow_run_filter=chosen)
        data = record["metadata"] | {"storage_key": str(where)}
        body = {"state": {"type": "COMPLETED", "data": data}, "force": True}
        (await client._client.post(f"/flow_runs/{child.id}/set_state", json=body)).raise_for_status()
        assert (await client._client.get(f"/flow_runs/{child.id}")).json()["state"]["data"]["serializer"][
            "type"
        ] == "pickle"


async def ledger_of(world: World) -> State:
    """The head of the track."""
    return await Ledger(world.store, world.track).state()
