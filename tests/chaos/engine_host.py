"""Forks Prefect's engine for each flow run, with Prefect and our flows imported already; see `engine_client`.

`python -m tests.chaos.engine_host SOCKET`. Everything in a forked process is as in one that was started, except that the
clients of Prefect wait a tenth as long between their tries, heartbeats come every five seconds, and `checkpoints` count.
"""

import array
import contextlib
import json
import os
import random
import runpy
import select
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Host:
    """The parent of all engines."""

    listener: socket.socket
    engines: dict[int, socket.socket] = field(default_factory=dict)

    def serve(self) -> "Job":
        """Fork for whoever connects; returns in the forked process only."""
        while True:
            ready, _, _ = select.select([self.listener], [], [], 0.05)
            self._bury()
            if ready and (job := self._fork()):
                return job

    def _fork(self) -> "Job | None":
        caller, _ = self.listener.accept()
        try:
            job = Job.received(caller)
        except (OSError, ValueError):
            caller.close()  # its worker was killed just now
            return None
        if pid := os.fork():
            job.close_outputs()
            self.engines[pid] = caller
            with contextlib.suppress(OSError):
                caller.sendall(f"{pid}\n".encode())
            return None
        self.listener.close()
        for other in self.engines.values():
            other.close()
        return job

    def _bury(self) -> None:
        """Tell the client of each engine that has ended how it did."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                caller = self.engines.pop(ended[0])
                with contextlib.suppress(OSError):
                    caller.sendall(f"{os.waitstatus_to_exitcode(ended[1])}\n".encode())
                caller.close()


@dataclass
class Job:
    """One engine to be."""

    caller: socket.socket
    env: dict[str, str]
    folder: str
    outputs: list[int]

    @classmethod
    def received(cls, caller: socket.socket) -> "Job":
        """What the client sends first."""
        size = array.array("i").itemsize
        head, ancillary, _, _ = caller.recvmsg(4, socket.CMSG_SPACE(2 * size))
        if len(head) < 4:
            raise ValueError("nothing was sent")
        handles = array.array("i")
        for _, _, data in ancillary:
            handles.frombytes(data[: len(data) - len(data) % size])
        length, body = int.from_bytes(head, "big"), b""
        while len(body) < length:
            if not (part := caller.recv(length - len(body))):
                raise ValueError("it ended early")
            body += part
        told: dict[str, Any] = json.loads(body)
        return cls(caller, told["env"], told["cwd"], list(handles))

    def close_outputs(self) -> None:
        """They are the engine's."""
        for handle in self.outputs:
            os.close(handle)

    def become_engine(self) -> None:
        """Run the flow run of the environment as `python -m prefect.engine` does."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number, handle in enumerate(self.outputs, start=1):
            os.dup2(handle, number)
        self.close_outputs()
        os.environ.clear()
        os.environ.update(self.env)
        os.chdir(self.folder)
        random.seed()
        threading.Thread(target=self._die_with_client, daemon=True).start()
        from prefect.context import refresh_global_settings_context

        refresh_global_settings_context()
        from tests.chaos import checkpoints, compressed

        compressed.install()
        checkpoints.install()
        sys.argv = ["prefect.engine"]
        runpy.run_module("prefect.engine", run_name="__main__")

    def _die_with_client(self) -> None:
        with contextlib.suppress(OSError):
            if self.caller.recv(1) == b"":
                os.kill(os.getpid(), signal.SIGKILL)


def main(path: Path) -> None:
    """Import everything, listen, and fork."""
    import prefect.engine  # noqa: F401

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    Host(listener).serve().become_engine()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
