"""The client of one Speech resource."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, overload

import httpx

from speech_client import downloads, polling, short_audio
from speech_client.auth import Credential
from speech_client.base_models import BaseModel, BaseModels
from speech_client.connection import LARGEST_ANSWER, Connection
from speech_client.datasets import Datasets
from speech_client.endpoints import Endpoints
from speech_client.entities import EntityReference, Job
from speech_client.evaluations import Evaluations
from speech_client.files import File
from speech_client.links import API, Which, endpoint_of
from speech_client.models import CustomModel, Models
from speech_client.operations import Operations
from speech_client.pacing import Pace
from speech_client.projects import Projects
from speech_client.retries import RetryPolicy, Sleep
from speech_client.short_audio import Format
from speech_client.transcriptions import Transcriptions
from speech_client.watching import Watcher
from speech_client.web_hooks import WebHooks

E = TypeVar("E", bound=Job)

API_VERSION = "2024-11-15"
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds for each of write and read, and for the connection."""
LIMITS = httpx.Limits(keepalive_expiry=3.0)
"""We drop an idle connection before the server does (uvicorn: 5 s), or a POST on it would end as ambiguous."""
NOT_BY_PROXY = {"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None}
"""The local service, for httpx: a proxy of the environment would look for it on its own machine, and see the key."""


@cache
def _tls() -> ssl.SSLContext:
    """The certificates of this machine, read once: that takes longer than a request."""
    return httpx.create_ssl_context()


def _http(transport: httpx.AsyncBaseTransport | None, timeout: float | httpx.Timeout) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport,
        verify=_tls(),
        mounts=NOT_BY_PROXY,
        timeout=timeout,
        limits=LIMITS,
        headers={"User-Agent": "speechops"},
    )


