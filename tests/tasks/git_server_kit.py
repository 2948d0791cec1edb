"""A git server for tests: git's own http-backend and the download half of Git LFS, behind a token."""

import base64
import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

needs_lfs = pytest.mark.skipif(not shutil.which("git-lfs"), reason="git-lfs is not here: `apt-get install git-lfs`")


class GitServer(ThreadingHTTPServer):
    """Serves the repositories of a folder to whoever has the token, and notes every request.

    Attributes:
        seen: method, path and Authorization of each request.
        sent: bytes of all answers.
        moved: when set, answers everything with a redirect to this address.
        status: when set, answers everything with it.
    """

    daemon_threads = True

    def __init__(self, folder: Path, token: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.expected = f"Basic {base64.b64encode(f'x-access-token:{token}'.encode()).decode()}" if token else ""
        self.seen: list[tuple[str, str, str]] = []
        self.sent = 0
        self.moved = ""
        self.status = 0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: GitServer

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, *said: Any) -> None:
        """Say nothing."""

    def _serve(self, body: bytes) -> None:
        said = self.headers.get("Authorization", "")
        self.server.seen.append((self.command, self.path, said))
        if self.server.moved:
            self._answer(301, {"Location": f"{self.server.moved}{self.path}"})
        elif self.server.status:
            self._answer(self.server.status, {})
        elif self.server.expected and said != self.server.expected:
            self._answer(401, {"WWW-Authenticate": "Basic"})
        elif self.path.endswith("/objects/batch"):
            self._lfs_batch(json.loads(body))
        elif self.path.startswith("/lfs/"):
            self._answer(200, {}, _lfs_file(self.server.folder, self.path.rpartition("/")[2]).read_bytes())
        else:
            self._backend(body)

    def _lfs_batch(self, asked: dict[str, Any]) -> None:
        objects = [
            {**one, "actions": {"download": {"href": f"{self.server.address}/lfs/{one['oid']}"}}}
            if _lfs_file(self.server.folder, one["oid"]).exists()
            else {**one, "error": {"code": 404, "message": "Object does not exist"}}
            for one in asked["objects"]
        ]
        kind = {"Content-Type": "application/vnd.git-lfs+json"}
        self._answer(200, kind, json.dumps({"transfer": "basic", "objects": objects}).encode())

    def _backend(self, body: bytes) -> None:
        url = urlsplit(self.path)
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        env = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.server.folder), "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command, "PATH_INFO": url.path, "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self._answer(int(headers.pop("Status", "200 OK").split()[0]), headers, content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self.server.sent += len(content)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _lfs_file(folder: Path, oid: str) -> Path:
    return next(folder.glob("*/.git")) / "lfs/objects" / oid[:2] / oid[2:4] / oid


@contextmanager
def serving(folder: Path, token: str = "") -> Iterator[GitServer]:
    """A running server."""
    with GitServer(folder, token) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
