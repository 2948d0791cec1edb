"""Senders at a receiver that is killed between, and sends what was not answered again."""

import asyncio
import contextlib
import os
import re
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import uvicorn

from tests.deployments.receiver.hook_kit import SECRET, VARIABLES, Sent
from tests.deployments.receiver.prefect_kit import FakePrefect

ROOT = Path(__file__).parents[3]


class Program:
    """`crowd_program` as a process."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self.address = address
        self._process = process

    @classmethod
    async def started(cls, data: Path, prefect_url: str) -> Self:
        """Listens when this returns."""
        environment = os.environ | dict.fromkeys(VARIABLES, SECRET) | {"PREFECT_API_URL": prefect_url}
        with (data / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "tests.deployments.receiver.crowd_program", str(data)),
                cwd=ROOT,
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert process.stdout
        found = re.search(r"http://\S+(?=,)", (await process.stdout.readline()).decode())
        assert found, (data / "log").read_text()
        return cls(process, found[0])

    async def kill(self) -> None:
        """By SIGKILL."""
        self._process.kill()
        await self._process.wait()


@contextlib.asynccontextmanager
async def served(prefect: FakePrefect) -> AsyncIterator[str]:
    """The stand-in on a port of its own: the address of its API."""
    server = uvicorn.Server(uvicorn.Config(prefect.app, port=0, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api"
    finally:
        server.should_exit = True
        await serving


@dataclass
class Senders:
    """Twenty connections; what was sent and not answered is sent again, as senders do."""

    waiting: deque[Sent] = field(default_factory=deque)
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0

    async def send(self, address: str) -> None:
        """Until all that waits is answered, or nobody listens any more."""
        await asyncio.gather(*(self._connection(urlsplit(address).port or 0) for _ in range(20)))

    async def _connection(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent: Sent | None = None
        try:
            while self.waiting:
                sent = self.waiting.popleft()
                writer.write(_request(sent))
                self.statuses[await _status(reader)] += 1
                sent = None
        except (OSError, asyncio.IncompleteReadError):
            if sent:
                self.unanswered += 1
                self.waiting.append(sent)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _request(sent: Sent) -> bytes:
    headers = {"Host": "receiver", "Content-Length": str(len(sent.body))} | sent.headers
    lines = [f"POST {sent.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + sent.body


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    await reader.readexactly(int(length[1]) if length else 0)
    return int(head.split(b" ", 2)[1])
