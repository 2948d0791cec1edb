"""The automations on a real Prefect server with a real worker. All their windows last ten seconds, so all is played at once."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Completed, Crashed, Pending, Running, Scheduled, Suspended

from deployments.applying import apply_automations
from deployments.events import DATA_CHANGED, PULL_REQUEST_CHANGED, resource_of_source
from deployments.registration import make_work_pool
from deployments.run_automations import Windows
from tests.deployments.server_kit import Server, emit, events, kill, program, until

pytestmark = pytest.mark.slow

QUICK = Windows(
    settle=timedelta(seconds=10),
    vanished=timedelta(seconds=15),
    stuck=timedelta(seconds=90),
    retry=timedelta(seconds=10),
    attempts=3,
)
HEARTBEAT = "prefect.flow-run.heartbeat"

FLOW = """
import asyncio, os
from pathlib import Path
from prefect import flow

@flow(name="training-update")
async def training_update(folder: str) -> None:
    lives = len(list(Path(folder).glob("*")))
    (Path(folder) / str(lives)).write_text(str(os.getpid()))
    await asyncio.sleep(0 if lives else 600)
"""
"""Its first life waits to be killed, its second comes to an end."""


@dataclass
class Seen:
    """What became of everything that was played."""

    started: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    states: dict[str, list[str]] = field(default_factory=dict)
    lives: dict[str, int] = field(default_factory=dict)


class Play:
    """All scenes, on one server."""

    def __init__(self, server: Server, client: PrefectClient) -> None:
        self.server = server
        self.client = client
        self.seen = Seen()
        self.deployments: dict[str, UUID] = {}

    async def prepare(self) -> None:
        """Deployments, and the automations with short windows."""
        await make_work_pool(self.client, "speechops")
        for flow in ("data-update", "pull-request", "deploy"):
            await self._deploy(flow, "speechops")
        await self._deploy("somebody", "elses")
        folder = self.server.folder
        (folder / "lives.py").write_text(FLOW)
        pull = [{"prefect.deployments.steps.set_working_directory": {"directory": str(folder)}}]
        await self._deploy(
            "training-update",
            "speechops",
            work_pool_name="speechops",
            path=str(folder),
            entrypoint="lives.py:training_update",
            pull_steps=pull,
        )
        await apply_automations(self.client, QUICK)

    async def _deploy(self, flow: str, name: str, **more: object) -> None:
        flow_id = await self.client.create_flow_from_name(flow)
        self.deployments[flow] = await self.client.create_deployment(flow_id=flow_id, name=name, **more)

    async def all(self) -> Seen:
        """Play every scene at the same time."""
        await asyncio.gather(
            self.pushes(), self.blobs(), self.pull_requests(), self.suspended(), self.ended(), self.vanished(),
            self.crashes(), self.kills(),
        )  # fmt: skip
        return self.seen

    async def pushes(self) -> None:
        """One push, told twice under the same id."""
        number = uuid4()
        for _ in range(2):
            payload = {"ref": "refs/heads/1", "delivery": "github:7"}
            await emit(self.client, DATA_CHANGED, resource_of_source("maps", "git"), payload, number=number)
        await until(lambda: self.runs_for("maps"))
        await emit(self.client, DATA_CHANGED, resource_of_source("fence", "git"))
        await until(lambda: self.runs_for("fence"))
        self.seen.started["maps"] = await self.runs_for("maps")

    async def blobs(self) -> None:
        """Five blobs of one upload, one of another source, then a late one."""
        for name in ("clips", "clips", "others", "clips", "clips", "clips"):
            await emit(self.client, DATA_CHANGED, resource_of_source(name, "blob"), {"ref": "", "delivery": "x"})
        await until(lambda: self.runs_for("clips"))
        self.seen.started["upload"] = await self.runs_for("clips")
        await emit(self.client, DATA_CHANGED, resource_of_source("clips", "blob"))
        await until(lambda: self._at_least("clips", 2))
        self.seen.started["clips"] = await self.runs_for("clips")
        self.seen.started["others"] = await self.runs_for("others")

    async def _at_least(self, source: str, number: int) -> bool:
        return len(await self.runs_for(source)) >= number

    async def pull_requests(self) -> None:
        """One change of a pull request."""
        payload = {"number": 12, "wanted": "model", "head": "0badc0de", "delivery": "github:8"}
        await emit(self.client, PULL_REQUEST_CHANGED, resource_of_source("maps", "git"), payload)
        await until(lambda: self.runs_for("maps", "pull-request"))
        self.seen.started["pull-request"] = await self.runs_for("maps", "pull-request")

    async def runs_for(self, source: str, flow: str = "data-update") -> list[dict[str, object]]:
        """The parameters of the runs that were started for a source."""
        mine = DeploymentFilter(id=DeploymentFilterId(any_=[self.deployments[flow]]))
        runs = await self.client.read_flow_runs(deployment_filter=mine)
        return [run.parameters for run in runs if run.parameters.get("source") == source]

    async def suspended(self) -> None:
        """Suspended for an approval; a heartbeat of before comes in late."""
        run = await self.run("deploy", Running(), Suspended(timeout_seconds=3600))
        await self.heartbeat(run)
        await self._judged(run)
        await self._note("suspended", run)

    async def ended(self) -> None:
        """Over, under a name that no automation knows; a heartbeat comes in late."""
        run = await self.run("deploy", Running(), Completed(name="Splendid"))
        await self.heartbeat(run)
        await self._judged(run)
        await self._note("ended", run)

    async def _judged(self, run: FlowRun) -> None:
        """Wait until the server has refused, or agreed, to change the run's state."""
        about = f"prefect.flow-run.{run.id}"

        async def told() -> bool:
            names = ("prefect.automation.action.failed", "prefect.automation.action.executed")
            return any([await events(self.client, name, about) for name in names])

        await until(told)

    async def vanished(self) -> None:
        """Running, one heartbeat, and no more."""
        run = await self.run("deploy", Running())
        await self.heartbeat(run)
        await self._until_state(run, "AwaitingRetry")
        await self._note("vanished", run)

    async def crashes(self) -> None:
        """A run of somebody else's, and one that had its three lives, crash before one that had two."""
        foreign = await self.run("somebody", Running(), Crashed())
        again = (Scheduled(), Pending(), Running())
        tired = await self.run("deploy", Running(), *again, *again, Crashed())
        fresh = await self.run("deploy", Running(), *again, Crashed())
        await self._until_state(fresh, "AwaitingRetry")
        await self._note("foreign", foreign)
        await self._note("tired", tired)
        await self._note("fresh", fresh)

    async def run(self, flow: str, *states: State) -> FlowRun:
        """A run that goes through these states."""
        run = await self.client.create_flow_run_from_deployment(self.deployments[flow])
        for state in states:
            await self.client.set_flow_run_state(run.id, state, force=True)
        return await self.client.read_flow_run(run.id)

    async def heartbeat(self, run: FlowRun) -> None:
        """What the process of a run sends while it lives."""
        related = [
            {
                "prefect.resource.id": f"prefect.deployment.{run.deployment_id}",
                "prefect.resource.role": "deployment",
            }
        ]
        await emit(self.client, HEARTBEAT, {"prefect.resource.id": f"prefect.flow-run.{run.id}"}, related=related)

    async def _until_state(self, run: FlowRun, name: str) -> None:
        async def reached() -> bool:
            return (await self.client.read_flow_run(run.id)).state_name == name

        await until(reached)

    async def _note(self, scene: str, run: FlowRun) -> None:
        states = await self.client.read_flow_run_states(run.id)
        self.seen.states[scene] = [state.name or "" for state in sorted(states, key=lambda one: one.timestamp)]

    async def kills(self) -> None:
        """SIGKILL to the process of a run; then to the worker and the process of another run."""
        worker = ("worker", "start", "--pool", "speechops")
        with program(self.server.env, self.server.folder, *worker, "--name", "first") as first:
            one, other = await self._begun("one"), await self._begun("other")
            await until(lambda: events(self.client, HEARTBEAT, f"prefect.flow-run.{other.id}"))
            self._kill("one")
            await until(lambda: events(self.client, "prefect.flow-run.Crashed", f"prefect.flow-run.{one.id}"))
            kill(first)
            self._kill("other")
        with program(self.server.env, self.server.folder, *worker, "--name", "second"):
            for name, run in (("one", one), ("other", other)):
                await self._until_state(run, "Completed")
                await self._note(name, run)
                self.seen.lives[name] = len(list((self.server.folder / name).iterdir()))

    async def _begun(self, name: str) -> FlowRun:
        folder = self.server.folder / name
        folder.mkdir()
        parameters = {"folder": str(folder)}
        run = await self.client.create_flow_run_from_deployment(
            self.deployments["training-update"], parameters=parameters
        )

        async def lives() -> bool:
            return (folder / "0").is_file() and bool((folder / "0").read_text())

        await until(lives)
        return run

    def _kill(self, name: str) -> None:
        with suppress(ProcessLookupError):  # it may have gone with its worker
            os.kill(int((self.server.folder / name / "0").read_text()), signal.SIGKILL)


