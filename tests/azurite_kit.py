"""Azurite, Microsoft's local Blob Storage, for tests: found, started, stopped; and a network in front of it that fails."""

import asyncio
import base64
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from azure.storage.blob import ContainerClient
from pydantic import SecretStr

from tasks.blob_container import Container

PROJECT = Path(__file__).parents[1]
MISSING = "Azurite is not here: `.ci/run` installs it into .azurite where npm is, or name its azurite-blob in AZURITE"
ACCOUNT = "unittests"


def find_azurite() -> str | None:
    """The program `azurite-blob`: named in AZURITE, installed in the project, or on PATH."""
    installed = [folder / "node_modules/.bin/azurite-blob" for folder in (PROJECT / ".azurite", PROJECT)]
    named = os.environ.get("AZURITE") or next((str(path) for path in installed if path.exists()), "azurite-blob")
    return shutil.which(named)


@dataclass(frozen=True)
class Azurite:
    """A running Azurite with one account."""

    address: str
    key: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])

    @property
    def connection_string(self) -> SecretStr:
        """What the portal would show for the account."""
        return SecretStr(
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.key};"
            f"BlobEndpoint={self.address}/{ACCOUNT};"
        )

    def container(self) -> Container:
        """A new, empty container."""
        container = Container(f"c{uuid4().hex}", self.connection_string)
        with self.client(container) as client:
            client.create_container()
        return container

    def client(self, container: Container) -> ContainerClient:
        """The SDK's plain client, to arrange and to look behind our store's back."""
        return ContainerClient.from_connection_string(self.connection_string.get_secret_value(), container.name)


@contextmanager
def running_azurite(program: str) -> Iterator[Azurite]:
    """Start Azurite on a free port, with an account of its own and everything in memory; stop it at the end."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    options = "--blobPort 0 --inMemoryPersistence --skipApiVersionCheck --disableTelemetry --silent"
    env = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
    with subprocess.Popen([program, *options.split()], env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Azurite(_address(process), key)
        finally:
            process.terminate()
            process.communicate()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"listens on (http://[\d.]+:\d+)", line):
            return found[1]
    raise AssertionError(f"Azurite did not start: {said}")


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azurite, for all tests of a folder; where it is not installed, they say so and are skipped."""
    program = find_azurite()
    if not program:
        pytest.skip(MISSING)
    with running_azurite(program) as running:
        yield running


class LossyNetwork:
    """Azurite, reached by a network that resets the connection instead of delivering some of the answers.

    Args:
        azurite: what the requests reach in any case.
        loses: whether the answer to a request gets lost; it is given how the request begins.
    """

    def __init__(self, azurite: Azurite, loses: Callable[[bytes], bool]) -> None:
        self._azurite = azurite
        self._loses = loses
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Azurite]:
        """Azurite's address in this network."""
        server = await asyncio.start_server(self._connect, "127.0.0.1")
        try:
            yield replace(self._azurite, address=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        finally:
            server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def _connect(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._connections.add(asyncio.create_task(self._serve(near, back)))

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection("127.0.0.1", self._azurite.port)
        answered = asyncio.create_task(self._answers(far, back, requests := _Requests(self._loses)))
        asked = asyncio.create_task(requests.pass_on(near, forth))
        try:
            await asyncio.wait([asked, answered], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in (asked, answered):
                pump.cancel()
            await asyncio.gather(asked, answered, return_exceptions=True)
            back.transport.abort()
            forth.transport.abort()

    async def _answers(self, far: asyncio.StreamReader, back: asyncio.StreamWriter, requests: "_Requests") -> None:
        while data := await far.read(65536):
            if requests.last_is_lost:
                return
            back.write(data)
            await back.drain()


class _Requests:
    """The requests of one connection, one after the other."""

    def __init__(self, loses: Callable[[bytes], bool]) -> None:
        self._loses = loses
        self.last_is_lost = False

    async def pass_on(self, near: asyncio.StreamReader, forth: asyncio.StreamWriter) -> None:
        """Send them on, and find out about each whether its answer gets lost."""
        while data := await near.read(65536):
            if re.match(rb"(PUT|GET|HEAD) ", data):
                self.last_is_lost = self._loses(data)
            forth.write(data)
            await forth.drain()
