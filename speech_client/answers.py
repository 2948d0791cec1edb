"""What a request came back with: an answer to read, or the error it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import pydantic

from speech_client.entities import AzureObject
from speech_client.errors import (
    Conflict,
    Forbidden,
    NotFound,
    RequestRejected,
    SpeechError,
    TransientError,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
)

O = TypeVar("O", bound=AzureObject)  # noqa: E741  # an object of Azure

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_WITHOUT_EFFECT = frozenset({429})
_REJECTIONS: Mapping[int | str | None, type[RequestRejected]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    "Unauthorized": Unauthorized,
    "Forbidden": Forbidden,
    "NotAllowed": Forbidden,
    "NotFound": NotFound,
    "Conflict": Conflict,
    "InUseViolation": Conflict,
    "DeleteNotAllowed": Conflict,
}
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_REQUEST_IDS = ("apim-request-id", "x-ms-request-id", "x-requestid", "x-ms-client-request-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as we mean it; `signed` requests carry our credential."""

    method: str
    url: str
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    signed: bool = True
    repeatable: bool = False

    @property
    def has_effect(self) -> bool:
        """Whether the service may have changed something even if no answer came."""
        return self.method not in ("GET", "HEAD")

    def __str__(self) -> str:
        return f"{self.method} {urlsplit(self.url)._replace(query='', fragment='').geturl()}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer, not read yet."""

    call: Call
    body: bytes = field(repr=False)
    retry_after: float | None = None
    """Seconds until the service wants to be asked again about a job that is not over."""

    def parse(self, shape: type[O]) -> O:
        """Return the body as `shape`.

        Raises:
            UnexpectedAnswer: It is no JSON, or lacks what the specification promises.
        """
        try:
            return shape.model_validate_json(self.body)
        except pydantic.ValidationError as error:
            raise self.unexpected(_first_problem(error)) from None

    def unexpected(self, problem: str) -> UnexpectedAnswer:
        """Return the error that says that the body is not what was promised."""
        return UnexpectedAnswer(
            f"{self.call} succeeded with an unexpected body ({problem}). Check the endpoint, the api-version, and any "
            "proxy before it.",
            ambiguous=self.call.has_effect,
        )


class _Problem(AzureObject):
    """Azure's body of an error, and each error inside it."""

    code: str | None = None
    message: str | None = None
    target: str | None = None
    inner_error: _Problem | None = None

    @property
    def innermost(self) -> _Problem:
        """The most specific error."""
        return self.inner_error.innermost if self.inner_error else self


class _Wrapped(AzureObject):
    """How the gateway before the service reports a wrong key."""

    error: _Problem


def read(call: Call, response: httpx.Response, remedy: str) -> Answer:
    """Return the answer, or raise what its status means; `remedy` says what to do when we are not let in."""
    if response.is_success:
        return Answer(call, response.content, retry_after_of(response))
    raise _error_of(call, response, remedy)


def too_large(call: Call, limit: int) -> UnexpectedAnswer:
    """Return the error for a body that is longer than `limit` bytes, of which the rest was not read."""
    return UnexpectedAnswer(
        f"{call} answers with something larger than {limit // 1024**2} MB, which was not read. Check that the address "
        "is that of a report or a transcription, and any proxy before it.",
        ambiguous=call.has_effect,
    )


def retry_after_of(response: httpx.Response) -> float | None:
    """Return the seconds of the Retry-After header, in either of its forms; None if absent or unreadable.

    A date is measured against the answer's own Date header, so that a wrong clock on our side does no harm.
    """
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    if (then := _http_date(value)) is None:
        return None
    sent = _http_date(response.headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (then - sent).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def failure_of(call: Call, error: httpx.RequestError) -> TransientError:
    """Return what a request without an answer means. The text names no header and no query."""
    reason = str(error) or type(error).__name__
    if isinstance(error, _NO_CONNECTION):
        host = urlsplit(call.url)
        local = host.hostname in ("127.0.0.1", "localhost", "::1")
        remedy = "Start the local service with `speechops up`, or correct the" if local else "Check the network and the"
        return Unreachable(f"Cannot reach {host.scheme}://{host.netloc} ({reason}). {remedy} endpoint.")
    return TransientError(f"{call} got no answer ({reason}).", ambiguous=call.has_effect)


def _error_of(call: Call, response: httpx.Response, remedy: str) -> SpeechError:
    problem = _problem_of(response)
    status = response.status_code
    message = f"{call}: {_told(response, problem)}"
    if 300 <= status < 400:
        message = f"{message} {_redirect_of(response)}"
    if status in _TRANSIENT:
        return TransientError(
            message,
            ambiguous=call.has_effect and status not in _WITHOUT_EFFECT,
            retry_after=retry_after_of(response),
            status=status,
            code=problem.code,
            request_id=_request_id_of(response),
        )
    return _rejection_of(response, problem, message, remedy)


def _redirect_of(response: httpx.Response) -> str:
    try:
        there = httpx.URL(response.headers.get("Location", ""))
    except httpx.InvalidURL:
        there = httpx.URL()
    where = f" to {there.scheme}://{there.netloc.decode('ascii')}" if there.host else ""
    return (
        f"This is a redirect{where}, and redirects are not followed, for the credential would go along. "
        "Correct the endpoint: give the address of the Speech resource itself."
    )


def _rejection_of(response: httpx.Response, problem: _Problem, message: str, remedy: str) -> RequestRejected:
    inner = problem.innermost
    meanings = (response.status_code, inner.code, problem.code)
    kind = next((_REJECTIONS[meaning] for meaning in meanings if meaning in _REJECTIONS), RequestRejected)
    return kind(
        f"{message} {remedy}" if kind in (Unauthorized, Forbidden) else message,
        status=response.status_code,
        code=problem.code,
        inner_code=inner.code if problem.inner_error else None,
        target=inner.target or problem.target,
        request_id=_request_id_of(response),
    )


def _problem_of(response: httpx.Response) -> _Problem:
    for shape in (_Wrapped, _Problem):
        try:
            found = shape.model_validate_json(response.content)
        except pydantic.ValidationError:
            continue
        return found.error if isinstance(found, _Wrapped) else found
    return _Problem(code=response.headers.get("x-ms-error-code"))  # a storage account's XML, or a gateway's page


def _told(response: httpx.Response, problem: _Problem) -> str:
    """Return for example ``404 NotFound, ModelNotFound: There is no such model. (request 1c50)``."""
    inner = problem.innermost
    codes = ", ".join(dict.fromkeys(code for code in (problem.code, inner.code) if code))
    messages = dict.fromkeys(text.rstrip(".") for text in (problem.message, inner.message) if text)
    request_id = _request_id_of(response)
    status = f"{response.status_code} {codes or response.reason_phrase}".strip()
    told = f"{status}: {'. '.join(messages)}." if messages else f"{status}."
    return told + (f" (request {request_id})" if request_id else "")


def _request_id_of(response: httpx.Response) -> str | None:
    return next((response.headers[name] for name in _REQUEST_IDS if name in response.headers), None)


def _first_problem(error: pydantic.ValidationError) -> str:
    """Return where and what, never the value: it may be a transcript or a signed address."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
