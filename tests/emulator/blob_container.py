"""A blob container for tests: lists its blobs in pages and gives them away, both only with its SAS."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

SAS = "sp=rl&sig=s3cret"
PATH = "/account/audio"


class BlobContainer:
    """What is in it, how large a page of its list is, and what it was asked."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.sizes: dict[str, int] = {}
        """What the list says of a blob, if it is not the truth."""
        self.page_size = 2
        self.list_body: Callable[[str, str], bytes] = self.page
        """The answer to List Blobs, by prefix and marker."""
        self.lists: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def address(self, folder: str = "", sas: str = SAS) -> str:
        """The `contentContainerUrl`, in Azurite's form."""
        return f"http://127.0.0.1:{self.server.server_port}{PATH}{folder}?{sas}"

    def page(self, prefix: str, marker: str) -> bytes:
        """A page as the blob service writes it."""
        names = [name for name in sorted(self.blobs) if name.startswith(prefix)]
        start = int(marker or 0)
        shown, following = names[start : start + self.page_size], start + self.page_size
        blobs = "".join(self._blob(name) for name in shown)
        marker = str(following) if following < len(names) else ""
        return (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="audio">'
            f"<Blobs>{blobs}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
        ).encode()

    def _blob(self, name: str) -> str:
        size = self.sizes.get(name, len(self.blobs[name]))
        properties = f"<Properties><Content-Length>{size}</Content-Length></Properties>"
        return f"<Blob><Name>{escape(name)}</Name>{properties}</Blob>"

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, bytes]:
        """Status and body for a GET."""
        if query.get("sig") != ["s3cret"]:
            return 403, b""
        if query.get("comp") == ["list"] and path == PATH:
            marker = query.get("marker", [""])[0]
            self.lists.append(marker)
            return 200, self.list_body(query.get("prefix", [""])[0], marker)
        content = self.blobs.get(path.removeprefix(f"{PATH}/"))
        return (404, b"") if content is None else (200, content)

    def _handler(container) -> type[BaseHTTPRequestHandler]:  # noqa: N805  `self` is the handler's, inside
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                status, body = container.answer(unquote(parts.path), parse_qs(parts.query))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        return Handler


@contextmanager
def served_container() -> Iterator[BlobContainer]:
    """A container that answers."""
    container = BlobContainer()
    thread = Thread(target=container.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield container
    container.server.shutdown()
    container.server.server_close()
    thread.join()
