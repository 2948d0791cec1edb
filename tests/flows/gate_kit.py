"""A gate before the session's Prefect server: closed, the server is away, for everybody who goes through it.

It has a thread of its own, for Prefect's engine asks some things without letting go of the loop.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings


class Gate:
    """A port that leads to another one, while it is open."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self.port = 0
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    async def _there(self, call: Coroutine[None, None, None]) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self._loop))

    @property
    def url(self) -> str:
        """Of the API behind it."""
        return f"http://127.0.0.1:{self.port}{self._to.path}"

    async def open(self) -> None:
        """The server is there, again."""
        await self._there(self._open())

    async def close(self) -> None:
        """The server is away: connections break, and new ones are refused."""
        await self._there(self._close())

    async def open_after(self, seconds: float) -> None:
        """The server comes back by itself."""
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, lambda: self._loop.create_task(self._open()))

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection(self._to.hostname, self._to.port)
        except OSError:
            writer.transport.abort()
            return
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
        await gate.open()  # and so it stays: the events of this process go through it from now on
