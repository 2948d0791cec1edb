"""`/healthz`, `/readyz` and `/metrics`: cheap however often they are asked, and honest about the outbox.

They take no part in what limits hooks: a probe gets its answer while all hooks are busy.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from fastapi import FastAPI
from fastapi.responses import Response

from deployments.receiver.answers import HEADERS, told
from deployments.receiver.dispatcher import Dispatcher
from deployments.receiver.metrics import Metrics
from deployments.receiver.outbox import Outbox, OutboxUnavailable

KEPT_SECONDS = 1.0
"""How long the outbox is taken for well after it was tried, unless a delivery meets trouble."""

PATIENCE_SECONDS = 3.0
"""How long whoever asks waits for the disk."""

_COMPLAINT_SECONDS = 60
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Shared(Generic[T]):
    """Work in a thread, done once for all who ask while it goes on: many who ask take one thread."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._going_on: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """What it gives.

        Raises:
            TimeoutError: it takes too long; it goes on, and the next who asks gets it.
        """
        if self._going_on is None or self._going_on.done():
            self._going_on = asyncio.create_task(asyncio.to_thread(self._work))
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asyncio.shield(self._going_on)


class Readiness:
    """Whether the outbox takes deliveries. Trouble is told to the log once a minute, and its end."""

    def __init__(self, outbox: Outbox) -> None:
        self._check = Shared(outbox.check)
        self._good_until = float("-inf")
        self._trouble = ""
        self._told_at = float("-inf")

    async def is_given(self) -> bool:
        """By writing and reading; what was found a moment ago counts."""
        if monotonic() < self._good_until:
            return True
        try:
            await self._check.get()
        except (OutboxUnavailable, TimeoutError) as error:
            self.failed(str(error) or "the disk, or the database, does not answer")
            return False
        self.works()
        self._good_until = monotonic() + KEPT_SECONDS
        return True

    def failed(self, cause: str) -> None:
        """Something could not be stored."""
        self._good_until = float("-inf")
        if cause != self._trouble or monotonic() - self._told_at >= _COMPLAINT_SECONDS:
            self._trouble, self._told_at = cause, monotonic()
            _log.error("the outbox cannot be used, and senders are asked to come again: %s", cause)

    def works(self) -> None:
        """Something was stored."""
        if self._trouble:
            self._trouble = ""
            _log.warning("the outbox works again")


def add_health(app: FastAPI, readiness: Readiness, metrics: Metrics, dispatcher: Dispatcher | None) -> None:
    """The three addresses."""
    figures = Shared(metrics.shown)

    @app.get("/healthz")
    async def is_alive() -> Response:
        return told(200, message="alive")

    @app.get("/readyz")
    async def is_ready() -> Response:
        if not await readiness.is_given():
            return told(503, message="the outbox cannot be written")
        trouble = dispatcher.trouble if dispatcher else "no Prefect server"
        return told(200, message="ready", dispatching=trouble or "fine")

    @app.get("/metrics")
    async def show() -> Response:
        try:
            shown = await figures.get()
        except TimeoutError:
            return told(503, message="the outbox does not answer")
        return Response(shown, media_type="text/plain; version=0.0.4", headers=HEADERS)
