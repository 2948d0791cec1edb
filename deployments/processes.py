"""The programs that make up the local stack: started with a log each, watched, and stopped without leaving anything."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from deployments import guardian
from domain.mistakes import Mistake

_LOOK_SECONDS = 0.1
_LAST_LINES = 6
_STOP_SECONDS = guardian.GRACE_SECONDS + 5


class Child:
    """One running program: its guardian (see `guardian.py`), and the log of what it prints."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 128 and the signal's number when a signal ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Stop it and all that it started; returns when they are gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        if self.exit_code is None or self.exit_code < 0:  # the guardian hangs, or was itself killed
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def epitaph(self) -> str:
        """How it ended, its last words, and where to read all of them."""
        lines = self.log.read_text(errors="replace").split("\n")
        words = "".join(f"\n  | {line}" for line in [line for line in lines if line.strip()][-_LAST_LINES:])
        return f"{self.name} stopped (exit code {self.exit_code}). Its log is {shown(self.log)}; the end of it:{words}"


class Children:
    """The programs of one stack. Leaving the context stops them, the last one started first."""

    def __init__(self, logs: Path, folder: Path, env: Mapping[str, str]) -> None:
        self._logs = logs
        self._folder = folder
        self._env = env
        self._running: list[Child] = []
        self._stops = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stops.aclose()

    async def start(self, name: str, log: str, program: Sequence[str], **env: str) -> Child:
        """Start a program that is meant to run until the stack stops.

        Args:
            name: what people call it, such as "the Prefect server".
            log: name of its log, without the ending.
            program: the program and its arguments.
            env: environment variables for this program alone.
        """
        child = await self._spawn(name, log, program, env)
        self._stops.push_async_callback(child.stop)
        self._running.append(child)
        return child

    async def run(self, name: str, log: str, program: Sequence[str], **env: str) -> None:
        """Run a program to its end; the arguments are those of `start`.

        Raises:
            Mistake: it failed; the message shows the end of its log.
        """
        child = await self._spawn(name, log, program, env)
        try:
            if await child.wait() != 0:
                raise Mistake(child.epitaph())
        finally:
            await child.stop()

    async def until(self, ready: Callable[[], Awaitable[bool]], name: str, patience: float) -> None:
        """Wait until `ready`, asking several times a second.

        Raises:
            Mistake: a program of the stack stopped, or `patience` (seconds) is over.
        """
        deadline = asyncio.get_running_loop().time() + patience
        while not await ready():
            for child in self._running:
                if child.exit_code is not None:
                    raise Mistake(child.epitaph())
            if asyncio.get_running_loop().time() > deadline:
                raise Mistake(f"{name} was not ready after {patience:.0f} seconds; see {shown(self._logs)}/.")
            await asyncio.sleep(_LOOK_SECONDS)

    async def first_to_end(self) -> Child:
        """Wait until one of the programs ends, which none should."""
        waits = {asyncio.create_task(child.wait()): child for child in self._running}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return waits[done.pop()]

    async def _spawn(self, name: str, log: str, program: Sequence[str], env: Mapping[str, str]) -> Child:
        path = self._logs / f"{log}.log"
        if path.exists():
            path.replace(path.with_suffix(".previous.log"))
        with path.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", guardian.__file__, *program),
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self._folder,
                env={**self._env, **env},
                start_new_session=True,
            )
        return Child(name, process, path)


def shown(path: Path) -> Path:
    """The path as a reader of this terminal would type it: relative to the current folder when it lies within."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
