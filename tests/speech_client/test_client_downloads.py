"""Files come to disk whole or not at all, and memory does not grow with them."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from speech_client import BadInput, File, Forbidden, TransientError, UnexpectedAnswer

STORE = "https://store.blob.core.windows.net/f.json"
MB = 1024 * 1024


@pytest.fixture
def file(build: Any) -> File:
    return File.model_validate(build.file())


def broken_after(data: bytes) -> Any:
    """An answer that ends too early."""

    async def content() -> AsyncIterator[bytes]:
        yield data
        raise httpx.ReadError("reset")

    return lambda _: httpx.Response(200, content=content())


class Streaming(httpx.AsyncBaseTransport):
    """Answers with what is called for, chunk by chunk."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response: httpx.Response = self.answers.pop(0)(request)
        return response


async def test_a_file_is_written_to_disk(service: Any, speech: Any, file: File, tmp_path: Path) -> None:
    """Under the name that was asked for, without our key, and nothing else is left there."""
    service.says("GET", STORE, httpx.Response(200, content=b"content"))
    path = tmp_path / "out.json"
    assert await speech.download(file, path) == path
    assert path.read_bytes() == b"content"
    assert list(tmp_path.iterdir()) == [path]
    assert "Ocp-Apim-Subscription-Key" not in service.requests[0].headers


async def test_a_broken_transfer_begins_again(connect: Any, file: File, tmp_path: Path) -> None:
    """What came first is not doubled."""
    path = tmp_path / "out.json"
    whole = lambda _: httpx.Response(200, content=b"content")  # noqa: E731
    async with connect(transport=Streaming(broken_after(b"con"), whole)) as speech:
        await speech.download(file, path)
    assert path.read_bytes() == b"content"


async def test_what_was_there_stays_until_all_is_there(connect: Any, file: File, tmp_path: Path) -> None:
    """A transfer that fails for good leaves the former file, and no part of the new one."""
    path = tmp_path / "out.json"
    path.write_bytes(b"former")
    async with connect(transport=Streaming(*[broken_after(b"new")] * 5)) as speech:
        with pytest.raises(TransientError):
            await speech.download(file, path)
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


async def test_an_error_is_not_written_as_if_it_were_the_file(
    service: Any, speech: Any, file: File, tmp_path: Path
) -> None:
    """A signed address that is over answers with XML."""
    denied = httpx.Response(403, headers={"x-ms-error-code": "AuthenticationFailed"}, content=b"<Error/>")
    service.says("GET", STORE, denied)
    with pytest.raises(Forbidden, match=r"AuthenticationFailed.*list the files again"):
        await speech.download(file, tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


async def test_a_file_beyond_the_limit_is_refused(service: Any, speech: Any, file: File, tmp_path: Path) -> None:
    """While it comes, not when the disk is full."""
    service.says("GET", STORE, httpx.Response(200, content=bytes(3 * MB)))
    with pytest.raises(UnexpectedAnswer):
        await speech.download(file, tmp_path / "out.bin", limit=2 * MB)
    assert list(tmp_path.iterdir()) == []


async def test_a_place_that_cannot_be_written_is_named(service: Any, speech: Any, file: File, tmp_path: Path) -> None:
    """Instead of a traceback."""
    service.says("GET", STORE, httpx.Response(200, content=b"content"))
    with pytest.raises(BadInput, match="cannot be written"):
        await speech.download(file, tmp_path / "missing" / "out.json")


async def test_memory_does_not_grow_with_the_file(connect: Any, file: File, tmp_path: Path) -> None:
    """More than `largest_answer` can come to disk, for it is never in memory."""

    async def content() -> AsyncIterator[bytes]:
        for _ in range(1024):
            yield bytes(64 * 1024)

    path = tmp_path / "out.bin"
    transport = Streaming(lambda _: httpx.Response(200, content=content()))
    async with connect(transport=transport, largest_answer=MB) as speech:
        tracemalloc.start()
        await speech.download(file, path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert path.stat().st_size == 64 * MB
    assert peak < 8 * MB
