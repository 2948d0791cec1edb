"""Files that only their owner can read, written all or nothing, and on the disk when the call returns."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

DRAFTS: Final = ".drafts"
"""Below the store's folder: files that are being written. What a killed process left there is removed by the next."""

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_LEFT_SECONDS: Final = 24 * 3600
_DEAD_SECONDS: Final = 600
"""How old a draft of a process that is not alive must be; a container may see another's folder, but not its processes."""


def make_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, for the owner only."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(_PRIVATE_FOLDER)
    except FileExistsError:
        if not folder.is_dir():  # else another process was faster
            raise
    _sync_folder(folder.parent)


@contextmanager
def replacing(path: Path, root: Path) -> Iterator[BinaryIO]:
    """A file to write to, that takes the place of `path` when the context ends without an error.

    Args:
        path: what is replaced.
        root: the store's folder, on the same file system.
    """
    make_folder(path.parent)
    make_folder(root / DRAFTS)
    draft = root / DRAFTS / f"{socket.gethostname()}.{os.getpid()}.{uuid4().hex}"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def copy_from(source: BinaryIO, target: BinaryIO) -> None:
    """All bytes of one file to another."""
    shutil.copyfileobj(source, target, 1024 * 1024)


def remove_drafts(root: Path) -> None:
    """Remove what killed processes left; what cannot be removed now is left for the next time."""
    with suppress(OSError):
        for draft in (root / DRAFTS).iterdir():
            with suppress(OSError):
                if _is_left(draft):
                    draft.unlink()


def _is_left(draft: Path) -> bool:
    host, _, number = draft.stem.rpartition(".")
    dead = host == socket.gethostname() and number.isdigit() and not _is_alive(int(number))
    return time.time() - draft.stat().st_mtime > (_DEAD_SECONDS if dead else _LEFT_SECONDS)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
