"""A file of the service, written to disk as it comes: whole under its name, or not at all."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from speech_client.answers import Call, too_large
from speech_client.connection import Connection
from speech_client.errors import BadInput

CHUNK = 1024 * 1024


async def save(connection: Connection, address: str, path: Path, limit: int | None = None) -> Path:
    """Write what is at a signed address to `path`, which is replaced when all of it is there.

    A broken transfer begins again; nothing is resumed.

    Raises:
        BadInput: The file cannot be written.
        UnexpectedAnswer: It is larger than `limit` bytes.
    """
    with _replaced(path) as partial:

        async def write(call: Call, response: httpx.Response) -> None:
            await _write(call, response, partial, limit)

        await connection.fetch_into(address, write)
    return path


async def _write(call: Call, response: httpx.Response, partial: Path, limit: int | None) -> None:
    size = 0
    with await asyncio.to_thread(partial.open, "wb") as file:
        async for chunk in response.aiter_bytes(CHUNK):
            size += len(chunk)
            if limit is not None and size > limit:
                raise too_large(call, limit)
            await asyncio.to_thread(file.write, chunk)


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Lend a name beside `path`; what is there at the end becomes `path`."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
