"""The receiver's HTTP side: verify first, store durably, then answer.

A sender that waits too long, or gets the wrong status, gives up: Event Grid drops what is answered with 400 or 413. So
what is our own trouble is always a 503 with `Retry-After`, and nothing that anybody sends is a 5xx.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.types import Lifespan

from deployments.doorway import AddressedDirectly
from deployments.receiver.answers import HEADERS, told
from deployments.receiver.azure_devops import AzureDevOpsHook
from deployments.receiver.bodies import Bodies, BodyTooLarge, BodyUnavailable
from deployments.receiver.deliveries import Source
from deployments.receiver.dispatcher import Dispatcher
from deployments.receiver.entra import EntraTokens
from deployments.receiver.event_grid import EventGridHook, allowed_origin
from deployments.receiver.github import GitHubHook
from deployments.receiver.gitlab import GitLabHook
from deployments.receiver.group_commit import GroupCommit
from deployments.receiver.health import Readiness, add_health
from deployments.receiver.hook import Body, Call, Heard, Hook, Misunderstood
from deployments.receiver.metrics import Metrics, Outcome
from deployments.receiver.outbox import Outbox, OutboxUnavailable, Stored, Told
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.shared_secrets import SharedSecrets
from deployments.receiver.signing_keys import KeysUnavailable
from deployments.receiver.speech import SpeechHook
from deployments.receiver.tally import Tally

RETRY_AFTER_SECONDS = 30
MOST_HEADERS = 100
_READ_AT_ONCE = 64 * 1024
"""Bytes; a larger body is read in a thread, one at a time, so that nobody waits for it."""

_MEDIA_TYPES = re.compile(r"application/(?:[\w.+-]*json|x-www-form-urlencoded)\b", re.IGNORECASE)
_log = logging.getLogger(__name__)


class _Turned(Exception):
    """A request that is not accepted, and the answer that says so."""

    def __init__(self, status: int, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all hooks share."""

    stores: GroupCommit
    metrics: Metrics
    readiness: Readiness
    dispatcher: Dispatcher | None
    bodies: Bodies = field(default_factory=lambda: Bodies())
    reads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def read(self, hook: Hook, call: Call, body: Body) -> Heard:
        """What a body tells; a large one is read in a thread."""
        if body.size <= _READ_AT_ONCE:
            return hook.read(call, body)
        async with self.reads:
            return await asyncio.to_thread(hook.read, call, body)

    async def store(self, hook: Hook, heard: Heard, body: Body) -> Stored:
        """Store the news; what is wrong with the outbox is noted."""
        try:
            stored = await self.stores.store(Told(hook.source, heard.news, body.sha256))
        except OutboxUnavailable as error:
            self.readiness.failed(str(error))
            raise
        self.readiness.works()
        return stored


