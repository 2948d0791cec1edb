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
        folder, user = Path(name), None
        if not os.getuid() and (found := _postgres_user()):
            user = found.pw_name
            os.chown(folder, found.pw_uid, found.pw_gid)

        def run(*command: str) -> None:
            subprocess.run(command, check=True, cwd=folder, user=user, stdout=subprocess.DEVNULL)

        run("initdb", "-D", "data", "-U", "speechops", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")
        try:
            yield f"postgresql://speechops@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", "data", "-m", "immediate", "stop")
