"""A Prefect server of one's own, with all its services, and what tests say to it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from prefect.client.orchestration import PrefectClient

from deployments.addresses import claim_ports

T = TypeVar("T")
PATIENCE_SECONDS = 150


@contextmanager
def program(env: dict[str, str], folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m prefect …` in a session of its own, all of which is killed at the end."""
    with (folder / f"{words[0]}-{uuid4().hex[:6]}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *words],
            env=env,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a program and whatever is in its session's first group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Server:
    """Address and environment of a running Prefect server."""

    def __init__(self, folder: Path) -> None:
        (port,) = claim_ports({"--port": 0})
        self.folder = folder
        self.port = port
        self.api_url = f"http://127.0.0.1:{port}/api"
        self.env = {
            **os.environ,
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_API_URL": self.api_url,
            "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }

    def client(self) -> PrefectClient:
        """A client; use it as a context."""
        return PrefectClient(api=self.api_url)

    @contextmanager
    def running(self) -> Iterator["Server"]:
        """The server, ready, until the context ends."""
        words = ("server", "start", "--host", "127.0.0.1", "--port", str(self.port), "--no-ui")
        with program(self.env, self.folder, *words) as process:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not self._answers():
                assert process.poll() is None, f"the server ended: see {self.folder}"
                assert time.monotonic() < deadline, "the server did not become ready"
                time.sleep(0.1)
            yield self

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.api_url}/health", trust_env=False).is_success
        except httpx.TransportError:
            return False


async def emit(
    client: PrefectClient,
    event: str,
    resource: dict[str, str],
    payload: dict[str, Any] | None = None,
    related: list[dict[str, str]] | None = None,
    number: UUID | None = None,
) -> None:
    """Send one event; `number` is its id."""
    body = {
        "id": str(number or uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": event,
        "resource": resource,
        "related": related or [],
        "payload": payload or {},
    }
    (await client._client.post("/events", json=[body])).raise_for_status()


async def events(client: PrefectClient, name: str, resource: str = "") -> list[dict[str, Any]]:
    """The recorded events of a name that have to do with a resource."""
    wanted: dict[str, Any] = {"event": {"name": [name]}}
    if resource:
        wanted["any_resource"] = {"id": [resource]}
    answer = await client._client.post("/events/filter", json={"filter": wanted, "limit": 50})
    answer.raise_for_status()
    return list(answer.json()["events"])


async def until(look: Callable[[], Awaitable[T]]) -> T:
    """What `look` finds, as soon as it finds anything; fails when it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await look()):  # noqa: ASYNC110  (it happens on a server)
            await asyncio.sleep(0.25)
        return found
