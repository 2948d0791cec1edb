"""A program that runs flows and kills itself at one of their steps: before or after a write to the Speech service or the store.

It imports everything once; for each job, a line of JSON on its standard input, it forks. What it prints is told in `Killer`.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from flows.deploy import deploy
from flows.rollback import rollback
from flows.training_update import training_update
from tasks.store import LocalFolder

FLOWS = {"deploy": deploy, "rollback": rollback, "training-update": training_update}
STEPS: list[str] = []


def step(name: str, at: int, wanted: str) -> None:
    """One step boundary is reached; at the chosen one the process dies, as by a lost host."""
    STEPS.append(name)
    if len(STEPS) == at or name == wanted:
        sys.stdout.write(json.dumps({"killed": name, "number": len(STEPS)}) + "\n")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def watch_writes(at: int, wanted: str) -> None:
    """Let every request that changes something, and every write to the store, count as two boundaries."""

    def around(call: Callable[..., Awaitable[Any]], name: Callable[..., str]) -> Callable[..., Awaitable[Any]]:
        async def counted(*arguments: Any, **options: Any) -> Any:
            if not (told := name(*arguments)):
                return await call(*arguments, **options)
            step(f"before {told}", at, wanted)
            answer = await call(*arguments, **options)
            step(f"after {told}", at, wanted)
            return answer

        return counted

    def request_name(_: object, request: httpx.Request) -> str:
        if request.method == "GET" or not request.url.path.startswith("/speechtotext/"):
            return ""
        return f"{request.method} {request.url.path.split('/')[2]}"

    def key_name(_: object, key: str, *__: object) -> str:
        return f"write {key}"

    httpx.AsyncHTTPTransport.handle_async_request = around(  # type: ignore[method-assign]
        httpx.AsyncHTTPTransport.handle_async_request, request_name
    )
    LocalFolder.write = around(LocalFolder.write, key_name)  # type: ignore[method-assign]
    LocalFolder.upload = around(LocalFolder.upload, key_name)  # type: ignore[method-assign]


def run(job: dict[str, Any]) -> None:
    """Run the job's flow in this process, to its end or to the chosen step."""
    watch_writes(job["at"], job["wanted"])
    asyncio.run(FLOWS[job["flow"]](**job["parameters"]))
    sys.stdout.write(json.dumps({"killed": "", "number": len(STEPS)}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """One child for each job; nothing is printed when the flow failed."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(json.loads(line))
            os._exit(0)
        os.waitpid(child, 0)
        sys.stdout.write("over\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
