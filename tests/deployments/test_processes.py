"""Programs of the stack stop with everything that they started, however they or their owner end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments.processes import Children
from domain.mistakes import Mistake

MARK = "SPEECHOPS_TEST_MARK"

STUBBORN_FAMILY = """
import signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
grandchild = subprocess.Popen([sys.executable, "-c", deaf], start_new_session=True, stdout=subprocess.PIPE)
grandchild.stdout.readline()
print("ready", flush=True)
time.sleep(600)
"""

OWNER = """
import asyncio, os, sys
from pathlib import Path
from deployments.processes import Children

async def own(logs: Path, program: str) -> None:
    async with Children(logs, logs, os.environ) as children:
        await children.start("the program", "program", [sys.executable, "-c", program])
        await children.until(lambda: said_ready(logs / "program.log"), "the program", 60)
        print("ready", flush=True)
        await children.first_to_end()

async def said_ready(log: Path) -> bool:
    return "ready" in log.read_text()

asyncio.run(own(Path(sys.argv[1]), sys.argv[2]))
"""


@pytest.fixture
def mark(tmp_path: Path, marked: Any) -> Iterator[Any]:
    """Finds the processes of a test; none survives it."""
    found = marked(MARK, str(tmp_path))
    yield found
    for pid in found.alive():
        os.kill(pid, signal.SIGKILL)


async def test_leaving_the_context_ends_even_deaf_grandchildren(tmp_path: Path, mark: Any) -> None:
    """Prefect's engines live in sessions of their own; a flow may ignore SIGTERM."""

    async def is_ready() -> bool:
        return "ready" in (tmp_path / "program.log").read_text()

    async with Children(tmp_path, tmp_path, {**os.environ, MARK: str(tmp_path)}) as children:
        await children.start("the program", "program", [sys.executable, "-c", STUBBORN_FAMILY])
        await children.until(is_ready, "the program", 60)
        assert len(mark.alive()) == 3

    assert mark.alive() == {}


def test_nothing_outlives_an_owner_that_was_killed(tmp_path: Path, mark: Any) -> None:
    """SIGKILL leaves the owner no time to clean up."""
    words = [sys.executable, "-c", OWNER, str(tmp_path), STUBBORN_FAMILY]
    with subprocess.Popen(words, env={**os.environ, MARK: str(tmp_path)}, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        assert len(mark.alive()) == 4
        owner.kill()

    mark.wait_until(lambda alive: not alive)


async def test_a_program_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    """Whoever waits for it does not wait in vain."""

    async def never() -> bool:
        return False

    async with Children(tmp_path / "logs", tmp_path, os.environ) as children:
        await children.start("the oracle", "oracle", [sys.executable, "-c", "import sys; sys.exit('no more words')"])
        with pytest.raises(Mistake, match=r"the oracle stopped \(exit code 1\)") as told:
            await children.until(never, "the oracle", 60)

    assert "oracle.log" in str(told.value)
    assert "no more words" in str(told.value)


async def test_a_program_that_does_not_exist_is_told(tmp_path: Path) -> None:
    """The guardian says why, in the program's log."""
    async with Children(tmp_path, tmp_path, os.environ) as children:
        with pytest.raises(Mistake, match=r"(?s)exit code 127.*No such file"):
            await children.run("a thing", "thing", ["/no/such/program"])


async def test_patience_ends(tmp_path: Path) -> None:
    """A program that runs but never gets ready is not waited for without end."""

    async def never() -> bool:
        return False

    async with Children(tmp_path, tmp_path, os.environ) as children:
        with pytest.raises(Mistake, match="the oracle was not ready after 0 seconds"):
            await children.until(never, "the oracle", 0)


async def test_the_log_before_the_last_is_kept(tmp_path: Path) -> None:
    """After a crash and a restart one can still read why."""
    async with Children(tmp_path, tmp_path, os.environ) as children:
        for word in ("first", "second"):
            await children.run("echo", "echo", ["echo", word])

    assert (tmp_path / "echo.log").read_text() == "second\n"
    assert (tmp_path / "echo.previous.log").read_text() == "first\n"


async def test_the_first_program_to_end_is_named(tmp_path: Path) -> None:
    """So that the right log is looked at."""
    async with Children(tmp_path, tmp_path, os.environ) as children:
        await children.start("the tortoise", "tortoise", ["sleep", "600"])
        hare = await children.start("the hare", "hare", ["true"])

        assert await children.first_to_end() is hare
