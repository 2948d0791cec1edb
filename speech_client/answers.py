"""What a request came back with: an answer to read, or the error it stands for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import httpx
import pydantic
import pydantic_core

from speech_client.entities import AzureObject
from speech_client.error_codes import DetailedErrorCode, ErrorCode, InnerError, ServiceError
from speech_client.errors import (
    Conflict,
    Forbidden,
    NotFound,
    QuotaExceeded,
    RequestRejected,
    SpeechError,
    TransientError,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
)
from speech_client.forms import Form
from speech_client.redaction import HiddenItems, redact

O = TypeVar("O", bound=pydantic.BaseModel)  # noqa: E741  # an object of Azure

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_WITHOUT_EFFECT = frozenset({429})
_TRANSIENT_CODES = frozenset({ErrorCode.TOO_MANY_REQUESTS, ErrorCode.SERVICE_UNAVAILABLE})
"""Worth another try with whatever status they come."""
_REJECTIONS: Mapping[int | str | None, type[RequestRejected]] = {
    DetailedErrorCode.IN_USE_VIOLATION: Conflict,
    DetailedErrorCode.DELETE_NOT_ALLOWED: Conflict,
    DetailedErrorCode.ENDPOINT_NOT_UPDATABLE: Conflict,
    DetailedErrorCode.MODEL_DEPLOYMENT_NOT_COMPLETE_STATE: Conflict,
    DetailedErrorCode.MODEL_EXISTS: Conflict,
    DetailedErrorCode.QUOTA_VIOLATION: QuotaExceeded,
    DetailedErrorCode.SKU_LIMITS_EXIST: QuotaExceeded,
    DetailedErrorCode.FORBIDDEN: Forbidden,
    DetailedErrorCode.INVALID_PERMISSIONS: Forbidden,
    ErrorCode.UNAUTHORIZED: Unauthorized,
    ErrorCode.NOT_ALLOWED: Forbidden,
    ErrorCode.NOT_FOUND: NotFound,
    ErrorCode.CONFLICT: Conflict,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
}
"""The codes that call for something else than a correction of the request. The most specific one that is here decides:
the innermost code, then the outer one, then the status, which Azure does not document per code."""
LARGEST_ERROR = 64 * 1024
"""In bytes. What is larger is not Azure's; it is not read, for an error is kept, logged and shown."""
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_REQUEST_IDS = ("apim-request-id", "x-ms-request-id", "x-requestid", "x-ms-client-request-id")


Content: TypeAlias = Callable[[], AsyncIterator[bytes]]
"""Begins to yield the body of a request, so that memory holds little of it."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Call:
    """One request as we mean it; `signed` requests carry our credential."""

    method: str
    url: str
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    content: bytes | Content | None = field(default=None, repr=False)
    form: Form | None = None
    answer_within: float | None = None
    """Seconds to wait for the answer; None for what the client usually waits."""
    signed: bool = True
    repeatable: bool = False

    @property
    def has_effect(self) -> bool:
        """Whether the service may have changed something even if no answer came."""
        return self.method not in ("GET", "HEAD")

    @contextmanager
    def body(self) -> Iterator[dict[str, Any]]:
        """Yield the body as arguments of httpx; a file is open for that long."""
        if self.form:
            with self.form.opened() as parts:
                yield parts
        else:
            json = self.json.to_azure() if isinstance(self.json, AzureObject) else self.json
            content = self.content() if callable(self.content) else self.content
            yield HiddenItems(json=json, content=content)

    def __str__(self) -> str:
        return f"{self.method} {self.url.partition('?')[0].partition('#')[0]}"

    def __repr__(self) -> str:
        return f"Call({redact(str(self))})"


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer, not read yet."""

    call: Call
    body: bytes = field(repr=False)
    retry_after: float | None = None
    """Seconds until the service wants to be asked again about a job that is not over."""
    status: int = 200
    location: str | None = None
    """Where the service put what it made. The body tells it as `self`; the header helps when that is missing."""

    def parse(self, shape: type[O]) -> O:
        """Return the body as `shape`.

        Raises:
            UnexpectedAnswer: It is no JSON, or lacks what the specification promises.
        """
        try:
            return shape.model_validate_json(self.body)
        except pydantic.ValidationError as error:
            problem = _first_problem(error)
        raise self.unexpected(problem)  # outside of the handler: pydantic's error holds the body

    def parse_created(self, shape: type[O]) -> O:
        """Return what was made; its address is in the body or, as the specification allows, in a header only.

        Raises:
            UnexpectedAnswer: As in `parse`.
        """
        return self._located().parse(shape)

    def _located(self) -> Answer:
        try:
            body = pydantic_core.from_json(self.body)
        except ValueError:
            return self
        if self.location and isinstance(body, dict) and not body.get("self"):
            return replace(self, body=pydantic_core.to_json(body | {"self": self.location}))
        return self

    def unexpected(self, problem: str) -> UnexpectedAnswer:
        """Return the error that says that the body is not what was promised."""
        return UnexpectedAnswer(
            f"{self.call} succeeded with an unexpected body ({problem}). Check the endpoint, the api-version, and any "
            "proxy before it.",
            ambiguous=self.call.has_effect,
        )


