"""What stands between us and the service: proxies, redirects, and answers without an end."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from speech_client import File, KeyCredential, RequestRejected, RetryPolicy, SpeechClient, UnexpectedAnswer, Unreachable

CLOSED = "http://127.0.0.1:9"
MB = 1024**2


@pytest.fixture
def _company(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a company's machine, whose proxy does not answer."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, CLOSED)


@pytest.mark.usefixtures("_company")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_local_service_is_reached_without_the_proxy(build: Any, host: str) -> None:
    """Over a real socket: a proxy would look for the service on its own machine, and see the key."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        endpoint = f"http://{host}:{server.sockets[0].getsockname()[1]}"
        async with SpeechClient(endpoint, KeyCredential("k"), retry=RetryPolicy(attempts=1)) as speech:
            with pytest.raises(RequestRejected, match="404"):
                await speech.datasets.get("d1")


@pytest.mark.usefixtures("_company")
async def test_azure_is_reached_through_the_proxy(build: Any) -> None:
    """Often the only way out; here it is closed."""
    async with SpeechClient(build.host, KeyCredential("k"), retry=RetryPolicy(attempts=1)) as speech:
        with pytest.raises(Unreachable):
            await speech.datasets.get("d1")


async def test_a_redirect_says_that_the_endpoint_is_wrong(service: Any, speech: Any) -> None:
    """It is not followed, for the key would go along; where it leads is told without the query."""
    there = {"Location": "https://login.example/sso?token=canary"}
    service.says("GET", "datasets/d1", httpx.Response(302, headers=there))
    with pytest.raises(RequestRejected, match=r"redirect to https://login\.example.*[Cc]orrect the endpoint") as caught:
        await speech.datasets.get("d1")

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("location", [None, "/elsewhere", "http://[bad"])
async def test_a_redirect_to_nowhere_is_said_as_well(service: Any, speech: Any, location: str | None) -> None:
    """Whatever the header holds."""
    service.says("GET", "datasets/d1", httpx.Response(308, headers={"Location": location} if location else {}))
    with pytest.raises(RequestRejected, match="orrect the endpoint"):
        await speech.datasets.get("d1")


class Endless:
    """Answers every request with a body that goes on as long as somebody reads."""

    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.chunks = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=self.headers, content=self._body())

    async def _body(self) -> AsyncIterator[bytes]:
        while True:
            self.chunks += 1
            yield bytes(MB)


async def test_a_file_without_an_end_is_not_read_to_its_end(connect: Any, build: Any) -> None:
    """It would fill the memory of the worker."""
    endless = Endless()
    async with connect(transport=httpx.MockTransport(endless), largest_answer=3 * MB) as speech:
        with pytest.raises(UnexpectedAnswer, match="larger than 3 MB"):
            await speech.download(File.model_validate(build.file()))

    assert endless.chunks == 4


async def test_a_file_that_announces_to_be_too_large_is_not_read_at_all(connect: Any, build: Any) -> None:
    """Content-Length says so."""
    endless = Endless(content_length=str(3 * MB + 1))
    async with connect(transport=httpx.MockTransport(endless), largest_answer=3 * MB) as speech:
        with pytest.raises(UnexpectedAnswer, match="larger than 3 MB"):
            await speech.download(File.model_validate(build.file()))

    assert endless.chunks == 0


async def test_a_compressed_answer_counts_as_what_it_becomes(connect: Any, build: Any) -> None:
    """And arrives as such when it is small enough."""
    body = gzip.compress(bytes(2 * MB))
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=body))
    file = File.model_validate(build.file())
    async with connect(transport=transport, largest_answer=2 * MB) as speech:
        assert await speech.download(file) == bytes(2 * MB)
    async with connect(transport=transport, largest_answer=MB) as speech:
        with pytest.raises(UnexpectedAnswer, match="larger than 1 MB"):
            await speech.download(file)
