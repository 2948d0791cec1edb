"""A gate before the session's Prefect server: closed, the server is away, for everybody who goes through it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings


class Gate:
    """A port that leads to another one, while it is open."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """Of the API behind it."""
        return f"http://127.0.0.1:{self.port}{self._to.path}"

    async def open(self) -> None:
        """The server is there, again."""
        if self._server is None:
            self._server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """The server is away: connections break, and new ones are refused."""
        if self._server:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def open_after(self, seconds: float) -> None:
        """The server comes back by itself."""
        await asyncio.sleep(seconds)
        await self.open()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._writers |= {writer, forth}
        await asyncio.gather(self._pipe(reader, forth), self._pipe(back, writer))

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def gate(retries: int) -> AsyncIterator[Gate]:
    """An open gate; runs of this process go through it, and Prefect's client repeats a request so often."""
    gate = Gate(PREFECT_API_URL.value() or "")
    await gate.open()
    try:
        with temporary_settings({PREFECT_API_URL: gate.url, PREFECT_CLIENT_MAX_RETRIES: retries}):
            yield gate
    finally:
        await gate.close()
