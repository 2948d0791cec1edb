"""The folder in which the local stack keeps everything: databases, store, secrets, logs. Deleting it starts afresh.

It holds secrets and what people said, so it is for its owner alone: the folder 0700, files 0600.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from deployments.processes import shown
from domain.mistakes import Mistake

_LAYOUT = "2"
"""Raised when an older folder can no longer be used."""


_PRIVATE = 0o077
_OURS = {"demo", "emulator", "hook", "layout", "logs", "prefect", "receiver", "running", "store", "up"}
"""What stands in the folder, without endings."""
_LOCK_SECONDS = 0.5
"""Longer than a look at whether a stack is running holds the lock."""


class Running(BaseModel):
    """Where the running stack's Prefect server is, for other shells."""

    model_config = ConfigDict(frozen=True)

    prefect_url: str

    @property
    def api_url(self) -> str:
        """What `PREFECT_API_URL` must be."""
        return f"{self.prefect_url}/api"

    @property
    def ui_url(self) -> str:
        """What `PREFECT_UI_URL` must be: links then lead to the UI that opens by itself, not to the one before."""
        return f"{self.prefect_url}/v2"


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

    @property
    def prefect_auth(self) -> Path:
        """The file with the user and password of Prefect's server, as `PREFECT_API_AUTH_STRING` wants them."""
        return self.folder / "prefect.auth"

    def read_emulator_key(self) -> str:
        """The emulator's key: made at random once, readable for this user alone."""
        return _secret(self.emulator_key)

    def read_hook_secret(self) -> str:
        """The web hooks' secret, made likewise."""
        return _secret(self.hook_secret)

    def read_prefect_auth(self) -> str:
        """The Prefect server's user and password, made likewise."""
        return _secret(self.prefect_auth, "speechops:")

    @contextmanager
    def announced(self, running: Running) -> Iterator[None]:
        """Let other shells know of the running stack for as long as the context lasts."""
        _write(self._running, running.model_dump_json())
        try:
            yield
        finally:
            self._running.unlink(missing_ok=True)

    def read_running(self) -> Running | None:
        """The stack that is running with this folder; None when none is, whatever one that was killed has left.

        Raises:
            PermissionError: the folder is another user's.
        """
        try:
            running = Running.model_validate_json(self._running.read_bytes())
            with FileLock(self._lock, timeout=0, mode=0o600):
                return None
        except Timeout:
            return running
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    @property
    def _running(self) -> Path:
        return self.folder / "running.json"

    @property
    def _lock(self) -> Path:
        return self.folder / "up.lock"


def _secret(file: Path, prefix: str = "") -> str:
    """What the file holds; a new secret when there is none, also when whoever made it was killed before it was written."""
    with contextlib.suppress(FileNotFoundError):
        if known := file.read_text().strip():
            file.chmod(0o600)
            return known
    _write(file, f"{prefix}{secrets.token_hex(16)}")
    return file.read_text().strip()


def _write(file: Path, text: str) -> None:
    """Whole or not at all, and for its owner alone."""
    partial = file.with_name(f"{file.name}.new")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    partial.replace(file)


@contextmanager
def private_files() -> Iterator[None]:
    """What this process and those that it starts write while the context lasts is for their user alone."""
    before = os.umask(_PRIVATE)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def opened_home(folder: Path) -> Iterator[Home]:
    """Make the folder, or check it, and keep it for this process alone.

    Files are private while the context lasts.

    Raises:
        Mistake: it cannot be made, another process has it, or another version of speechops wrote it.
    """
    folder = folder.resolve()
    lock = FileLock(folder / "up.lock", timeout=_LOCK_SECONDS, mode=0o600)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        with private_files():
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
    if {path.name.split(".")[0] for path in folder.iterdir()} <= _OURS:  # not somebody's /tmp
        with contextlib.suppress(PermissionError):
            folder.chmod(0o700)
