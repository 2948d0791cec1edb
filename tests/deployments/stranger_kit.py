"""A stranger's web pages in a real browser: one of another origin, and one whose name was made to lead to this machine."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from playwright.async_api import Browser, Page, async_playwright

from tests.browser.conftest import FLAGS

NAME = "evil.example"
ATTEMPT = """
async ([method, url, body, type, mode]) => {
  const options = {method, mode, headers: type ? {"Content-Type": type} : {}};
  if (body) options.body = type ? body : new Blob([body]);  // a blob without a type is sent without Content-Type
  try {
    const answer = await fetch(url, options);
    return answer.type === "opaque" ? "sent" : `${answer.status} ${await answer.text()}`;
  } catch (error) {
    return "blocked";
  }
}
"""
LISTEN = """
(url) => new Promise(done => {
  const socket = new WebSocket(url, ["prefect"]);
  socket.onopen = () => socket.send(JSON.stringify({type: "auth", token: null}));
  socket.onmessage = message => done(`heard ${message.data}`);
  socket.onerror = () => done("blocked");
  socket.onclose = () => done("blocked");
})
"""


class StrangersPage:
    """A page that tries what pages can."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def read(self, url: str, method: str = "GET", body: str = "") -> str:
        """What the page reads: status and body, or "blocked"."""
        return str(await self._page.evaluate(ATTEMPT, [method, url, body, "application/json" if body else "", "cors"]))

    async def post_simply(self, url: str, body: str, kind: str) -> str:
        """A POST that browsers send without asking the server first; "sent", for the answer cannot be read."""
        return str(await self._page.evaluate(ATTEMPT, ["POST", url, body, kind, "no-cors"]))

    async def listen(self, url: str) -> str:
        """The first message on a websocket, or "blocked"."""
        return str(await self._page.evaluate(LISTEN, url))


@asynccontextmanager
async def browser_of_a_victim(chromium: str) -> AsyncIterator[Browser]:
    """Chromium, where the stranger's name leads to this machine."""
    async with async_playwright() as playwright:
        flags = [*FLAGS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        await browser.close()


@asynccontextmanager
async def page_of_another_origin(browser: Browser) -> AsyncIterator[StrangersPage]:
    """A page of the stranger's own server."""
    with _site() as port:
        page = await browser.new_page()
        await page.goto(f"http://{NAME}:{port}/")
        yield StrangersPage(page)
        await page.close()


@asynccontextmanager
async def page_that_rebinds(browser: Browser, url: str) -> AsyncIterator[StrangersPage]:
    """A page whose origin is the stranger's name with the port of a program of ours: to the browser, that is its own server."""
    page = await browser.new_page()
    await page.goto(url.replace("127.0.0.1", NAME))
    yield StrangersPage(page)
    await page.close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>You have won</title>")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def _site() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