class _Wrapped(AzureObject):
    """How the gateway before the service reports a wrong key."""

    error: ServiceError


class _Bare(AzureObject):
    """What is left of a body that is not quite what the specification says."""

    code: str | None = None
    message: str | None = None


def read(call: Call, response: httpx.Response, remedy: str) -> Answer:
    """Return the answer, or raise what its status means; `remedy` says what to do when we are not let in."""
    if response.is_success:
        location = response.headers.get("Location") or response.headers.get("Operation-Location")
        return Answer(call, response.content, retry_after_of(response), response.status_code, location)
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
    except (ValueError, OverflowError):
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
    if status in _TRANSIENT or problem.code in _TRANSIENT_CODES:
        return TransientError(
            message,
            ambiguous=call.has_effect and status not in _WITHOUT_EFFECT and problem.code != ErrorCode.TOO_MANY_REQUESTS,
            retry_after=retry_after_of(response),
            status=status,
            code=_text(problem.code),
            request_id=_request_id_of(response),
        )
    return _rejection_of(response, problem, message, remedy)


def _redirect_of(response: httpx.Response) -> str:
    try:
        there = httpx.URL(response.headers.get("Location", ""))
    except httpx.InvalidURL:
        there = httpx.URL()
    where = f" to {there.scheme}://{there.netloc.decode('ascii')}" if there.netloc else ""
    return (
        f"This is a redirect{where}, and redirects are not followed, for the credential would go along. "
        "Correct the endpoint: give the address of the Speech resource itself."
    )


def _rejection_of(response: httpx.Response, problem: ServiceError, message: str, remedy: str) -> RequestRejected:
    inner = _innermost(problem)
    meanings = (inner.code, problem.code, response.status_code)
    kind = next((_REJECTIONS[meaning] for meaning in meanings if meaning in _REJECTIONS), RequestRejected)
    return kind(
        f"{message} {remedy}" if kind in (Unauthorized, Forbidden) else message,
        status=response.status_code,
        code=_text(problem.code),
        inner_code=_text(inner.code) if problem.inner_error else None,
        target=_text(inner.target or problem.target),
        details=inner.details if isinstance(inner, InnerError) else None,
        request_id=_request_id_of(response),
    )


def _problem_of(response: httpx.Response) -> ServiceError:
    for shape in (_Wrapped, ServiceError, _Bare) if len(response.content) <= LARGEST_ERROR else ():
        try:
            found = shape.model_validate_json(response.content)
        except pydantic.ValidationError:
            continue
        if isinstance(found, _Bare):
            return ServiceError(code=found.code, message=found.message)
        return found.error if isinstance(found, _Wrapped) else found
    return ServiceError(code=response.headers.get("x-ms-error-code"))  # a storage account's XML, or a gateway's page


def _innermost(problem: ServiceError) -> ServiceError | InnerError:
    """Return the most specific error."""
    found: ServiceError | InnerError = problem
    while found.inner_error:
        found = found.inner_error
    return found


def _text(said: str | None) -> str | None:
    """Return what the service said as plain text, fit to be shown."""
    return None if said is None else redact(str(said))


def _told(response: httpx.Response, problem: ServiceError) -> str:
    """Return for example ``404 NotFound, ModelNotFound: There is no such model. (request 1c50)``."""
    inner = _innermost(problem)
    codes = ", ".join(dict.fromkeys(code for code in (problem.code, inner.code) if code))
    messages = dict.fromkeys(text.rstrip(".") for text in (problem.message, inner.message) if text)
    request_id = _request_id_of(response)
    status = f"{response.status_code} {codes or response.reason_phrase}".strip()
    told = f"{status}: {'. '.join(messages)}." if messages else f"{status}."
    return told + (f" (request {request_id})" if request_id else "")


def _request_id_of(response: httpx.Response) -> str | None:
    return _text(next((response.headers[name] for name in _REQUEST_IDS if name in response.headers), None))


def _first_problem(error: pydantic.ValidationError) -> str:
    """Return where and what, never the value: it may be a transcript or a signed address."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
