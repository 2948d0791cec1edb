"""Killing runs: a program that dies at a step, and what must agree after the next run."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.settings import PREFECT_API_URL
from prefect.states import Crashed

from domain.ledger import broken_link
from flows.rollback import rollback
from flows.training_update import training_update
from tests.flows.conftest import World
from tests.flows.release_kit import OLD_MODEL, live_model


class Killer:
    """Runs flows in a process that dies at a step."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, flow: str, parameters: dict[str, str], *, at: int = 0, wanted: str = "") -> tuple[str, int]:
        """Run a flow until the step with that number or name. The name of the step that was its last, empty when it came
        to its end, and the step's number.
        """
        job = {"flow": flow, "parameters": parameters, "at": at, "wanted": wanted}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        told: dict[str, object] = {}
        while (line := await self._line()) != "over":
            told = json.loads(line)
        assert told, "the flow failed: run it by hand"
        return str(told["killed"]), int(str(told["number"]))

    async def _line(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()


@pytest.fixture
async def killer() -> AsyncIterator[Killer]:
    """The program, ready for jobs."""
    env = os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()}
    pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.flows.kill_program", stdin=pipe, stdout=pipe, stderr=quiet, env=env
    )
    yield Killer(process)
    process.kill()
    await process.wait()


async def declare_crashed() -> None:
    """What the worker does or, when it is gone too, an automation."""
    running = FlowRunFilter.model_validate({"state": {"type": {"any_": ["RUNNING"]}}})
    async with get_client() as client:
        for run in await client.read_flow_runs(flow_run_filter=running):
            if run.parent_task_run_id is None:
                await client.set_flow_run_state(run.id, Crashed(), force=True)


async def parameters_of(world: World, flow: str) -> dict[str, str]:
    """What the flow is called with: the model that passed last is released, or the live one is taken back."""
    if flow == "rollback":
        return {"track": world.track, "reason": "drill"}
    facts = [entry.facts for entry in await world.ledger.history() if entry.kind == "training-update"][-1]
    return {"track": world.track, "model": facts["candidate"], "verdict": facts["ruling"]}


async def run_next(world: World, flow: str) -> None:
    """Whatever runs next on the track."""
    if flow == "rollback":
        await rollback(world.track)
    else:
        await training_update(**world.arguments)


async def disagreements(world: World) -> list[str]:
    """What does not fit together between endpoint, ledger and retention."""
    state, history = await world.ledger.state(), await world.ledger.history()
    endpoints = sorted(str(one["displayName"]) for one in await world.entities("endpoints"))
    models = {str(one["displayName"]) for one in await world.entities("models")}
    numbers = [release.number for release in (state.release, *state.previous_releases)]
    recorded = [entry.kind for entry in history if entry.kind in ("release", "rollback")]
    wrong = {
        "the endpoint has another model than the ledger": state.release.model != await live_model(world),
        "the benchmark is another model": state.benchmark.model != state.release.model,
        f"pending: {state.pending}": state.pending is not None,
        "the history is broken": broken_link(history) is not None,
        f"endpoints: {endpoints}": endpoints != ["places-live"],
        f"releases: {numbers}, told: {recorded}": numbers != list(range(len(recorded), 0, -1)),
        f"models: {models}": OLD_MODEL in models or len(models) != 3,
        "something was trained again": (await world.speech.state())["trainings"] != 4,
    }
    return [text for text, is_wrong in wrong.items() if is_wrong]
