"""Faults on demand, counted: for tests of clients. They live in memory and end with the server."""

import asyncio
import re
import socket
import struct
from contextlib import nullcontext, suppress
from typing import Annotated, Literal, Self

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from starlette.types import Message, Receive, Scope, Send

from emulator.doorway import Doorway
from emulator.errors import JobFailure, ServiceError, answer
from emulator.events import SENT

LONGEST_DELAY = 600.0
RESETS = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _sent(event: str) -> str:
    if event not in ("*", *SENT):
        raise ValueError("not an event that web hooks are told of")
    return event


class HttpFault(BaseModel):
    """A fault of the next requests that match: before the service sees them, or after it has done its work."""

    model_config = ConfigDict(extra="forbid")

    method: str = "*"
    path: Annotated[str, AfterValidator(_compilable)] = "/"
    """Regular expression for the start of the path."""
    kind: Literal["404", "429", "500", "503", "reset", "hang", "deaf", "slow"]
    """`deaf` answers a short recording as if nothing had been understood; `slow` answers rightly, but late.

    A slow fault `before` also does the work late, even when the caller has given up meanwhile.
    """
    when: Literal["before", "after"] = "before"
    times: int = Field(default=1, ge=1)
    retry_after: int | None = Field(default=None, ge=0)
    """Seconds for the `Retry-After` of an error; none without."""
    seconds: float | None = Field(default=None, gt=0, le=LONGEST_DELAY)
    """How late a slow answer is, in real time."""
    fired: int = 0

    @model_validator(mode="after")
    def _slow_by_how_much(self) -> Self:
        if (self.kind == "slow") != (self.seconds is not None):
            raise ValueError("a slow fault, and only that, has seconds")
        return self

    def matches(self, method: str, path: str) -> bool:
        """Whether it is this request's turn."""
        return self.fired < self.times and self.method in ("*", method) and re.match(self.path, path) is not None


class JobFault(BaseModel):
    """The next jobs of a kind end as Failed, with this error."""

    model_config = ConfigDict(extra="forbid")

    job: Literal["dataset", "training", "evaluation", "endpoint", "transcription", "copy"]
    times: int = Field(default=1, ge=1)
    code: str = "InternalServerError"
    message: str = "The job failed because a test asked for it."
    fired: int = 0


class NotificationFault(BaseModel):
    """The next notifications of web hooks are lost, or arrive twice (with one invocationId); challenges are spared."""

    model_config = ConfigDict(extra="forbid")

    notification: Literal["drop", "twice"]
    event: Annotated[str, AfterValidator(_sent)] = "*"
    """A name of `WebHookEvents`."""
    times: int = Field(default=1, ge=1)
    fired: int = 0

    def matches(self, event: str) -> bool:
        """Whether it is this notification's turn."""
        return self.fired < self.times and self.event in ("*", event)


Fault = HttpFault | JobFault | NotificationFault


class Faults:
    """The faults that are set, and how often each has fired."""

    def __init__(self) -> None:
        self.all: list[Fault] = []

    def take(self, method: str, path: str) -> HttpFault | None:
        """The fault of a request, which counts it."""
        for fault in self.all:
            if isinstance(fault, HttpFault) and fault.matches(method, path):
                fault.fired += 1
                return fault
        return None

    def fail_job(self, job: str) -> None:
        """Raise the fault of a job, if one is set."""
        for fault in self.all:
            if isinstance(fault, JobFault) and fault.job == job and fault.fired < fault.times:
                fault.fired += 1
                raise JobFailure(fault.code, fault.message)

    def take_notification(self, event: str) -> Literal["drop", "twice"] | None:
        """What happens to a notification, if a fault is set; counts it."""
        for fault in self.all:
            if isinstance(fault, NotificationFault) and fault.matches(event):
                fault.fired += 1
                return fault.notification
        return None


class FaultyApp(FastAPI):
    """An application that breaks when it is told to, outside of everything that could hide it."""

    faults: Faults
    doorway: Doorway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or fail it; what is not let in uses up no fault."""
        if refusal := self.doorway.refusal(scope):
            await answer(refusal)(scope, receive, send)
            return
        fault = None
        if scope["type"] == "http" and not _is_own(scope["path"]):
            fault = self.faults.take(scope["method"], scope["path"])
        if fault is None:
            await self._answer(scope, receive, send)
            return
        if fault.seconds is not None:
            await self._answer_late(fault.seconds, fault.when, scope, receive, send)
            return
        if fault.when == "after":
            await self._answer(scope, receive, _swallow)
        await _break(fault, scope, receive, send)

    async def _answer_late(self, seconds: float, when: str, scope: Scope, receive: Receive, send: Send) -> None:
        """With the request read first: a caller who hangs up meanwhile takes nothing back."""
        body = await _whole(receive)
        if body is None:
            return
        request = _replayed(body, receive)
        if when == "before":
            await asyncio.sleep(seconds)
            await self._answer(scope, request, send)
            return
        messages: list[Message] = []
        await self._answer(scope, request, _into(messages))
        await asyncio.sleep(seconds)
        for message in messages:
            await send(message)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette raises a bug again once it is answered (and logged by `errors.py`), for the server to log it with
        its message; but messages can quote transcripts and signatures."""
        with suppress(Exception) if scope["type"] == "http" else nullcontext():
            await super().__call__(scope, receive, send)


def _is_own(path: str) -> bool:
    """Whether it is a route of the emulator itself, which faults leave alone."""
    return path == "/" or path.startswith("/_emulator")


async def _whole(receive: Receive) -> bytes | None:
    """The body of a request; None when the caller hung up before its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the body first, then what else comes."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay


def _into(messages: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        messages.append(message)

    return keep


async def _swallow(_: Message) -> None:
    """The answer that the client never gets."""


async def _break(fault: HttpFault, scope: Scope, receive: Receive, send: Send) -> None:
    if fault.kind == "reset":
        _reset(send)
    elif fault.kind == "hang":
        while (await receive())["type"] != "http.disconnect":
            pass
    elif fault.kind == "deaf":
        await JSONResponse({"RecognitionStatus": "NoMatch", "Offset": 0, "Duration": 0})(scope, receive, send)
    else:
        response = answer(ServiceError(int(fault.kind), "A test asked for this error."))
        if fault.retry_after is not None:
            response.headers["Retry-After"] = str(fault.retry_after)
        await response(scope, receive, send)


def _reset(send: Send) -> None:
    """Cut the connection. Without one (an application called in process) the caller gets the exception."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)  # uvicorn's request cycle
    if transport is None:
        raise ConnectionResetError("A test asked for this reset.")
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
    transport.abort()
