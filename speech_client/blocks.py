"""Uploading a file in blocks that are committed together.

Source: Datasets_UploadBlock (at most 8 MiB; ids of at most 64 bytes before base64, all equally long),
Datasets_GetBlocks and Datasets_CommitBlocks.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from speech_client.connection import Connection
from speech_client.entities import AzureObject, Known, Status
from speech_client.errors import BadInput, NotFound, TransientError

BLOCK_SIZE = 8 * 1024 * 1024
PIECE = 512 * 1024
"""Bytes that are in memory at once."""


class Block(AzureObject):
    """A block at the service: its id, and its size in bytes."""

    name: str
    size: int | None = None


class BlockKind(StrEnum):
    """Where the service looks for a block that is to be committed; Latest: among the uncommitted ones first."""

    COMMITTED = "Committed"
    UNCOMMITTED = "Uncommitted"
    LATEST = "Latest"


class CommitBlocksEntry(AzureObject):
    """One block of the file, in its place."""

    kind: BlockKind
    id: str


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
        part = _Part(path, offset, min(BLOCK_SIZE, size - offset))
        digest = await part.digest()
        ids.append(_id_of(number, digest))
        if ids[-1] not in there.all:
            await connection.put(f"{dataset}/blocks", partial(part.sent, digest), part.length, {"blockid": ids[-1]})
        if on_progress:
            on_progress(offset + part.length, size)
    if not there.committed.issuperset(ids):
        await _commit(connection, dataset, ids)


async def _commit(connection: Connection, dataset: str, ids: Sequence[str]) -> None:
    """Commit; after a lost answer look whether it took effect, and only if not commit again."""
    order = [CommitBlocksEntry(kind=BlockKind.LATEST, id=block).to_azure() for block in ids]
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


def _id_of(number: int, digest: str) -> str:
    """Return an id of 49 bytes in base64 that tells the block's place and content."""
    return b64encode(f"{number:08d}-{digest[:40]}".encode()).decode()


def _size_of(path: Path) -> int:
    if not path.is_file():
        raise BadInput(f"{path} cannot be uploaded: there is no such file.")
    if not (size := path.stat().st_size):
        raise BadInput(f"{path} is empty: there is nothing to upload.")
    return size


@dataclass(frozen=True, slots=True)
class _Part:
    """A block of the file: read in small pieces, once to name it and again each time that it is sent."""

    path: Path
    offset: int
    length: int

    async def digest(self) -> str:
        """Return the SHA-256 of the block."""
        digest = hashlib.sha256()
        async for piece in self._pieces():
            digest.update(piece)
        return digest.hexdigest()

    async def sent(self, expected: str) -> AsyncIterator[bytes]:
        """Yield the block; the last piece only if the whole is what `digest` has seen, so that no other arrives."""
        digest, held = hashlib.sha256(), b""
        async for piece in self._pieces():
            digest.update(piece)
            if held:
                yield held
            held = piece
        if digest.hexdigest() != expected:
            raise BadInput(f"{self.path} changed while it was uploaded. Upload a file that nobody writes to.")
        yield held

    async def _pieces(self) -> AsyncIterator[bytes]:
        for done in range(0, self.length, PIECE):
            yield await asyncio.to_thread(_read, self.path, self.offset + done, min(PIECE, self.length - done))


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
