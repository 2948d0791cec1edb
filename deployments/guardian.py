"""Keeps one program running and, when it ends or its owner is gone, takes everything down that it started.

Run as a file by a bare interpreter (`python -I -S guardian.py PROGRAM ARGUMENT ...`): standard library only, and small.
The owner holds the other end of this process's standard input and writes nothing to it. Its end means "stop", and comes
also when the owner was killed with SIGKILL, on every POSIX system. Prefect's worker puts flow runs into sessions of their
own, where no signal to a process group finds them; on Linux this process therefore adopts orphans, so that they stay in
its family (elsewhere, such as macOS, orphans in a session of their own escape; the worker ends them itself unless killed).
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

GRACE_SECONDS = 8.0
"""How long the program may take to stop after SIGTERM before it gets SIGKILL."""

_ORPHANS_GRACE_SECONDS = 2.0
_LOOK_SECONDS = 0.05
_PR_SET_CHILD_SUBREAPER = 36
_NOT_FOUND = 127


class Guard:
    """One program and the processes that it started."""

    def __init__(self, program: Sequence[str]) -> None:
        nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        self.pid = os.posix_spawnp(
            program[0], list(program), os.environ, file_actions=[nothing], setsigdef=[signal.SIGPIPE]
        )
        self.exit_code: int | None = None

    def has_ended(self) -> bool:
        """Whether the program has ended; processes that it left behind may go on."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.pid:
                    self.exit_code = os.waitstatus_to_exitcode(ended[1])
        return self.exit_code is not None

    def end(self, grace: float = GRACE_SECONDS) -> None:
        """Stop the program, then what it left behind: SIGTERM first, SIGKILL to whoever is still there."""
        if not self.has_ended():
            os.kill(self.pid, signal.SIGTERM)
        _wait_until(self.has_ended, grace)
        self._signal_family(signal.SIGTERM)
        _wait_until(self._is_alone, _ORPHANS_GRACE_SECONDS)
        while not self._is_alone():
            self._signal_family(signal.SIGKILL)
            time.sleep(_LOOK_SECONDS)

    def _is_alone(self) -> bool:
        self.has_ended()
        return not _family()

    def _signal_family(self, number: signal.Signals) -> None:
        for pid in _family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def main(program: Sequence[str]) -> int:
    """Run the program until it ends or this process is told to stop; the exit code is the program's."""
    _adopt_orphans()
    signals = _wake_on(signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
    try:
        guard = Guard(program)
    except OSError as error:
        print(f"{program[0]}: {error.strerror}", file=sys.stderr)
        return _NOT_FOUND
    while not guard.has_ended():
        ready, _, _ = select.select([sys.stdin.fileno(), signals], [], [])
        received = os.read(signals, 64) if signals in ready else b""
        if sys.stdin.fileno() in ready or set(received) - {signal.SIGCHLD}:
            break
    guard.end()
    code = guard.exit_code or 0
    return code if code >= 0 else 128 - code


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wake_on(*numbers: signal.Signals) -> int:
    """A file descriptor on which each of these signals arrives as one byte."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in numbers:
        signal.signal(number, lambda *_: None)
    return reading


def _wait_until(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _family() -> set[int]:
    """All living processes that descend from this one, or share its process group; not itself."""
    me, processes = os.getpid(), list(_processes())
    family = {pid for pid, _, group in processes if group == me}
    grew = True
    while grew:
        children = {pid for pid, parent, _ in processes if parent in family | {me}} - family
        family |= children
        grew = bool(children)
    return family - {me}


def _processes() -> Iterator[tuple[int, int, int]]:
    """Pid, parent and process group of every process that is not a zombie."""
    if sys.platform != "linux":
        yield from _processes_of_ps()
        return
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, group = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if state != "Z":
                yield int(stat.parent.name), int(parent), int(group)


def _processes_of_ps() -> Iterator[tuple[int, int, int]]:
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,pgid=,stat="], capture_output=True, text=True, check=True)
    for pid, parent, group, state in (line.split()[:4] for line in table.stdout.splitlines()):
        if not state.startswith("Z"):
            yield int(pid), int(parent), int(group)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
