"""Where state, history, evidence and snapshots are kept: one protocol, here its local-folder form.

A key is a relative path with forward slashes, such as `tracks/sharjah/state.json`.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from filelock import FileLock

from domain.mistakes import Mistake

ABSENT: Final = ""
"""As `if_match`: write only when nothing is there yet."""


class Conflict(Exception):
    """A conditional write came too late: the key holds something else by now."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a key holds, with the ETag that a conditional write must name."""

    data: bytes
    etag: str


class Store(Protocol):
    """Conditional writes on named bytes: what Azure Blob Storage offers, and a folder as well."""

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
    """A `Store` in a local folder, safe for several processes of one machine; the default, for one laptop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

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
        return await asyncio.to_thread(self._path(key).is_file)

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
        path = self._path(key)
        if not path.is_file():
            raise KeyError(key)
        yield path

    async def link(self, key: str) -> str | None:
        """None: nobody else can read a folder of this machine."""
        return None

    def _path(self, key: str) -> Path:
        path = (self.folder / key).resolve()
        if not path.is_relative_to(self.folder) or path == self.folder:
            raise ValueError(f"{key!r} is not a key")
        return path

    def _read(self, key: str) -> Stored | None:
        try:
            data = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        return Stored(data, _etag(data))

    def _write(self, key: str, data: bytes, if_match: str | None) -> str:
        with self._locked(), self._replacing(self._path(key)) as draft:
            if if_match is not None:
                held = self._read(key)
                if (held.etag if held else ABSENT) != if_match:
                    raise Conflict(key)
            draft.write_bytes(data)
        return _etag(data)

    def _upload(self, key: str, source: Path) -> None:
        with self._replacing(self._path(key)) as draft:
            shutil.copyfile(source, draft)

    def _keys(self, prefix: str) -> list[str]:
        folder = prefix.rpartition("/")[0]
        start = self._path(folder) if folder else self.folder
        files = (path for path in start.rglob("*") if path.is_file())
        keys = (path.relative_to(self.folder).as_posix() for path in files)
        return sorted(key for key in keys if key.startswith(prefix) and not Path(key).name.startswith("."))

    def _folders(self, prefix: str) -> list[str]:
        start = self._path(prefix)
        return sorted(path.name for path in start.iterdir() if path.is_dir()) if start.is_dir() else []

    def _delete(self, key: str) -> None:
        path = self._path(key)
        with self._locked():
            path.unlink(missing_ok=True)

    def _locked(self) -> FileLock:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Mistake(
                f"the store's folder {self.folder} cannot be made ({error.strerror}). Correct the folder in the store's block."
            ) from None
        return FileLock(self.folder / ".lock")

    @contextlib.contextmanager
    def _replacing(self, path: Path) -> Iterator[Path]:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
        os.close(handle)
        draft = Path(name)
        try:
            yield draft
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
