"""The SQLite file of an outbox: private, and really there.

Linux goes on writing into a file that was deleted, and SQLite does not look. So the file in the folder and its write-ahead
log are compared with those that are open, before and after each transaction.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

Identity = tuple[tuple[int, int] | None, ...]

_REMEDIES = {
    sqlite3.SQLITE_FULL: "Make room on the disk of {folder}.",
    sqlite3.SQLITE_READONLY: "Make {folder} writable for this user: look at its rights, and at how the disk is mounted.",
    sqlite3.SQLITE_IOERR: "The disk of {folder} fails, or is full or read-only: look at the kernel's log, and at `df`.",
    sqlite3.SQLITE_CANTOPEN: "Put {path} back, or correct its rights.",
    sqlite3.SQLITE_CORRUPT: "Move {path} aside and restart the receiver, which begins a new one.",
    sqlite3.SQLITE_NOTADB: "Move {path} aside and restart the receiver, which begins a new one.",
}


def make_private(path: Path) -> None:
    """Make the file when it is missing; nobody but its owner may read it. SQLite gives its log the same rights."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return
    if path.stat().st_mode & 0o077:
        with suppress(PermissionError):
            path.chmod(0o600)


def connected(path: Path, patience: float, script: str) -> sqlite3.Connection:
    """A connection to a file that is there.

    Raises:
        sqlite3.Error: it is not there, or no database.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(address, uri=True, isolation_level=None, timeout=patience, check_same_thread=False)
    try:
        db.executescript(script)
        db.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()  # from now on there is a write-ahead log, too
    except BaseException:
        db.close()
        raise
    return db


def identity(path: Path) -> Identity:
    """What lies in the folder under the names of the file and of its write-ahead log."""
    return tuple(map(_identified, (path, _log_of(path))))


def put_log_aside(path: Path, former: Identity) -> None:
    """The write-ahead log of a file in whose place another one lies: SQLite would write it over that one."""
    if _identified(path) != former[0] and former[1] and _identified(_log_of(path)) == former[1]:
        _log_of(path).rename(path.with_name(f"{path.name}-wal-of-another-file"))


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _identified(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def explained(error: sqlite3.Error, path: Path) -> str:
    """What is wrong, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        return f"{error} by {_holders(path)}. Let it go on (kill -CONT), or end it."
    remedy = _REMEDIES.get(code, "").format(path=path, folder=path.parent)
    return f"{error}. {remedy}".rstrip()


def _holders(path: Path) -> str:
    """The processes that keep others from writing, by Linux's list of locks."""
    files = [_identified(path.with_name(path.name + end)) for end in ("", "-wal", "-shm")]
    places = {f"{os.major(one[0]):02x}:{os.minor(one[0]):02x}:{one[1]}" for one in files if one}
    try:
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        locks = []
    found = {lock[4] for lock in locks if lock[1] != "->" and lock[3] == "WRITE" and lock[5] in places}
    return f"process {', '.join(sorted(found))}" if found else "another process"
