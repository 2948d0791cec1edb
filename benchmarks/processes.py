"""What the benchmarks share: an emulator as a process of its own, and the memory of processes."""

import asyncio
import contextlib
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

KEY = "a-key-for-benchmarks"
MB = 1024**2


@contextlib.contextmanager
def emulator(*options: str) -> Iterator[tuple[str, int]]:
    """A started emulator with instant jobs: its address and process id."""
    url = f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="speechops-benchmark-") as data:
        command = [sys.executable, "-m", "emulator", "--port", url.rsplit(":", 1)[1], "--data", data, "--key", KEY]
        process = subprocess.Popen(
            [*command, "--speed", "instant", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _await(f"{url}/_emulator/health")
            yield url, process.pid
        finally:
            process.terminate()
            process.wait()


def _await(url: str) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False).is_success:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing answers at {url}")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def alone(function: Callable[..., Any], *args: Any) -> Any:
    """Run `async function(*args)` in a process of its own; its result with the peak of its memory above idle, in MB."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, function, args).result()


def _measured(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, float]:
    idle = resident(os.getpid(), "VmRSS")
    result = asyncio.run(function(*args))
    return result, resident(os.getpid(), "VmHWM") - idle


def resident(pid: int, what: str = "VmRSS") -> float:
    """Memory of a process in MB: now (VmRSS) or at its peak (VmHWM); 0 when it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1024
    return 0.0


def of_family(pid: int) -> float:
    """Memory of a process and its children in MB."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return resident(pid) + sum(of_family(int(child)) for child in children)
    return 0.0


@dataclass
class Sampled:
    """The memory of a process and its children, looked at 20 times a second."""

    pid: int
    idle: float = 0.0
    peak: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def above_idle(self) -> float:
        """In MB."""
        return self.peak - self.idle

    def __enter__(self) -> "Sampled":
        self.idle = self.peak = of_family(self.pid)
        threading.Thread(target=self._sample, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _sample(self) -> None:
        while not self._over.wait(0.05):
            self.peak = max(self.peak, of_family(self.pid))
