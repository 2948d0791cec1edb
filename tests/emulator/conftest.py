"""Fixtures for tests of the emulator's service: the application in process, and a web server for `contentUrl`."""

import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

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

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = files.get(self.path.partition("?")[0])
                self.send_response(404 if content is None else 200)
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def put(self, name: str, content: bytes) -> str:
        """The address of a new file."""
        self.files[f"/{name}"] = content
        return f"http://127.0.0.1:{self.server.server_port}/{name}"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """A web server that this test owns."""
    shelf = Shelf()
    thread = threading.Thread(target=shelf.server.serve_forever, daemon=True)
    thread.start()
    yield shelf
    shelf.server.shutdown()
    shelf.server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built models and letter-to-sound rules, shared by the tests that need the real recogniser."""
    return tmp_path_factory.mktemp("models")
