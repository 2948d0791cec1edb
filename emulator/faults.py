"""Faults on demand, counted: for tests of clients. They live in memory and end with the server."""

import re
import socket
import struct
from contextlib import nullcontext, suppress
from typing import Annotated, Literal

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.types import Message, Receive, Scope, Send

from emulator.errors import JobFailure, ServiceError, answer

RESETS = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


class HttpFault(BaseModel):
    """A fault of the next requests that match: before the service sees them, or after it has done its work."""

    model_config = ConfigDict(extra="forbid")

    method: str = "*"
    path: Annotated[str, AfterValidator(_compilable)] = "/"
    """Regular expression for the start of the path."""
    kind: Literal["404", "429", "500", "503", "reset", "hang", "deaf"]
    """`deaf` answers a short recording as if nothing had been understood."""
    when: Literal["before", "after"] = "before"
    times: int = Field(default=1, ge=1)
    retry_after: int | None = Field(default=None, ge=0)
    """Seconds for the `Retry-After` of an error; none without."""
    fired: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Whether it is this request's turn."""
        return self.fired < self.times and self.method in ("*", method) and re.match(self.path, path) is not None


class JobFault(BaseModel):
    """The next jobs of a kind end as Failed, with this error."""

    model_config = ConfigDict(extra="forbid")

    job: Literal["dataset", "training", "evaluation", "endpoint"]
    times: int = Field(default=1, ge=1)
    code: str = "InternalServerError"
    message: str = "The job failed because a test asked for it."
    fired: int = 0


class Faults:
    """The faults that are set, and how often each has fired."""

    def __init__(self) -> None:
        self.all: list[HttpFault | JobFault] = []

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


class FaultyApp(FastAPI):
    """An application that breaks when it is told to, outside of everything that could hide it."""

    faults: Faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or fail it."""
        fault = None
        if scope["type"] == "http" and not scope["path"].startswith("/_emulator"):
            fault = self.faults.take(scope["method"], scope["path"])
        if fault is None:
            await self._answer(scope, receive, send)
            return
        if fault.when == "after":
            await self._answer(scope, receive, _swallow)
        await _break(fault, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette raises a bug again once it is answered (and logged by `errors.py`), for the server to log it with
        its message; but messages can quote transcripts and signatures."""
        with suppress(Exception) if scope["type"] == "http" else nullcontext():
            await super().__call__(scope, receive, send)


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