def create_app(
    settings: ReceiverSettings,
    outbox: Outbox,
    dispatcher: Dispatcher | None = None,
    entra: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The receiver as an application.

    Args:
        settings: with the secrets of its hooks.
        outbox: where deliveries are stored; it stays the caller's to close.
        dispatcher: runs for as long as the application does; without one, deliveries wait.
        entra: how Microsoft Entra is reached; by default over the network.
    """
    tokens = None
    if settings.eventgrid_tenant:
        tokens = EntraTokens(settings.eventgrid_tenant, settings.eventgrid_audience, entra)
    app = FastAPI(openapi_url=None, lifespan=_running(dispatcher, tokens))
    app.add_middleware(AddressedDirectly, paths=("/metrics",), names=settings.allowed_hosts)
    metrics = Metrics(outbox, dispatcher.tally if dispatcher else Tally())
    desk = _Desk(GroupCommit(outbox), metrics, Readiness(outbox), dispatcher)
    for hook in hooks_of(settings, tokens):
        _add_hook(app, hook, desk)
    add_health(app, desk.readiness, metrics, dispatcher)
    return app


def _running(dispatcher: Dispatcher | None, tokens: EntraTokens | None) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(dispatcher.run()) if dispatcher else None
        if tokens:
            tokens.ask_ahead()
        try:
            yield
        finally:
            if tokens:
                await tokens.close()
            if running:
                running.cancel()
                await asyncio.wait([running])

    return lifespan


def hooks_of(settings: ReceiverSettings, tokens: EntraTokens | None = None) -> list[Hook]:
    """Every hook with its secrets, and Event Grid's with the tokens that open it."""

    def secrets(source: Source) -> SharedSecrets:
        return SharedSecrets(settings.secrets_of(source))

    git = (GitHubHook, GitLabHook, AzureDevOpsHook)
    return [
        *(kind(secrets(kind.source), settings.train_label) for kind in git),
        EventGridHook(secrets(Source.EVENT_GRID), tokens),
        SpeechHook(secrets(Source.SPEECH)),
    ]


def _add_hook(app: FastAPI, hook: Hook, desk: _Desk) -> None:
    @app.post(f"/hooks/{hook.source}")
    async def receive(request: Request) -> Response:
        began = perf_counter()
        try:
            return await _answered(request, hook, desk)
        except Exception as error:
            return _turned_away(hook.source, _turned(error), desk.metrics)
        finally:
            desk.metrics.took(hook.source, perf_counter() - began)

    if isinstance(hook, EventGridHook):

        @app.options(f"/hooks/{hook.source}")
        async def shake_hands(request: Request) -> Response:
            try:
                await _admit(hook, call := _call(request))
                return Response(headers=HEADERS | allowed_origin(call))
            except Exception as error:
                return _turned_away(hook.source, _turned(error), desk.metrics)


async def _answered(request: Request, hook: Hook, desk: _Desk) -> Response:
    await _admit(hook, call := _call(request))
    async with desk.bodies.read(request, hook) as body:
        if not hook.verifies(call, body):
            raise _refused()
        _check_kind(call)
        heard = await desk.read(hook, call, body)
    stored = await desk.store(hook, heard, body) if heard.news else None
    if desk.dispatcher and stored:
        desk.dispatcher.wake()
    accepted, duplicates = (stored.accepted, stored.duplicates) if stored else ((), 0)
    for delivery in accepted:
        _log.info("%s from %s stored as %s", delivery.kind, hook.source, delivery.id)
    desk.metrics.count(hook.source, Outcome.ACCEPTED, len(accepted))
    desk.metrics.count(hook.source, Outcome.DUPLICATE, duplicates)
    desk.metrics.count(hook.source, Outcome.IGNORED, heard.ignored)
    return _answer(heard, len(accepted), duplicates)


def _answer(heard: Heard, accepted: int, duplicates: int) -> Response:
    """The good events of a batch are stored by now: the sender is told of the bad ones, and may send all again."""
    if heard.unread:
        raise _Turned(400, Outcome.MISUNDERSTOOD, f"{heard.unread} of the events could not be understood")
    if heard.reply:
        return Response(heard.reply.text, media_type=heard.reply.media_type, headers=HEADERS)
    return told(202 if accepted else 200, accepted=accepted, duplicates=duplicates, ignored=heard.ignored)


def _call(request: Request) -> Call:
    if len(request.headers) > MOST_HEADERS:
        raise _Turned(431, Outcome.REFUSED, f"more than {MOST_HEADERS} headers")
    return Call(dict(request.headers), dict(request.query_params))


def _check_kind(call: Call) -> None:
    """Nothing is unpacked: a few bytes could become gigabytes."""
    if call.header("Content-Encoding").strip().lower() not in ("", "identity"):
        raise _Turned(415, Outcome.MISUNDERSTOOD, "the body is packed (Content-Encoding); send it as it is")
    kind = call.header("Content-Type")
    if kind and not _MEDIA_TYPES.match(kind):
        raise _Turned(415, Outcome.MISUNDERSTOOD, "the body is not JSON by its Content-Type")


async def _admit(hook: Hook, call: Call) -> None:
    if isinstance(hook, EventGridHook):
        await hook.prepare(call)
    if not hook.admits(call):
        raise _refused()


def _refused() -> _Turned:
    return _Turned(
        401, Outcome.REFUSED, "unsigned, forged, or this hook has no secret; the receiver's start tells which are open"
    )


def _turned(error: Exception) -> _Turned:
    """The answer to whatever went wrong."""
    match error:
        case _Turned():
            return error
        case Misunderstood():
            return _Turned(400, Outcome.MISUNDERSTOOD, str(error))
        case BodyTooLarge():
            return _Turned(413, Outcome.TOO_LARGE, str(error))
        case BodyUnavailable() | KeysUnavailable():
            return _Turned(503, Outcome.UNAVAILABLE, str(error))
    if not isinstance(error, OutboxUnavailable):  # of which the log has been told
        _log.error("a delivery could not be stored (%s)", type(error).__name__)  # its text may quote what was sent
    return _Turned(503, Outcome.UNAVAILABLE, "not stored; send it again")


def _turned_away(source: Source, turned: _Turned, metrics: Metrics) -> Response:
    metrics.count(source, turned.outcome)
    _log.info("%s turned away with %s: %s", source, turned.status, turned)
    answer = told(turned.status, detail=str(turned))
    if turned.status == 503:
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer
