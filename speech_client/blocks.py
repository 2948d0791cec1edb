"""Uploading a file in blocks that are committed together.

Source: Datasets_UploadBlock (at most 8 MiB; ids of at most 64 bytes before base64, all equally long),
Datasets_GetBlocks and Datasets_CommitBlocks.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

from speech_client.connection import Connection
from speech_client.entities import AzureObject, Known, Status
from speech_client.errors import BadInput, NotFound, TransientError

BLOCK_SIZE = 8 * 1024 * 1024


class Block(AzureObject):
    """A block at the service: its id, and its size in bytes."""

    name: str
    size: int | None = None


class UploadedBlocks(AzureObject):
    """What is at the service already."""

    committed_blocks: tuple[Block, ...] | None = None
    uncommitted_blocks: tuple[Block, ...] | None = None

    @property
    def committed(self) -> frozenset[str]:
        """Ids of the committed blocks."""
        return frozenset(block.name for block in self.committed_blocks or ())

    @property
    def all(self) -> frozenset[str]:
        """Ids of all blocks."""
        return self.committed | frozenset(block.name for block in self.uncommitted_blocks or ())


class _Import(AzureObject):
    status: Known[Status]


async def uploaded(connection: Connection, dataset: str) -> UploadedBlocks:
    """Return the blocks of the dataset at path `dataset`; none if the service has no list yet."""
    try:
        return (await connection.get(f"{dataset}/blocks")).parse(UploadedBlocks)
    except NotFound:
        return UploadedBlocks()


async def upload(
    connection: Connection, dataset: str, path: Path, on_progress: Callable[[int, int], None] | None = None
) -> None:
    """Bring the file to the dataset at path `dataset`, and commit it."""
    size = _size_of(path)
    there = await uploaded(connection, dataset)
    ids = []
    for number, offset in enumerate(range(0, size, BLOCK_SIZE)):
        data = await asyncio.to_thread(_read, path, offset, min(BLOCK_SIZE, size - offset))
        ids.append(_id_of(number, data))
        if ids[-1] not in there.all:
            await connection.put(f"{dataset}/blocks", data, {"blockid": ids[-1]})
        if on_progress:
            on_progress(offset + len(data), size)
    if not there.committed.issuperset(ids):
        await _commit(connection, dataset, ids)


async def _commit(connection: Connection, dataset: str, ids: Sequence[str]) -> None:
    """Commit; after a lost answer look whether it took effect, and only if not commit again."""
    order = [{"kind": "Latest", "id": block} for block in ids]
    try:
        await connection.post(f"{dataset}/blocks:commit", order)
    except TransientError as error:
        if not error.ambiguous:
            raise
        if not await _is_committed(connection, dataset, ids):
            await connection.post(f"{dataset}/blocks:commit", order)


async def _is_committed(connection: Connection, dataset: str, ids: Sequence[str]) -> bool:
    if (await connection.get(dataset)).parse(_Import).status != Status.NOT_STARTED:
        return True
    return (await uploaded(connection, dataset)).committed.issuperset(ids)


def _id_of(number: int, data: bytes) -> str:
    """Return an id of 49 bytes in base64 that tells the block's place and content."""
    return b64encode(f"{number:08d}-{hashlib.sha256(data).hexdigest()[:40]}".encode()).decode()


def _size_of(path: Path) -> int:
    if not path.is_file():
        raise BadInput(f"{path} cannot be uploaded: there is no such file.")
    if not (size := path.stat().st_size):
        raise BadInput(f"{path} is empty: there is nothing to upload.")
    return size


def _read(path: Path, offset: int, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(length)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) != length:
        raise BadInput(f"{path} became shorter while it was uploaded. Upload a file that nobody writes to.")
    return data
