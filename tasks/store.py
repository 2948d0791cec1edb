"""Where state, history, evidence and snapshots are kept: one protocol, here its local-folder form.

A key is a relative path with forward slashes, such as `tracks/sharjah/state.json`.
"""

import asyncio
import contextlib
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from tasks.folder_files import DRAFTS, copy_from, make_folder, remove_drafts, replacing
from tasks.folder_lock import LOCK_SECONDS, locked
from tasks.store_errors import StoreLocked, StoreUnavailable, told

ABSENT: Final = ""
"""As `if_match`: write only when nothing is there yet."""


class Conflict(Exception):
    """A conditional write came too late: the key holds something else by now."""


def may_pass(error: BaseException) -> bool:
    """Whether the same write may succeed in a moment."""
    return isinstance(error, Conflict | StoreUnavailable) and not isinstance(error, StoreLocked)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a key holds, with the ETag that a conditional write must name."""

    data: bytes
    etag: str


class Store(Protocol):
    """Conditional writes on named bytes: what Azure Blob Storage offers, and a folder as well.

    Each call raises `StoreTrouble` (`tasks.store_errors`) when the store cannot do it, and nothing is half done then.
    """

    async def read(self, key: str) -> Stored | None:
        """What the key holds, or None."""
        ...

    async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
        """Write all or nothing and return the new ETag.

        Args:
            key: where to.
            data: what; small, for large files there is `upload`.
            if_match: the ETag that the key must hold now, or `ABSENT`; None writes whatever is there.

        Raises:
            Conflict: the key holds something else.
        """
        ...

    async def exists(self, key: str) -> bool:
        """Whether the key holds anything, without reading it."""
        ...

    async def keys(self, prefix: str) -> list[str]:
        """All keys that start with `prefix`, sorted."""
        ...

    async def folders(self, prefix: str) -> list[str]:
        """The names of the folders right below `prefix`, which ends with a slash; sorted, and nothing below them is read."""
        ...

    async def delete(self, key: str) -> None:
        """Remove what the key holds; nothing is there already, all the better."""
        ...

    async def upload(self, key: str, source: Path) -> None:
        """Copy a file of any size to the key, all or nothing."""
        ...

    def local_copy(self, key: str) -> contextlib.AbstractAsyncContextManager[Path]:
        """A local file with the key's content, for as long as the context lasts.

        Raises:
            KeyError: nothing is there.
        """
        ...

    async def link(self, key: str) -> str | None:
        """An address that lets anybody who has it read this key for some hours, or None; a secret, so never kept or logged."""
        ...


class LocalFolder:
    """A `Store` in a local folder, safe for several processes of one machine; the default, for one laptop.

    Folders and files are the owner's alone.

    Args:
        folder: it is made when something is written.
        lock_seconds: how long a write waits for another one.
    """

    def __init__(self, folder: Path, lock_seconds: float = LOCK_SECONDS) -> None:
        self.folder = Path(os.path.realpath(folder))
        self._lock_seconds = lock_seconds
        self._is_tidy = False

    def __str__(self) -> str:
        return str(self.folder)

    async def read(self, key: str) -> Stored | None:
        """What the key holds, or None."""
        return await asyncio.to_thread(self._read, key)

    async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
        """Write all or nothing and return the new ETag; see `Store.write`."""
        return await asyncio.to_thread(self._write, key, data, if_match)

    async def exists(self, key: str) -> bool:
        """Whether the key holds anything, without reading it."""
        return await asyncio.to_thread(self._exists, key)

    async def keys(self, prefix: str) -> list[str]:
        """All keys that start with `prefix`, sorted."""
        return await asyncio.to_thread(self._keys, prefix)

    async def folders(self, prefix: str) -> list[str]:
        """The names of the folders right below `prefix`, sorted."""
        return await asyncio.to_thread(self._folders, prefix)

    async def delete(self, key: str) -> None:
        """Remove what the key holds; its folder stays, for others may be about to write there."""
        await asyncio.to_thread(self._delete, key)

    async def upload(self, key: str, source: Path) -> None:
        """Copy a file of any size to the key, all or nothing."""
        await asyncio.to_thread(self._upload, key, source)

    @asynccontextmanager
    async def local_copy(self, key: str) -> AsyncIterator[Path]:
        """The file itself; nobody writes to it in place."""
        if not await self.exists(key):
            raise KeyError(key)
        yield self._path(key)

    async def link(self, key: str) -> str | None:
        """None: nobody else can read a folder of this machine."""
        return None

    def _path(self, key: str) -> Path:
        path = Path(os.path.realpath(self.folder / key))
        if not path.is_relative_to(self.folder) or path == self.folder:
            raise ValueError(f"{key!r} is not a key")
        return path

    def _read(self, key: str) -> Stored | None:
        with told(self, "read", key):
            try:
                data = self._path(key).read_bytes()
            except FileNotFoundError:
                return None
        return Stored(data, _etag(data))

    def _exists(self, key: str) -> bool:
        with told(self, "look for", key):
            try:
                return stat.S_ISREG(self._path(key).stat().st_mode)
            except FileNotFoundError:
                return False

    def _write(self, key: str, data: bytes, if_match: str | None) -> str:
        path = self._path(key)
        with told(self, "write", key), self._locked():
            if if_match is not None:
                held = self._read(key)
                if (held.etag if held else ABSENT) != if_match:
                    raise Conflict(key)
            self._replace(path, BytesIO(data))
        return _etag(data)

    def _upload(self, key: str, source: Path) -> None:
        path = self._path(key)
        with source.open("rb") as file, told(self, "upload", key):
            make_folder(self.folder)
            self._replace(path, file)

    def _replace(self, path: Path, content: BinaryIO) -> None:
        with replacing(path, self.folder) as draft:
            copy_from(content, draft)

    def _keys(self, prefix: str) -> list[str]:
        folder = prefix.rpartition("/")[0]
        start = self._path(folder) if folder else self.folder
        with told(self, "list", prefix):
            keys = [path.relative_to(self.folder).as_posix() for path in self._files(start)]
        return sorted(key for key in keys if key.startswith(prefix))

    def _files(self, start: Path) -> Iterator[Path]:
        for folder, below, names in os.walk(start, onerror=_unless_gone):
            if Path(folder) == self.folder and DRAFTS in below:
                below.remove(DRAFTS)
            yield from (Path(folder, name) for name in names if not name.startswith("."))

    def _folders(self, prefix: str) -> list[str]:
        start = self._path(prefix)
        with told(self, "list", prefix):
            try:
                with os.scandir(start) as found:
                    return sorted(one.name for one in found if one.is_dir())
            except FileNotFoundError:
                return []

    def _delete(self, key: str) -> None:
        path = self._path(key)
        with told(self, "delete", key), self._locked():
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        make_folder(self.folder)
        with locked(self.folder, self._lock_seconds):
            if not self._is_tidy:
                self._is_tidy = True
                remove_drafts(self.folder)
            yield


def _unless_gone(error: OSError) -> None:
    """A folder that cannot be listed is no empty folder; one that is not there (any more) is."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
