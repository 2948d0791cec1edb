"""Programs with limits: those that work on what strangers send, and end with all that they started.

The limits are the operating system's, set by `sh` before the program begins: a thread-safe way, which a Python function
that runs between fork and exec is not.
"""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from domain.limits import LimitExceeded, Limits
from domain.mistakes import Mistake

MOST_OUTPUT: Final = 64_000_000
"""Bytes that a program with limits may print. A listing of half a million files has so many."""

_SCRIPT: Final = (
    'limit() { ulimit "$@" 2>/dev/null || :; }; limit -c 0; limit -S -t "$1"; limit -H -t "$2"; limit -v "$3"; '
    'limit -f "$4"; shift 4; exec "$@"'
)
_GRACE: Final = 5
"""Seconds of processor time between the signal that tells and the one that kills."""

_TIME: Final = "its time"
_MEMORY: Final = "its memory"
_DISK: Final = "its space on disk"
_SIGNALS: Final = {signal.SIGXCPU: _TIME, signal.SIGXFSZ: _DISK, signal.SIGKILL: "its time or its memory"}
_WORDS: Final = {
    r"died of signal (24|9)\b|CPU time limit": _TIME,
    r"died of signal 25\b|File too large|[Ff]ile ?size limit": _DISK,
    r"[Oo]ut of memory|[Cc]annot allocate|MemoryError|mmap failed|unable to create.*thread|failed to create thread|pthread_create": _MEMORY,
}


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended. `code` is None when it did not end in time, negative when a signal ended it."""

    code: int | None
    out: bytes
    err: bytes


def confined(command: Sequence[str], limits: Limits) -> list[str]:
    """The command that runs a program with limits; all that it starts has the same ones."""
    seconds = max(1, int(limits.seconds))
    values = (seconds, seconds + _GRACE, limits.memory // 1024, -(-limits.disk // 512))
    return ["sh", "-c", _SCRIPT, "sh", *map(str, values), *command]


def exceeded(done: Done) -> str:
    """Which limit ended a program, in words; empty when none did."""
    if done.code is None:
        return _TIME
    if done.code < 0 and -done.code in _SIGNALS:
        return _SIGNALS[signal.Signals(-done.code)]
    ends = (done.err[:10_000] + done.err[-10_000:]).decode(errors="replace")
    said = "\n".join(
        line for line in ends.splitlines() if not line.startswith("remote:")
    )  # a server's own trouble passes
    return next((limit for words, limit in _WORDS.items() if done.code and re.search(words, said)), "")


async def run(
    command: Sequence[str],
    env: Mapping[str, str],
    stdin: bytes,
    patience: float,
    limits: Limits | None = None,
    *,
    hold: bool = False,
) -> Done:
    """Run a program in a session of its own: it has no terminal to ask on, and is ended with all that it started.

    Args:
        command: the program and its arguments.
        env: its environment.
        stdin: what it reads.
        patience: seconds.
        limits: what it may use; None for whatever it likes.
        hold: keep its input open until it ends. So it knows whether we live.

    Raises:
        LimitExceeded: it printed more than a program with limits may print.
        Mistake: the program is not installed.
    """
    pipe = asyncio.subprocess.PIPE
    if not shutil.which(command[0]):
        raise Mistake(f"this needs {command[0]}. Install it where the worker runs.")
    words = confined(command, limits) if limits else command
    process = await asyncio.create_subprocess_exec(
        *words, env=env, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    out, err = bytearray(), bytearray()
    try:
        async with asyncio.timeout(patience):
            await _exchange(process, (out, err), stdin, hold=hold, most=MOST_OUTPUT if limits else None)
            await process.wait()
    except TimeoutError:
        return Done(None, bytes(out), bytes(err))
    finally:
        if process.returncode is None or limits:
            end_group(process.pid)
            await process.wait()
    return Done(process.returncode, bytes(out), bytes(err))


def end_group(pid: int) -> None:
    """End a program that leads a session, and all that it started in it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def _exchange(
    process: asyncio.subprocess.Process,
    into: tuple[bytearray, bytearray],
    stdin: bytes,
    *,
    hold: bool,
    most: int | None,
) -> None:
    if not (process.stdin and process.stdout and process.stderr):
        raise RuntimeError("a program was started without pipes")
    out, err = into
    await asyncio.gather(
        _read(process.stdout, out, most), _read(process.stderr, err, most), _write(process.stdin, stdin, hold=hold)
    )


async def _read(stream: asyncio.StreamReader, into: bytearray, most: int | None) -> None:
    while chunk := await stream.read(65_536):
        into += chunk
        if most is not None and len(into) > most:
            raise LimitExceeded(f"what is listed is longer than {most:,} bytes")


async def _write(stream: asyncio.StreamWriter, content: bytes, *, hold: bool) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        stream.write(content)
        await stream.drain()
    if not hold:
        stream.close()
