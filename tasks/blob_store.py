"""The store in a container of Azure Blob Storage; see `tasks.store.Store` for what it promises."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import uuid4

from azure.core import MatchConditions
from azure.storage.blob import BlobProperties
from azure.storage.blob.aio import BlobClient

from tasks.blob_container import CLIENTS, PARALLEL, Container
from tasks.blob_errors import explained
from tasks.blob_links import signed
from tasks.scratch import scratch_folder
from tasks.store import ABSENT, Conflict, Stored
from tasks.store_errors import told

_WRITER: Final = "writer"
"""Metadata of a blob: the token of the conditional write that made it."""

_MOST_TRIES: Final = 5
"""Of one write in blocks, while others write the same key."""

_LONGEST_NAME: Final = 1024
"""Characters of a blob's name, by Azure's rules for names."""


class BlobStore:
    """A `Store` in a container of Azure Blob Storage, or of Azurite: for a team, safe for any number of machines.

    Args:
        container: where it is.
        prefix: the folder of the container in which all keys lie; empty for the whole container.
        page_size: how many names to ask for at once, when keys are listed.
        links: whether `link` may make links.

    Raises:
        Mistake: these settings lead nowhere. Nothing is asked of Azure yet.
    """

    def __init__(self, container: Container, prefix: str = "", *, page_size: int = 5000, links: bool = False) -> None:
        self._container = container
        self._folder = f"{prefix.strip('/')}/".lstrip("/")
        self._page_size = page_size
        self._links = links
        self._address = f"{container.address()}/{self._folder}".rstrip("/")

    def __str__(self) -> str:
        return self._address

    async def read(self, key: str) -> Stored | None:
        """What the key holds, or None.

        Raises:
            Conflict: it changed meanwhile; only where it is too large for one request.
        """
        try:
            async with self._blob(key) as blob:
                stream = await blob.download_blob(max_concurrency=PARALLEL)
                return Stored(await stream.readall(), str(stream.properties.etag))
        except KeyError:
            return None

    async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
        """Write all or nothing and return the new ETag; see `Store.write`.

        A conditional write carries a token. The SDK repeats a request whose answer was lost, and the second try then meets
        what the first wrote: the token tells that this is our own.
        """
        if if_match is None:
            return await self._overwrite(key, BytesIO(data), len(data))
        token = uuid4().hex
        try:
            async with self._blob(key) as blob:
                written = await blob.upload_blob(data, metadata={_WRITER: token}, **_condition(if_match))
                return _etag(written)
        except (Conflict, KeyError):
            held = await self._properties(key)
            if held and held.metadata.get(_WRITER) == token:
                return str(held.etag)
            raise Conflict(key) from None

    async def exists(self, key: str) -> bool:
        """Whether the key holds anything, without reading it."""
        held = await self._properties(key)
        return held is not None and not _is_folder(held)

    async def keys(self, prefix: str) -> list[str]:
        """All keys that start with `prefix`, sorted."""
        folder = prefix.rpartition("/")[0]
        if folder:
            self._blob_name(folder)
        with explained(str(self), prefix):
            client = await CLIENTS.get(self._container)
            pages = client.list_blobs(f"{self._folder}{prefix}", include=["metadata"], results_per_page=self._page_size)
            found = [blob.name async for blob in pages if not _is_folder(blob)]
        return sorted(name.removeprefix(self._folder) for name in found)

    async def folders(self, prefix: str) -> list[str]:
        """The names of the folders right below `prefix`, sorted; Azure does not list what is below them."""
        self._blob_name(prefix)
        start = f"{self._folder}{prefix}"
        with explained(str(self), prefix):
            client = await CLIENTS.get(self._container)
            pages = client.walk_blobs(start, delimiter="/", results_per_page=self._page_size)
            found = [one.name async for one in pages if one.name.endswith("/")]
        return sorted(name.removeprefix(start).rstrip("/") for name in found)

    async def delete(self, key: str) -> None:
        """Remove what the key holds; what the container's soft delete keeps is the container's."""
        with suppress(KeyError):
            async with self._blob(key) as blob:
                await blob.delete_blob(delete_snapshots="include")

    async def upload(self, key: str, source: Path) -> None:
        """Copy a file of any size to the key, all or nothing: its blocks become visible together, at the end.

        Two uploads to one key at the same time must be of the same bytes, as they are where the key is their hash: Azure
        tells the blocks of the two apart by their position only.

        Raises:
            Conflict: others keep uploading to the key.
        """
        with source.open("rb") as file:
            await self._overwrite(key, file, os.fstat(file.fileno()).st_size)

    @asynccontextmanager
    async def local_copy(self, key: str) -> AsyncIterator[Path]:
        """A temporary file with the key's content, which only we can read; it goes when the context ends."""
        with ExitStack() as stack:
            with told(self, f"copy to {tempfile.gettempdir()}", key):
                path = stack.enter_context(scratch_folder()) / f"copy{Path(key).suffix}"
                async with self._blob(key) as blob:
                    with path.open("wb") as file:
                        await (await blob.download_blob(max_concurrency=PARALLEL)).readinto(file)
            yield path

    async def link(self, key: str) -> str | None:
        """A shared access signature that reads this blob only; None where links are off or we cannot sign one."""
        name = self._blob_name(key)
        if not self._links:
            return None
        with explained(str(self), key):
            client = await CLIENTS.get(self._container)
            return await signed(self._container, client, name)

    async def _overwrite(self, key: str, content: BinaryIO, size: int) -> str:
        for left in reversed(range(_MOST_TRIES)):
            content.seek(0)
            try:
                async with self._blob(key) as blob:
                    return _etag(await blob.upload_blob(content, length=size, overwrite=True, max_concurrency=PARALLEL))
            except Conflict:
                if not left:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    async def _properties(self, key: str) -> BlobProperties | None:
        try:
            async with self._blob(key) as blob:
                return await blob.get_blob_properties()
        except KeyError:
            return None

    @asynccontextmanager
    async def _blob(self, key: str) -> AsyncIterator[BlobClient]:
        name = self._blob_name(key)
        with explained(str(self), key):
            client = await CLIENTS.get(self._container)
            yield client.get_blob_client(name)

    def _blob_name(self, key: str) -> str:
        name, parts = f"{self._folder}{key}", key.removesuffix("/").split("/")
        odd = {"", ".", ".."}.intersection(parts) or "\\" in key or not key.isprintable()
        if odd or len(name) > _LONGEST_NAME:
            raise ValueError(f"{key!r} is not a key")
        return name


def _condition(if_match: str) -> dict[str, Any]:
    if if_match == ABSENT:
        return {"overwrite": False}
    return {"overwrite": True, "etag": if_match, "match_condition": MatchConditions.IfNotModified}


def _etag(answer: dict[str, Any]) -> str:
    return str(answer["etag"])


def _is_folder(blob: BlobProperties) -> bool:
    """With a hierarchical namespace (Data Lake Storage) folders are listed as blobs with this mark."""
    return (blob.metadata or {}).get("hdi_isfolder") == "true"
