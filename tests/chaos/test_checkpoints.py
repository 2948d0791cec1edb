"""The smallest plan: a process that writes three keys stands still at counted points, dies at one, or finds the disk broken."""

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chaos.checkpoints import CONDUCTOR
from tests.chaos.conductor import Conductor, Order, Point
from tests.chaos.services import ROOT

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.chaos import checkpoints
checkpoints.install()
from tasks.store import LocalFolder
async def main():
    for key in "abc":
        await LocalFolder(Path(sys.argv[1])).write(key, b"x")
asyncio.run(main())
"""
RUN = uuid4()


class OneRun:
    """Knows the flow run that the process works on."""

    async def read_flow_run(self, run: UUID) -> Any:
        """One of training-update."""
        assert run == RUN
        return SimpleNamespace(deployment_id=RUN, parameters={"track": "places"})


async def played(folder: Path, at: int | str, does: str) -> tuple[int, str, Order]:
    """Let the process do that at a point: its exit code, what it says, and the order."""
    points: list[Point] = []

    async def act(point: Point) -> str:
        points.append(point)
        return does

    conductor = Conductor(OneRun(), {RUN: "training-update"})  # type: ignore[arg-type]
    order = Order("training-update", "places", at, act)
    conductor.orders = [Order("rollback", "places", 1, act), Order("training-update", "others", 1, act), order]
    listener = await conductor.listen(folder / "socket")
    env = os.environ | {CONDUCTOR: str(folder / "socket"), "PREFECT__FLOW_RUN_ID": str(RUN)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(folder / "store"),
        env=env, cwd=ROOT, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    listener.close()
    assert len(points) == 1
    assert process.returncode is not None
    return process.returncode, said.decode(), order


def keys(folder: Path) -> set[str]:
    """What the store has."""
    return {one for one in "abc" if (folder / "store" / one).exists()}


async def test_a_process_dies_at_the_point_that_was_chosen(tmp_path: Path) -> None:
    """The fourth point is after the second write."""
    code, _, order = await played(tmp_path, 4, "die")

    assert (code, order.fired, keys(tmp_path)) == (-9, "4: after write b", {"a", "b"})


async def test_a_point_may_be_named(tmp_path: Path) -> None:
    """Whatever its number; and the process goes on when nothing is done to it."""
    code, _, order = await played(tmp_path, "before write c", "go")

    assert (code, order.fired, keys(tmp_path)) == (0, "5: before write c", {"a", "b", "c"})


@pytest.mark.parametrize("fault", ["disk full", "read-only"])
async def test_a_broken_disk_stays_broken(tmp_path: Path, fault: str) -> None:
    """From the point on, nothing is written any more, and the process is told so as by a file system."""
    code, said, _ = await played(tmp_path, 3, fault)

    assert (code, keys(tmp_path)) == (1, {"a"})
    assert {"disk full": "No space left", "read-only": "Read-only file system"}[fault] in said
