"""Counted points in a flow process, at which the conductor of a plan may do something to it or to the world.

A point is before and after each request that changes something on the Speech service or on Prefect's server, and each
write to the store. The process stands still at a point for as long as the conductor wants: so a fault comes at a counted
place, not at a time.
"""

import atexit
import errno
import json
import os
import re
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

CONDUCTOR = "SPEECHOPS_CHAOS_CONDUCTOR"
"""Environment variable: the conductor's socket."""

_PREFECT = re.compile(
    r"/api/(?:flow_runs/[^/]+/set_state|flow_runs/[^/]+|deployments/[^/]+/create_flow_run|flow_runs/)$"
)


class Points:
    """The points that this process has passed."""

    def __init__(self, conductor: socket.socket) -> None:
        self._lines = conductor.makefile("rw")
        self._tell(run=os.environ["PREFECT__FLOW_RUN_ID"], pid=os.getpid())
        self._stops: set[int | str] = set(json.loads(self._lines.readline())["stops"])
        self._passed = 0
        self._broken = 0
        atexit.register(lambda: self._tell(passed=self._passed))

    def passes(self, name: str) -> None:
        """One more is reached."""
        self._passed += 1
        if not {self._passed, name} & self._stops:
            return
        self._tell(point=name, number=self._passed)
        match json.loads(self._lines.readline())["do"]:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "disk full":
                self._broken = errno.ENOSPC
            case "read-only":
                self._broken = errno.EROFS

    def complain(self, number: int) -> None:
        """Fail as the file system does, once it is broken in this way; it stays so until this process ends."""
        if self._broken == number:
            raise OSError(self._broken, os.strerror(self._broken))

    def _tell(self, **told: object) -> None:
        self._lines.write(json.dumps(told) + "\n")
        self._lines.flush()


def install() -> None:
    """Count in this process, if there is a conductor."""
    if not (path := os.environ.get(CONDUCTOR)):
        return
    conductor = socket.socket(socket.AF_UNIX)
    conductor.connect(path)
    points = Points(conductor)
    _watch_requests(points)
    _watch_store(points)


def _watch_requests(points: Points) -> None:
    transport = httpx.AsyncHTTPTransport
    transport.handle_async_request = _around(points, transport.handle_async_request, _request_name)  # type: ignore[method-assign]


def _watch_store(points: Points) -> None:
    from tasks.store import LocalFolder

    for name in ("write", "upload"):
        setattr(LocalFolder, name, _around(points, getattr(LocalFolder, name), _key_name))
    real_open, real_sync = os.open, os.fsync

    def opened(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & os.O_CREAT and "/store/" in str(path):
            points.complain(errno.EROFS)
        return real_open(path, flags, *arguments, **options)

    def synced(handle: Any) -> None:
        points.complain(errno.ENOSPC)
        real_sync(handle)

    os.open, os.fsync = opened, synced  # what every write to the store's folder begins and ends with


def _around(
    points: Points, call: Callable[..., Awaitable[Any]], name_of: Callable[..., str]
) -> Callable[..., Awaitable[Any]]:
    async def counted(*arguments: Any, **options: Any) -> Any:
        if not (name := name_of(*arguments)):
            return await call(*arguments, **options)
        points.passes(f"before {name}")
        answer = await call(*arguments, **options)
        points.passes(f"after {name}")
        return answer

    return counted


def _request_name(_: object, request: httpx.Request) -> str:
    path = request.url.path
    if request.method == "GET":
        return ""
    if path.startswith("/speechtotext/"):
        return f"{request.method} {path.split('/')[2]}"
    if _PREFECT.match(path):
        last = path.rsplit("/", 1)[-1]
        return f"{request.method} {last if '_' in last else 'flow run'}"
    return ""


def _key_name(_: object, key: str, *__: object) -> str:
    return f"write {key}"
