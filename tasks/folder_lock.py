"""The lock of a store's folder: it has a deadline, and whoever waits for it is told who holds it.

The operating system frees it when its holder ends, however that ends. A holder that was stopped keeps it.
"""

import json
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from tasks.store_errors import StoreLocked

LOCK_SECONDS: Final = 60.0
"""How long to wait for the lock of a store's folder; it is held for milliseconds."""

_TELL_AFTER_SECONDS: Final = 3.0
_LOCK, _HOLDER = ".lock", ".lock-holder"
_log = logging.getLogger(__name__)


@contextmanager
def locked(folder: Path, seconds: float) -> Iterator[None]:
    """Hold the folder's lock.

    Args:
        folder: the store's, which exists.
        seconds: how long to wait for it.

    Raises:
        StoreLocked: another process holds it all that time; the message names it.
    """
    lock = FileLock(folder / _LOCK, mode=0o600)
    _take(lock, folder, seconds)
    try:
        _note_holder(folder)
        yield
    finally:
        lock.release()


def _take(lock: FileLock, folder: Path, seconds: float) -> None:
    patience = min(_TELL_AFTER_SECONDS, seconds)
    try:
        lock.acquire(timeout=patience)
        return
    except Timeout:
        _log.warning("Waiting for the lock of the store %s, which is held by %s", folder, _holder(folder))
    try:
        lock.acquire(timeout=seconds - patience)
    except Timeout:
        raise StoreLocked(
            f"the lock of the store {folder} is not free after {seconds:.0f} s: it is held by {_holder(folder)}. If that is "
            "stopped, let it go on (`kill -CONT` and its number); if it hangs, end it: then the lock is free by itself."
        ) from None


def _note_holder(folder: Path) -> None:
    """For whoever waits; a note that cannot be written is not worth an error."""
    note = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "program": Path(sys.argv[0] or "python").name,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with suppress(OSError):
        handle = os.open(folder / _HOLDER, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(note))


def _holder(folder: Path) -> str:
    try:
        note = json.loads((folder / _HOLDER).read_text())
        return f"process {note['pid']} on {note['host']} ({note['program']}), since {note['since']}{_condition(note)}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"a process that left no note (`fuser {folder / _LOCK}` tells which)"


def _condition(note: dict[str, object]) -> str:
    """Whether it is stopped, where the operating system says so."""
    if note["host"] != socket.gethostname():
        return ""
    with suppress(OSError, IndexError):
        state = Path(f"/proc/{note['pid']}/stat").read_text().rpartition(")")[2].split()[0]
        return ", and is stopped" if state in "tT" else ""
    return ""
