"""The programs of a chaos stack: each in a session of its own, killed and started again while the others go on."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
_LOOK_SECONDS = 0.1


@dataclass
class Service:
    """One program.

    Attributes:
        name: such as `server`.
        words: its arguments, after the interpreter.
        env: its environment.
        log: what it prints, of all its lives.
        is_ready: whether it does its work.
        whole: whether its children die with it; a worker's flow runs do not.
    """

    name: str
    words: tuple[str, ...]
    env: dict[str, str]
    log: Path
    is_ready: Callable[[], Awaitable[bool]]
    whole: bool = True
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Whoever takes it down holds this: outages of one service do not overlap."""
    outages: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_up(self) -> bool:
        """Whether it runs, as far as anybody knows."""
        return self.process is not None and self.process.poll() is None

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.spawn()
        await self.ready()

    def spawn(self) -> None:
        """Start it, without waiting."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.words],
                env=self.env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    async def ready(self) -> None:
        """Wait until it does its work."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self.is_ready():
                assert self.is_up, f"{self.name} ended by itself: see {self.log}"
                await asyncio.sleep(_LOOK_SECONDS)

    async def kill(self) -> None:
        """SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, and what the program makes of it."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        process = self.process
        if process is None:
            return
        with suppress(ProcessLookupError):
            if self.whole and number == signal.SIGKILL:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        await asyncio.to_thread(process.wait)

    def end(self) -> None:
        """At the end of all: nothing of it stays."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