async def play(folder: Path) -> Seen:
    """A fresh server, and all scenes on it."""
    with Server(folder).running() as server:
        async with server.client() as client:
            scenes = Play(server, client)
            await scenes.prepare()
            return await scenes.all()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """What all tests look at."""
    return asyncio.run(play(tmp_path_factory.mktemp("automations")))


def test_a_push_that_is_told_twice_starts_one_run(seen: Seen) -> None:
    """With source, branch and delivery of the event, as texts."""
    assert seen.started["maps"] == [{"source": "maps", "ref": "refs/heads/1", "delivery": "github:7"}]


def test_the_blobs_of_one_upload_start_one_run(seen: Seen) -> None:
    """Once they have come to rest; the run itself looks at what is there."""
    assert seen.started["upload"] == [{"source": "clips"}]


def test_a_late_blob_starts_another_run(seen: Seen) -> None:
    """It is not lost in the window of the upload before."""
    assert seen.started["clips"] == [{"source": "clips"}] * 2


def test_each_source_settles_by_itself(seen: Seen) -> None:
    """One that is busy does not hold another up."""
    assert seen.started["others"] == [{"source": "others"}]


def test_a_pull_request_keeps_its_number_a_number(seen: Seen) -> None:
    """The flow's parameters are typed."""
    asked = {"source": "maps", "number": 12, "wanted": "model", "head": "0badc0de", "delivery": "github:8"}
    assert seen.started["pull-request"] == [asked]


