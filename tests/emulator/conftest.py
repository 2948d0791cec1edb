"""Fixtures for tests of the emulator's service: the application in process, and a web server for `contentUrl`."""

import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.emulator.receiver import Receiver
from tests.emulator.service_kit import Caller, in_process, settings_for


@pytest.fixture
async def speech(tmp_path: Path) -> AsyncIterator[Caller]:
    """An emulator in this process with a quick engine."""
    async with in_process(settings_for(tmp_path)) as caller:
        yield caller


class Shelf:
    """A web server with files that tests put on it."""

    def __init__(self) -> None:
        files = self.files = {}
        redirects = self.redirects = {}
        stalled, asked = self.stalled, self.asked = set(), []
        encodings = self.encodings = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.partition("?")[0]
                asked.append(name)
                content, target = files.get(name), redirects.get(name)
                self.send_response(302 if target else 404 if content is None else 200)
                if target:
                    self.send_header("Location", target)
                if name in encodings:
                    self.send_header("Content-Encoding", encodings[name])
                self.end_headers()
                self.wfile.write(content or b"")
                if name in stalled:
                    self.wfile.flush()
                    self.connection.recv(1)  # until the caller hangs up

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def put(self, name: str, content: bytes) -> str:
        """The address of a new file."""
        self.files[f"/{name}"] = content
        return self.address_of(name)

    def redirect(self, name: str, target: str) -> str:
        """An address that leads elsewhere."""
        self.redirects[f"/{name}"] = target
        return self.address_of(name)

    def stall(self, name: str) -> str:
        """The address of a file that begins and never ends."""
        self.stalled.add(f"/{name}")
        return self.put(name, b"first line\n")

    def address_of(self, name: str) -> str:
        """Where a name is."""
        return f"http://127.0.0.1:{self.server.server_port}/{name}"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """A web server that this test owns."""
    shelf = Shelf()
    thread = threading.Thread(target=shelf.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield shelf
    shelf.server.shutdown()
    shelf.server.server_close()
    thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of web hooks that this test owns."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built models and letter-to-sound rules, shared by the tests that need the real recogniser."""
    return tmp_path_factory.mktemp("models")
