"""A worker can die at any line: whoever runs the flow again finds what the dead one started."""

import asyncio
import json
import os
import signal
import sys

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.settings import PREFECT_API_URL
from prefect.states import Crashed

from flows.training_update import training_update
from tests.emulator.service_kit import held
from tests.flows.conftest import World

PROGRAM = """
import asyncio, json, sys
from flows.training_update import training_update
asyncio.run(training_update(**json.loads(sys.argv[1])))
"""


async def started(world: World) -> asyncio.subprocess.Process:
    """The flow in a process of its own."""
    env = os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, json.dumps(world.arguments), env=env, stderr=asyncio.subprocess.DEVNULL
    )


async def killed_once_running(world: World, kind: str) -> None:
    """Start the flow, and kill its process as soon as the service works on an entity of that kind."""
    process = await started(world)
    while not any(entity["status"] == "Running" for entity in await world.entities(kind)):
        assert process.returncode is None, "the flow ended before it could be killed"
        await asyncio.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await declare_crashed(f"track:{world.track}")


async def declare_crashed(tag: str) -> None:
    """What the worker does or, when it is gone too, an automation: before that, the next run of the track waits."""
    killed = FlowRunFilter.model_validate({"tags": {"all_": [tag]}, "state": {"type": {"any_": ["RUNNING"]}}})
    async with get_client() as client:
        for run in await client.read_flow_runs(flow_run_filter=killed):
            await client.set_flow_run_state(run.id, Crashed(), force=True)


@pytest.mark.parametrize(
    ("door", "kind"), [pytest.param("training", "models", marks=pytest.mark.slow), ("decoding", "evaluations")]
)
async def test_after_a_kill_the_next_run_finds_the_same_job(world: World, door: str, kind: str) -> None:
    """SIGKILL during training, or during the evaluation: one model, trained once, evaluated once."""
    with held(world.folder / "emulator", door):
        await killed_once_running(world, kind)
        (before,) = await world.entities(kind)

    report = await training_update(**world.arguments)

    assert report.released
    (after,) = await world.entities(kind)
    assert after["self"] == before["self"]
    done = await world.speech.state()
    assert (done["trainings"], done["evaluations"]) == (1, 1)