def test_a_run_that_waits_for_an_approval_is_left_alone(seen: Seen) -> None:
    """Even when its last heartbeat is heard after it was suspended."""
    assert seen.states["suspended"][-1] == "Suspended"


def test_a_run_that_is_over_stays_as_it_ended(seen: Seen) -> None:
    """Whatever its end is called, and whatever is heard of it afterwards."""
    assert seen.states["ended"][-1] == "Splendid"


def test_a_run_without_heartbeats_crashes_and_goes_on(seen: Seen) -> None:
    """Nobody else would ever say that it is over."""
    assert seen.states["vanished"][-4:] == ["Running", "Vanished", "Crashed", "AwaitingRetry"]


def test_a_crashed_run_is_begun_three_times_at_most(seen: Seen) -> None:
    """One that crashes each time does not do so for ever."""
    assert seen.states["fresh"][-2:] == ["Crashed", "AwaitingRetry"]
    assert seen.states["tired"][-1] == "Crashed"


def test_runs_of_other_people_are_left_alone(seen: Seen) -> None:
    """The server may not be ours alone."""
    assert seen.states["foreign"][-1] == "Crashed"


def test_a_run_whose_process_is_killed_ends_well(seen: Seen) -> None:
    """The worker tells the crash; the second life is the last."""
    assert seen.lives["one"] == 2
    assert seen.states["one"].count("Crashed") >= 1


def test_a_run_whose_worker_is_killed_too_ends_well(seen: Seen) -> None:
    """Nobody tells the crash; only the heartbeats are missed. Another worker goes on with it."""
    assert seen.lives["other"] == 2
    assert seen.states["other"].count("Vanished") == 1
