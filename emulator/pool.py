"""Workers beside the server: processes of their own, so that decoding never delays an answer."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

from emulator.errors import JobFailure

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
ATTEMPTS = 3
"""A worker that dies (out of memory, a crash in the decoder) costs one attempt of each call under way."""


class WorkerPool:
    """A process pool that is replaced when a worker dies, and whose workers never outlive the server."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lifelines: list[Connection] = []
        self._executor = self._start()
        self._turns = asyncio.Semaphore(max(1, workers))

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Part of a job: waits for its turn, so that the queue in front of the workers stays short.

        Raises:
            JobFailure: the workers died over it again and again.
        """
        async with self._turns:
            return await self.run_now(function, *args, **kwargs)

    async def run_now(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """For a caller who waits for the answer: next in the queue."""
        for _ in range(ATTEMPTS):
            executor = self._executor
            try:
                return await asyncio.wrap_future(executor.submit(function, *args, **kwargs))
            except BrokenProcessPool:
                log.warning("a worker process died")
                if executor is self._executor:  # else another call has replaced it already
                    self._stop(executor)
                    self._executor = self._start()
        raise JobFailure("InternalServerError", "The worker processes died repeatedly.")

    def close(self) -> None:
        """End the workers at once, whatever they do."""
        self._stop(self._executor)

    def _start(self) -> Executor:
        if not self._workers:
            return ThreadPoolExecutor(1, thread_name_prefix="worker")
        context = get_context("spawn")
        theirs, ours = context.Pipe(duplex=False)
        self._lifelines.append(ours)
        return ProcessPoolExecutor(self._workers, context, initializer=_start_worker, initargs=(theirs,))

    def _stop(self, executor: Executor) -> None:
        if isinstance(executor, ProcessPoolExecutor):
            # The lifeline cannot end a worker while the decoder holds its interpreter; from Python 3.14 on there is
            # a public method for this, terminate_workers.
            for process in list((executor._processes or {}).values()):
                process.terminate()
        executor.shutdown(wait=False, cancel_futures=True)
        while self._lifelines:
            self._lifelines.pop().close()


def _start_worker(lifeline: Connection) -> None:
    """Leave Ctrl-C to the server, and die with it even when it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()


def _die_with(lifeline: Connection) -> None:
    try:
        lifeline.recv_bytes()  # nothing is ever sent: this returns when the server's end is gone
    except (EOFError, OSError):
        os._exit(0)