class SpeechClient:
    """Everything that we ask of a Speech resource, in Azure or of the local service; use it with ``async with``.

    Args:
        endpoint: Scheme and host, such as ``https://westus.api.cognitive.microsoft.com`` or ``http://127.0.0.1:8765``.
        credential: `KeyCredential` or `EntraCredential`.
        api_version: The version of the REST API.
        recognition_url: Where short recordings are recognised; derived from `endpoint` if not given.
        transport: Another transport of httpx, for tests.
        timeout: Seconds, or httpx's own kind of timeout.
        sleep: Replaces `asyncio.sleep` in retries and waits, for tests.
        clock: A monotonic clock in seconds, for the deadlines of waits.
        retry: How patiently single requests are repeated.
        largest_answer: Bytes that an answer or a file may have; a larger one is an `UnexpectedAnswer`.
        pace: How many requests go out; clients of one resource in one event loop may share theirs.
    """

    def __init__(
        self,
        endpoint: str,
        credential: Credential,
        *,
        api_version: str = API_VERSION,
        recognition_url: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float | httpx.Timeout = TIMEOUT,
        sleep: Sleep = asyncio.sleep,
        clock: polling.Clock = time.monotonic,
        retry: RetryPolicy | None = None,
        largest_answer: int = LARGEST_ANSWER,
        pace: Pace | None = None,
    ) -> None:
        self._http = _http(transport, timeout)
        self._connection = Connection(
            endpoint,
            credential,
            api_version,
            http=self._http,
            sleep=sleep,
            retry=retry or RetryPolicy(),
            largest_answer=largest_answer,
            pace=pace or Pace(clock=clock, sleep=sleep),
        )
        self._recognition_url = endpoint_of(recognition_url or short_audio.recognition_url_of(endpoint))
        self._watcher = Watcher(self._connection, clock=clock, sleep=sleep)
        self.base_models = BaseModels(self._connection)
        self.datasets = Datasets(self._connection)
        self.models = Models(self._connection)
        self.evaluations = Evaluations(self._connection)
        self.transcriptions = Transcriptions(self._connection)
        self.endpoints = Endpoints(self._connection)
        self.operations = Operations(self._connection)
        self.projects = Projects(self._connection)
        self.web_hooks = WebHooks(self._connection)

    @property
    def endpoint(self) -> str:
        """The address of the resource."""
        return self._connection.endpoint

    @property
    def api_version(self) -> str:
        """The version of the REST API that requests name."""
        return self._connection.api_version

    def recognition_address(self, endpoint: Which | None, *, locale: str, format: Format = "detailed") -> str:  # noqa: A002
        """Return where to POST a WAV for an endpoint (None: the newest base model); the address holds no key."""
        return short_audio.address(self._recognition_url, endpoint, locale=locale, format=format)

    def reference(self, path: str) -> EntityReference:
        """Return how a request refers to the entity at `path`, such as ``models/base/<id>``."""
        return EntityReference(self_url=f"{self.endpoint}{API}{path}?api-version={self.api_version}")

    async def model(self, reference: EntityReference) -> CustomModel | BaseModel:
        """Return the model that an endpoint or an evaluation refers to, custom or base."""
        if "/models/base/" in reference.self_url:
            return await self.base_models.get(reference)
        return await self.models.get(reference)

    @overload
    async def download(self, file: File) -> bytes: ...

    @overload
    async def download(self, file: File, to: Path, *, limit: int | None = None) -> Path: ...

    async def download(self, file: File, to: Path | None = None, *, limit: int | None = None) -> bytes | Path:
        """Return the content of a file, or write it to `to`. The signed address is enough: our credential is not sent.

        Args:
            file: As a list of files shows it.
            to: Where to write; it is written as it comes, and is there when it is whole. Without it, memory holds all.
            limit: So many bytes at most may be written; without `to`, `largest_answer` is the limit.

        Raises:
            BadInput: It cannot be written there.
            Forbidden: The address is no longer valid; list the files again.
            UnexpectedAnswer: It is larger than the limit.
        """
        if to is None:
            return await self._connection.fetch(file.links.content_url)
        return await downloads.save(self._connection, file.links.content_url, to, limit)

    async def recognise(
        self,
        endpoint: Which | None,
        audio: bytes,
        *,
        locale: str,
        format: Format = "detailed",  # noqa: A002  # Azure's word
    ) -> short_audio.Recognition:
        """Let a live endpoint (None: the newest base model) recognise a WAV of at most 60 seconds, 8 or 16 kHz, mono."""
        address = self.recognition_address(endpoint, locale=locale, format=format)
        return await short_audio.recognise(self._connection, address, audio)

    async def wait_until_final(
        self, entity: E, *, patience: timedelta | None = None, on_poll: polling.OnPoll[E] | None = None
    ) -> E:
        """Wait for the job of any entity; many at once with `asyncio.gather`.

        More than a few of one kind are looked at together, through lists: a thousand cost some requests per round.

        Args:
            entity: As it was created or last seen. One that is final already is not looked at again.
            patience: How long to wait; by default as long as jobs of its kind may take (`polling.PATIENCE`).
            on_poll: Called with the entity after each look, to show progress; may be async, and then misses what it outlasts.

        Raises:
            JobFailed: Azure says Failed.
            JobTimedOut: The job is not over when `patience` is.
        """
        patience = polling.patience_for(entity) if patience is None else patience
        return await self._watcher.wait(entity, patience=patience, on_poll=on_poll)

    def notice(self, notification: Which) -> None:
        """Look at once at the entity of a verified web hook, if somebody waits for it; call it in the event loop.

        A hook is a hint, and the look tells the truth: a forged or repeated one costs one look, and each further one
        at the same entity waits twice as long (1 s, 2 s … 60 s). Such looks may come before Retry-After is over.
        """
        self._watcher.wake(notification)

    async def aclose(self) -> None:
        """Close the connections; the credential stays open, it belongs to the caller."""
        self._watcher.close()
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"SpeechClient({self.endpoint!r})"
