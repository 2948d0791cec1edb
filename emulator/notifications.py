"""Web hooks at work: the challenge that makes one active, and what it is told afterwards.

Everything is sent from tasks of its own, so that neither an answer nor a job waits for a receiver. Azure promises no
delivery, no order and no repetition, and neither does this: what is still waiting when the server stops is lost, and
receivers that cannot keep up lose what exceeds `MAX_WAITING`. An unanswered challenge begins anew with the server.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Depends, Request

from emulator.addresses import Addresses
from emulator.delivery import TOKEN_PARAMETER, Message, Postman, Sleep, Undelivered
from emulator.entities import Status, WebHook
from emulator.errors import where
from emulator.events import CHALLENGE, PING, Event
from emulator.service import Service
from emulator.settings import API_VERSION

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Posts to one hook at a time."""
MAX_WAITING = 1000
"""Notifications that may wait for one hook; more are dropped."""
Work = Callable[[], Awaitable[None]]

COUNTERS = ("notifications_delivered", "notifications_dropped", "notifications_failed")
"""Accepted by the receiver (one that comes twice counts twice); not sent (fault, queue full, hook gone); given up."""


class Inactive(Undelivered):
    """The hook is gone, or may not be told of events (any more)."""


@dataclass(slots=True)
class _Lane:
    """What waits for one hook: a slow receiver holds up its own notifications only."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    waiting: int = 0


class Notifications:
    """The notifications of a running server."""

    def __init__(self, service: Service, sleep: Sleep = asyncio.sleep) -> None:
        self._service, self._store = service, service.store
        self._postman = Postman(service.settings, sleep)
        self._tasks: set[asyncio.Task[None]] = set()
        self._challenges: dict[str, asyncio.Task[None]] = {}
        self._lanes: dict[str, _Lane] = {}

    @property
    def waiting(self) -> int:
        """How much is still to be sent."""
        return len(self._tasks)

    def resume(self) -> None:
        """Go on with the challenges that an earlier server left open."""
        for hook in self._store.all(WebHook):
            if not hook.status.is_final:
                self.challenge(hook)

    async def stop(self) -> None:
        """Drop everything that waits."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._postman.close()

    def challenge(self, hook: WebHook) -> None:
        """Ask a hook's address for the token; an earlier challenge of the hook counts no longer."""
        self.forget(hook.id)
        self._challenges[hook.id] = self._begin(partial(self._challenge, hook.id))

    def forget(self, hook_id: str) -> None:
        """End the challenge of a hook."""
        task = self._challenges.pop(hook_id, None)
        if task is not None:
            task.cancel()

    def announce(self, events: list[Event]) -> None:
        """Tell each active hook of the events that it is registered for, one post per event."""
        for hook in filter(is_active, self._store.all(WebHook)):
            for event in events:
                if hook.events.get(event.kind):
                    self._send(hook, event)

    def ping(self, hook: WebHook) -> None:
        """Send the hook itself, as a GET shows it."""
        self._queue(hook, Message(PING, _json(_addresses(hook).body_of(hook))))

    def test(self, hook: WebHook) -> bool:
        """Send the last event of each registered kind again, and say whether there was any."""
        registered = [kind for kind, is_registered in hook.events.items() if is_registered]
        events = [event for event in map(self._store.last_event, registered) if event]
        for event in events:
            self._send(hook, event)
        return bool(events)

    def _send(self, hook: WebHook, event: Event) -> None:
        body = {"self": _addresses(hook).of(event.path), "invocationId": str(uuid4())}
        self._queue(hook, Message(event.kind, _json(body)))

    def _queue(self, hook: WebHook, message: Message) -> None:
        fault = self._service.faults.take_notification(message.kind)
        lane = self._lanes.setdefault(hook.id, _Lane())
        if fault == "drop" or lane.waiting >= MAX_WAITING:
            self._store.count("notifications_dropped")
            return
        for _ in range(2 if fault == "twice" else 1):
            lane.waiting += 1
            self._begin(partial(self._deliver, hook.id, lane, message))

    async def _deliver(self, hook_id: str, lane: _Lane, message: Message) -> None:
        try:
            async with lane.slots:
                counter = await self._outcome(hook_id, message)
            self._store.count(f"notifications_{counter}")
        finally:
            lane.waiting -= 1
            if not lane.waiting:
                self._lanes.pop(hook_id, None)

    async def _outcome(self, hook_id: str, message: Message) -> str:
        """How a delivery ended: the name of its counter."""
        try:
            await self._postman.deliver(message, lambda: self._active(hook_id))
        except Inactive:
            return "dropped"
        except Undelivered as error:
            log.warning("web hook %s: %s given up: %s", hook_id, message.kind, error)
            return "failed"
        return "delivered"

    async def _challenge(self, hook_id: str) -> None:
        token = secrets.token_urlsafe(24)
        message = Message(CHALLENGE, query={TOKEN_PARAMETER: token}, signed=token.encode())
        try:
            answer = await self._postman.deliver(message, lambda: self._existing(hook_id))
            if answer.status != 200 or answer.body != token.encode():
                raise Undelivered(f"it answers {answer.status}, but not with the {TOKEN_PARAMETER} as its body")
        except Inactive:
            return
        except Undelivered as error:
            self._settle(hook_id, Status.FAILED, f"The webUrl did not pass the challenge: {error}.")
        except Exception as error:  # whatever it is, the hook must not stay NotStarted for ever
            log.error("web hook %s: %s", hook_id, where(error))
            self._settle(hook_id, Status.FAILED, f"The challenge broke off: unexpected {type(error).__name__}.")
        else:
            self._settle(hook_id, Status.SUCCEEDED, None)

    def _settle(self, hook_id: str, status: Status, reason: str | None) -> None:
        error = {"code": "InvalidCallbackUri", "message": reason} if reason else None
        self._service.move(self._existing(hook_id).with_properties(error=error), status)

    def _existing(self, hook_id: str) -> WebHook:
        hook = self._store.find(WebHook, hook_id)
        if hook is None:
            raise Inactive("the web hook is deleted")
        return hook

    def _active(self, hook_id: str) -> WebHook:
        hook = self._existing(hook_id)
        if not is_active(hook):
            raise Inactive("the web hook is not active any more")
        return hook

    def _begin(self, work: Work) -> asyncio.Task[None]:
        task = asyncio.create_task(_guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _guarded(work: Work) -> None:
    try:
        await work()
    except Exception as error:  # a bug costs this notification, and is seen
        log.error("notification: %s", where(error))


def notifications_of(request: Request) -> Notifications:
    """The notifications of the running server."""
    notifications: Notifications = request.app.state.notifications
    return notifications


NotificationsOf = Annotated[Notifications, Depends(notifications_of)]


def is_active(hook: WebHook) -> bool:
    """Whether it passed the challenge, and speaks a version that there is."""
    return hook.status is Status.SUCCEEDED and hook.properties["apiVersion"] == API_VERSION


def _addresses(hook: WebHook) -> Addresses:
    return Addresses(hook.base, hook.properties["apiVersion"])


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
