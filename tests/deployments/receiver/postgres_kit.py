"""A PostgreSQL server of one test session, with its data in a temporary folder; it listens on a socket in there only."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEEDED = ("initdb", "postgres", "pg_ctl")


def why_not() -> str:
    """Why no server can be started here; empty when one can."""
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        return f"no PostgreSQL here ({', '.join(missing)} not found)"
    return "" if os.getuid() or _postgres_user() else "PostgreSQL refuses to run as root, and there is no user postgres"


def _postgres_user() -> pwd.struct_passwd | None:
    return next((one for one in pwd.getpwall() if one.pw_name == "postgres"), None)


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a database of a server of its own."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        if not os.getuid() and (found := _postgres_user()):
            os.chown(folder, found.pw_uid, found.pw_gid)
        _run(folder, "initdb", "-D", "data", "-U", "speechops", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
        start(folder)
        try:
            yield f"postgresql://speechops@/postgres?host={folder}"
        finally:
            stop(folder)


def folder_of(url: str) -> Path:
    """Where the server of that URL lives."""
    return Path(url.rpartition("host=")[2])


def start(folder: Path) -> None:
    """Start the server, and wait until it listens."""
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    _run(folder, "pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")


def stop(folder: Path) -> None:
    """End it at once, as a machine that fails would."""
    _run(folder, "pg_ctl", "-D", "data", "-m", "immediate", "stop")


def _run(folder: Path, *command: str) -> None:
    found = None if os.getuid() else _postgres_user()
    subprocess.run(command, check=True, cwd=folder, user=found.pw_name if found else None, stdout=subprocess.DEVNULL)
