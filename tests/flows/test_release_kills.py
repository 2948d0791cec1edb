"""The process is killed at every step of a release and of a rollback: after the next run everything agrees."""

import shutil
from itertools import count
from pathlib import Path

import pytest

from tests.flows.kill_kit import Killer, declare_crashed, disagreements, parameters_of, run_next
from tests.flows.kill_kit import killer as killer
from tests.flows.release_kit import Templates, copied


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("template", "flow", "after"),
    [("ready", "deploy", "training-update"), ("live", "rollback", "training-update"), ("ready", "deploy", "rollback")],
)
async def test_after_a_kill_at_any_step_everything_agrees(
    templates: Templates, tmp_path: Path, killer: Killer, template: str, flow: str, after: str
) -> None:
    """Every step boundary, one after the other: before and after each write to the Speech service and to the store."""
    failed: dict[str, list[str]] = {}
    for at in count(1):
        async with copied(getattr(templates, template), tmp_path / str(at)) as world:
            killed, number = await killer.run(flow, await parameters_of(world, flow), at=at)
            await declare_crashed()
            await run_next(world, after)
            if wrong := await disagreements(world):
                failed[f"{at}: {killed}"] = wrong
        shutil.rmtree(tmp_path / str(at))
        if not killed:
            break
    print(f"\n  {flow}, then {after}: {number} steps")
    assert failed == {}
