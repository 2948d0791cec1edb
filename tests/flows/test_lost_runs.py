"""Whatever stops a run between its creation and its end, somebody begins it again, and only once; on a real Prefect server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import AwaitingRetry, Cancelled, Cancelling, Completed, Crashed, Failed, Pending, Running, Suspended
from prefect.workers.process import ProcessWorker

from deployments.lost_runs import RunPatience
from deployments.registration import make_work_pool
from deployments.run_automations import Windows
from domain.mistakes import Mistake
from tests.deployments.server_kit import emit, events, until
from tests.flows.keeper_kit import Keeping

AGAIN = (AwaitingRetry(), Pending(), Running(), Crashed())
FLOW = """
import os
from pathlib import Path
from prefect import flow

@flow
async def begun(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
"""


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """Of the session's server."""
    async with get_client() as client:
        yield client


@pytest.fixture
async def at(client: PrefectClient) -> Keeping:
    """No run yet."""
    return await Keeping.prepared(client)


@pytest.mark.parametrize(
    "states",
    [
        pytest.param(
            [Pending(), Crashed(message="Failed to submit flow run to infrastructure: 503")], id="not-submitted"
        ),
        pytest.param([Pending(), Running(), Crashed()], id="crashed"),
    ],
)
async def test_a_run_that_crashed_is_begun_again(at: Keeping, states: list[State[Any]]) -> None:
    """Whether it had begun or not."""
    run = await at.run(*states)

    await at.after(29)
    assert await at.state(run) == "Crashed"
    await at.after(1)
    assert await at.state(run) == "AwaitingRetry"


async def test_a_run_that_is_pending_for_ever_is_begun_again(at: Keeping) -> None:
    """Its worker died between taking it and starting it."""
    run = await at.run(Pending())

    await at.after(899)
    assert await at.state(run) == "Pending"
    await at.after(1)
    assert await at.state(run) == "Crashed"
    await at.after(30)
    assert await at.state(run) == "AwaitingRetry"


async def test_a_run_that_never_sent_a_heartbeat_is_begun_again(at: Keeping) -> None:
    """Its process died in its first second: no automation waits for a second heartbeat."""
    run = await at.run(Pending(), Running())

    await at.after(119)
    assert await at.state(run) == "Running"
    await at.after(1)
    assert await at.state(run) == "Crashed"
    await at.after(30)

    assert await at.state(run) == "AwaitingRetry"
    states = sorted(await at.client.read_flow_run_states(run), key=lambda one: one.timestamp)
    assert [state.name for state in states][-4:] == ["Running", "Vanished", "Crashed", "AwaitingRetry"]


@pytest.mark.slow
async def test_a_heartbeat_keeps_a_run_alive(at: Keeping) -> None:
    """The newest counts, for as long as one may be late."""
    run = await at.run(Pending(), Running())
    resource = {"prefect.resource.id": f"prefect.flow-run.{run}"}
    await at.after(100)
    await emit(at.client, "prefect.flow-run.heartbeat", resource)
    await until(lambda: events(at.client, "prefect.flow-run.heartbeat", resource["prefect.resource.id"]))

    await at.after(20, 119)
    assert await at.state(run) == "Running"
    await at.after(1)
    assert await at.state(run) == "Crashed"


@pytest.mark.parametrize(
    ("states", "ends"),
    [
        ([Running(), Suspended(timeout_seconds=9999)], "Suspended"),
        ([Cancelled()], "Cancelled"),
        ([Pending(), Running(), Cancelled()], "Cancelled"),
        ([Pending(), Running(), Cancelling()], "Cancelled"),
        ([Pending(), Running(), Failed()], "Failed"),
        ([Pending(), Running(), Completed(name="Released")], "Released"),
    ],
)
async def test_what_waits_for_people_or_is_over_is_not_begun(at: Keeping, states: list[State[Any]], ends: str) -> None:
    """One that an operator cancelled least of all: it is only ended, when nobody is left to do so."""
    run = await at.run(*states)

    await at.after(130, 130, 1000)

    assert await at.state(run) == ends


async def test_runs_of_other_deployments_are_left_alone(client: PrefectClient) -> None:
    """The server may not be ours alone."""
    at = await Keeping.prepared(client, "somebody's")
    run = await at.run(Pending(), Running(), Crashed())

    await at.after(130)

    assert await at.state(run) == "Crashed"


async def test_a_run_that_crashes_each_time_is_given_up_and_told(at: Keeping) -> None:
    """It may kill its worker. Failed is what the notification block is told of, and nothing begins it again."""
    run = await at.run(Pending(), Running(), Crashed())
    for _ in range(4):
        await at.after(30, 30, 60, 120)
        assert await at.state(run) == "AwaitingRetry"
        await at.move(run, Pending(), Running(), Crashed(message="Killed, out of memory."))

    await at.after(30, 1000)

    ended = (await at.read(run)).state
    assert ended
    assert ended.name == "Failed"
    assert "begun 5 times" in str(ended.message)
    assert "out of memory" in str(ended.message)
    assert f"prefect flow-run retry {run}" in str(ended.message)


async def test_a_person_who_presses_retry_gives_it_all_its_lives_again(at: Keeping) -> None:
    """What was mended meanwhile may crash once more."""
    run = await at.run(Pending(), Running(), Crashed(), *AGAIN * 5)

    await at.after(30)

    assert await at.state(run) == "AwaitingRetry"


async def test_a_run_that_no_worker_can_submit_is_given_up_too(at: Keeping) -> None:
    """A pool that is broken is told in the end."""
    run = await at.run(Pending(), Crashed())
    at.keeper = at.another(tries=1)
    await at.after(30)
    assert await at.state(run) == "AwaitingRetry"
    await at.move(run, Pending(), Crashed(message="Failed to submit"))

    await at.after(30)

    assert await at.state(run) == "Failed"


def test_a_run_that_cannot_be_submitted_is_tried_for_longer_than_an_outage() -> None:
    """It has not lived yet, so it is no danger. The automation that would do the same never comes first."""
    patience = RunPatience()

    gaps = [patience.gap(tries) for tries in range(patience.tries)]

    assert sum(gaps, timedelta()) > timedelta(minutes=30)
    assert max(gaps) < Windows().retry


async def test_silence_does_not_count_while_the_server_was_away(at: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be asleep between two tries for as long again as the outage was: it is no lost run."""
    run = await at.run(Pending(), Running())
    await at.after(0)
    with monkeypatch.context() as away:

        async def refuse(*_: object, **__: object) -> list[FlowRun]:
            raise httpx.ConnectError("refused")

        away.setattr(at.client, "read_flow_runs", refuse)
        with pytest.raises(httpx.ConnectError):
            await at.after()
        at.clock.move(600)

    await at.after(130, 580)
    assert await at.state(run) == "Running"
    await at.after(15)
    assert await at.state(run) == "Crashed"


async def test_a_keeper_that_was_restarted_waits_anew(at: Keeping) -> None:
    """It cannot know whether the server was away meanwhile, nor what other keepers just did."""
    run = await at.run(Pending(), Running(), Crashed())
    at.clock.move(3600)
    at.keeper = at.another()

    await at.after(29)
    assert await at.state(run) == "Crashed"
    await at.after(1)
    assert await at.state(run) == "AwaitingRetry"


async def test_a_run_that_moved_on_in_the_last_moment_is_left_alone(
    at: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another keeper, or a person, was quicker; a worker has it already."""
    run = await at.run(Pending(), Running(), Crashed())
    read = at.client.read_flow_run_states

    async def overtaken(of: Any) -> list[State[Any]]:
        states = await read(of)
        await at.move(run, AwaitingRetry(), Pending(), Running())
        return states

    monkeypatch.setattr(at.client, "read_flow_run_states", overtaken)
    await at.after(60)

    assert await at.state(run) == "Running"


def test_a_setting_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything starts."""
    monkeypatch.setenv("SPEECHOPS_RUNS_LIVES", "0")

    with pytest.raises(Mistake, match="SPEECHOPS_RUNS_LIVES"):
        RunPatience.read()


def refuse_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first submission of a worker fails, as on a database that is locked."""
    run = ProcessWorker.run

    async def refused(*_: Any, **__: Any) -> Any:
        monkeypatch.setattr(ProcessWorker, "run", run)
        raise RuntimeError("Server error '503 Service Unavailable'")

    monkeypatch.setattr(ProcessWorker, "run", refused)


async def test_a_run_whose_submission_fails_is_begun_exactly_once(
    client: PrefectClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a real worker, in a real process, although two keepers look after it."""
    await make_work_pool(client, "kept")
    (tmp_path / "begun.py").write_text(FLOW)
    (folder := tmp_path / "lives").mkdir()
    pull = [{"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}]
    at = await Keeping.prepared(
        client, work_pool_name="kept", path=str(tmp_path), entrypoint="begun.py:begun", pull_steps=pull
    )
    run = await at.run(parameters={"folder": str(folder)})
    other = at.another()
    refuse_once(monkeypatch)
    async with ProcessWorker(work_pool_name="kept", name="kept") as worker:
        await worker.get_and_submit_flow_runs()
        await until(lambda: reached(at, run, "Crashed"))
        assert (await at.read(run)).run_count == 0
        for _ in range(3):
            await asyncio.gather(at.keeper.look(), other.look())
            at.clock.move(31)
        await worker.get_and_submit_flow_runs()
        await until(lambda: reached(at, run, "Completed"))
        await asyncio.gather(at.keeper.look(), other.look())
        await worker.get_and_submit_flow_runs()

    assert len(list(folder.iterdir())) == 1
    assert (await at.read(run)).run_count == 1


async def reached(at: Keeping, run: Any, state: str) -> bool:
    """Whether it is in that state."""
    return await at.state(run) == state
