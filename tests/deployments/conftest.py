"""Finding processes by their environment: the only mark that children in sessions of their own still carry."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

PATIENCE_SECONDS = 120


class Marked:
    """The living processes whose environment holds `NAME=value`."""

    def __init__(self, name: str, value: str) -> None:
        self._mark = f"{name}={value}".encode()

    def alive(self) -> dict[int, bytes]:
        """Their pids and command lines."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark in (process / "environ").read_bytes().split(b"\0"):
                    found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
        return found

    def wait_until(self, condition: Callable[[dict[int, bytes]], bool]) -> dict[int, bytes]:
        """The processes as soon as the condition holds; fails the test when it never does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(alive := self.alive()):
            if time.monotonic() > deadline:
                pytest.fail(f"still waiting with {alive}")
            time.sleep(0.05)
        return alive


@pytest.fixture(scope="session")
def marked() -> type[Marked]:
    """How tests look for processes."""
    return Marked
