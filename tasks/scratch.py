"""Temporary folders that always go: when their block ends, or when a later one begins, after a process was killed.

A folder is in use while somebody holds the lock of the file `in-use` in it. The system lets go of a lock when its process
ends, however it ends. So a folder whose lock is free belongs to nobody.
"""

import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "speechops-"
_LOCK: Final = "in-use"
_NEW: Final = "new"
"""The lock before it is held."""
_BEING_MADE_SECONDS: Final = 3600


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder, for as long as the block lasts."""
    top = Path(tempfile.gettempdir())
    remove_left_folders(top)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=top))
    with (folder / _NEW).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / _NEW).rename(folder / _LOCK)  # others see the lock when it is held
            (folder / "files").mkdir(mode=0o700)
            yield folder / "files"
        finally:
            remove_tree(folder)


def remove_left_folders(top: Path) -> None:
    """Remove the folders of processes that were killed."""
    for folder in top.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if _is_ours(folder) and _is_left(folder):
                remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder, however deep it is."""
    try:
        shutil.rmtree(folder)
    except (RecursionError, OSError):  # too deep for Python, or somebody else removes it as well
        subprocess.run(["rm", "-rf", "--", str(folder)], check=True, capture_output=True)


def _is_ours(folder: Path) -> bool:
    """Whether it is a folder of this user, and no link: anybody may make things in a temporary folder."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _is_left(folder: Path) -> bool:
    """Whether nobody holds its lock. A folder without one is no scratch folder, or is being made, which takes no hour."""
    if not (folder / _LOCK).exists():
        is_new = {path.name for path in folder.iterdir()} <= {_NEW}
        return is_new and time.time() - folder.lstat().st_mtime > _BEING_MADE_SECONDS
    with (folder / _LOCK).open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
