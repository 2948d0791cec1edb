"""A receiver of web hooks for tests: real HTTP, and every answer that a test wants."""

import asyncio
import base64
import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATIENCE = 20
"""Seconds until a test that waits for a post fails."""


@dataclass(frozen=True)
class Post:
    """What came in."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> str:
        """The kind of event, as the header has it."""
        return self.headers["X-MicrosoftSpeechServices-Event"]

    @property
    def signature(self) -> str | None:
        """The signature, if it is signed."""
        return self.headers.get("X-MicrosoftSpeechServices-Signature")

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        content: dict[str, Any] = json.loads(self.body)
        return content


Answer = Callable[[Post], tuple[int, bytes]]


def echo(post: Post) -> tuple[int, bytes]:
    """What a receiver has to answer: the token of a challenge, anything to events."""
    return 200, post.query.get("validationToken", "thanks").encode()


def behind(door: threading.Event, status: int = 200) -> Answer:
    """An answer that waits for this door."""

    def answer(post: Post) -> tuple[int, bytes]:
        assert door.wait(PATIENCE)
        return status, echo(post)[1]

    return answer


class Receiver:
    """Listens on loopback; posts are answered as `answers` says, first to last, then by `echo`."""

    def __init__(self) -> None:
        posts = self._posts = queue.Queue[Post]()
        answers = self.answers = list[Answer]()
        cut_off = self.cut_off = threading.Event()
        """An answer was not read to its end."""

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                post = Post(parts.path, query, dict(self.headers.items()), body)
                posts.put(post)
                status, content = (answers.pop(0) if answers else echo)(post)
                self.send_response(status)
                if status in (301, 307):
                    self.send_header("Location", content.decode())
                self.send_header("Set-Cookie", "session=1")
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    cut_off.set()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address to register; it has a query of its own, as that of an Azure function has."""
        return f"http://127.0.0.1:{self._server.server_port}/hook?code=its-own"

    async def next(self) -> Post:
        """The next post, whenever it comes."""
        return await asyncio.to_thread(self._posts.get, timeout=PATIENCE)

    async def take(self, count: int) -> list[Post]:
        """So many posts, in whatever order they come."""
        return [await self.next() for _ in range(count)]

    def rest(self) -> list[str]:
        """Kinds of the posts that nobody took."""
        return [self._posts.get().event for _ in range(self._posts.qsize())]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def signed(secret: str, payload: bytes) -> str:
    """The signature that Microsoft describes, computed by the test itself."""
    return base64.b64encode(hmac.new(secret.encode(), payload, hashlib.sha256).digest()).decode()
