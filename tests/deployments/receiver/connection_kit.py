"""A receiver that listens, with little patience, and senders that speak HTTP by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import uvicorn
from starlette.types import ASGIApp

from deployments.receiver.connections import Connection, Limits
from tests.deployments.receiver.hook_kit import Sent

LONG = 600.0
"""Seconds; a test that waits for such a deadline would never end."""

PATIENCE = 60.0
"""How long a closure is waited for before a test is given up as failed."""


@dataclass
class Line:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def say(self, text: bytes) -> None:
        """Send it; whether anybody listens is seen by the answer."""
        self.writer.write(text)

    async def answer(self) -> int:
        """The status of the next answer; 0 when the connection ends without one."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            return 0
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        await self.reader.readexactly(int(length.partition(b":")[2]))
        return int(head.split(b" ", 2)[1])

    async def drip(self, piece: bytes) -> None:
        """Send it again and again until the other side has had enough."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while not self.reader.at_eof():
                    self.say(piece)
                    await self.writer.drain()
                    await asyncio.sleep(0.01)

    async def ended(self) -> bytes:
        """Wait until the other side has closed it: what it still said."""
        said = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while more := await self.reader.read(1024):
                    said += more
        return said

    async def close(self) -> None:
        """Give it up."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@dataclass
class Place:
    """Where a receiver listens."""

    port: int
    lines: list[Line] = field(default_factory=list)

    async def line(self, text: bytes = b"", source: str = "127.0.0.1") -> Line:
        """A new connection from an address of this machine, which says something at once."""
        line = Line(*await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0)))
        self.lines.append(line)
        line.say(text)
        return line


@contextlib.asynccontextmanager
async def listening(app: ASGIApp, limits: Limits) -> AsyncIterator[Place]:
    """The application behind our connections."""

    class Limited(Connection):
        pass

    Limited.limits = limits
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", http=Limited, ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    place = Place(server.servers[0].sockets[0].getsockname()[1])
    try:
        yield place
    finally:
        for line in place.lines:
            await line.close()
        server.should_exit = server.force_exit = True
        await serving


def request(sent: Sent, *more: str, length: int | None = None) -> bytes:
    """A request up to the end of its headers."""
    size = len(sent.body) if length is None else length
    headers = [*(f"{name}: {value}" for name, value in sent.headers.items()), *more]
    if not any(one.startswith("Transfer-Encoding") for one in more):
        headers.append(f"Content-Length: {size}")
    return "\r\n".join([f"POST {sent.path} HTTP/1.1", "Host: receiver", *headers, "", ""]).encode()


PROBE = b"GET /healthz HTTP/1.1\r\nHost: receiver\r\n\r\n"
READY = b"GET /readyz HTTP/1.1\r\nHost: receiver\r\n\r\n"
