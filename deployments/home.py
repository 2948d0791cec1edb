"""The folder in which the local stack keeps everything: databases, store, key, logs. Deleting it starts afresh."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from deployments.processes import shown
from domain.mistakes import Mistake

_LAYOUT = "2"
"""Raised when an older folder can no longer be used."""


@dataclass(frozen=True, slots=True)
class Home:
    """The parts of the folder."""

    folder: Path

    @property
    def emulator(self) -> Path:
        """The emulator's data."""
        return self.folder / "emulator"

    @property
    def prefect(self) -> Path:
        """`PREFECT_HOME`: the server's database and the results of flow runs."""
        return self.folder / "prefect"

    @property
    def store(self) -> Path:
        """Ledger, evidence and snapshots of all tracks."""
        return self.folder / "store"

    @property
    def logs(self) -> Path:
        """One log per program."""
        return self.folder / "logs"

    @property
    def emulator_key(self) -> Path:
        """The file with the emulator's key."""
        return self.folder / "emulator.key"

    @property
    def receiver(self) -> Path:
        """The receiver's deliveries."""
        return self.folder / "receiver"

    @property
    def hook_secret(self) -> Path:
        """The file with the secret that signs web hooks to the receiver."""
        return self.folder / "hook.secret"

    def read_emulator_key(self) -> str:
        """The emulator's key: made at random once, readable for this user alone."""
        return _secret(self.emulator_key)

    def read_hook_secret(self) -> str:
        """The web hooks' secret, made likewise."""
        return _secret(self.hook_secret)


def _secret(file: Path) -> str:
    if not file.exists():
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(handle, secrets.token_hex(16).encode())
        os.close(handle)
    return file.read_text().strip()


@contextmanager
def opened_home(folder: Path) -> Iterator[Home]:
    """Make the folder, or check it, and keep it for this process alone.

    Raises:
        Mistake: it cannot be made, another process has it, or another version of speechops wrote it.
    """
    folder = folder.resolve()
    lock = FileLock(folder / "up.lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Mistake(
            f"another `speechops up` or `speechops demo` is running with {shown(folder)}. Stop it, or choose another folder with --home."
        ) from None
    except OSError as error:
        raise Mistake(
            f"the folder {shown(folder)} cannot be used ({error.strerror}). Choose another one with --home."
        ) from None
    try:
        _check_layout(folder)
        yield Home(folder)
    finally:
        lock.release()


def _check_layout(folder: Path) -> None:
    layout = folder / "layout"
    if not layout.exists():
        layout.write_text(f"{_LAYOUT}\n")
    found = layout.read_text().strip()
    if found != _LAYOUT:
        raise Mistake(
            f"{shown(folder)} was written by another version of speechops (layout {found}, this one needs {_LAYOUT}). "
            "Choose another folder with --home, or remove this one."
        )
