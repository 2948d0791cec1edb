"""A real Prefect server that is stopped and started again, under a real worker and runs in processes of their own.

Time is compressed by PREFECT_CLIENT_MAX_RETRIES in the second run's job variables: it gives up at once.
"""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from ruamel.yaml import YAML

from deployments.lost_runs import RunPatience
from deployments.registration import make_work_pool
from deployments.run_keeper import RunKeeper
from tests.deployments.server_kit import Server, program, until

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
JOB: dict[str, Any] = YAML(typ="safe").load((PROJECT / "prefect.yaml").read_text("utf-8"))["definitions"]["work_pool"][
    "job_variables"
]
OUTAGE_SECONDS = 8
FLOW = """
import asyncio, os
from pathlib import Path
from prefect import flow
from tasks.orchestrator import crashes_when_cut_off

@flow
async def part() -> None:
    pass

@flow
@crashes_when_cut_off
async def outlives(folder: str, name: str) -> None:
    mine = Path(folder) / name
    seen = ("PREFECT_CLIENT_MAX_RETRIES", "PREFECT_CLIENT_RETRY_EXTRA_CODES", "OPERATORS_OWN")
    with mine.open("a") as file:
        print(*(os.environ.get(one) for one in seen), file=file)
    while not (Path(folder) / "away").exists():
        await asyncio.sleep(0.1)
    await part()
"""


class Outage:
    """Two runs, and a server that goes away under them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server(folder)
        self.runs: dict[str, UUID] = {}
        self.states: dict[str, list[str]] = {}

    async def play(self) -> None:
        """Both begin, the server is stopped, both ask it for something, it is started again."""
        env = {**self.server.env, "PYTHONPATH": str(PROJECT), "PREFECT_CLIENT_MAX_RETRIES": "7"}
        worker = ("worker", "start", "--pool", "speechops")
        with self.server.running():
            async with self.server.client() as client:
                await self._prepare(client)
            stack = program(env, self.folder, *worker)
            stack.__enter__()
            await until(self._have_begun)
        try:
            (self.folder / "away").touch()
            await asyncio.sleep(OUTAGE_SECONDS)
            with self.server.running():
                async with self.server.client() as client:
                    keeper = RunKeeper(client, RunPatience(look_seconds=1, again_seconds=5))
                    async with keeper.running():
                        for name, run in self.runs.items():
                            await until(lambda run=run: self._is_completed(client, run))
                            states = await client.read_flow_run_states(run)
                            self.states[name] = [
                                one.name or "" for one in sorted(states, key=lambda one: one.timestamp)
                            ]
        finally:
            stack.__exit__(None, None, None)

    async def _prepare(self, client: PrefectClient) -> None:
        await make_work_pool(client, "speechops")
        (self.folder / "outlives.py").write_text(FLOW)
        deployment = await client.create_deployment(
            flow_id=await client.create_flow_from_name("outlives"),
            name="speechops",
            work_pool_name="speechops",
            path=str(self.folder),
            entrypoint="outlives.py:outlives",
            pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(self.folder)}}],
            job_variables={**JOB, "env": {**JOB["env"], "OPERATORS_OWN": "kept"}},
        )
        for name, own in (("patient", {}), ("hasty", {"PREFECT_CLIENT_MAX_RETRIES": "0"})):
            run = await client.create_flow_run_from_deployment(
                deployment, parameters={"folder": str(self.folder), "name": name}, job_variables={"env": own}
            )
            self.runs[name] = run.id

    async def _have_begun(self) -> bool:
        return all((self.folder / name).exists() for name in self.runs)

    async def _is_completed(self, client: PrefectClient, run: UUID) -> bool:
        return (await client.read_flow_run(run)).state_name == "Completed"


async def test_a_run_waits_for_prefects_server_or_crashes_and_goes_on(tmp_path: Path) -> None:
    """With the settings of prefect.yaml in its process, beside the operator's own."""
    outage = Outage(tmp_path)

    await outage.play()

    assert (tmp_path / "patient").read_text().splitlines() == ["10 500,504 kept"]
    assert outage.states["patient"][-2:] == ["Running", "Completed"]
    assert len((tmp_path / "hasty").read_text().splitlines()) == 2
    assert "Crashed" in outage.states["hasty"]
    assert "Failed" not in outage.states["hasty"]
