"""What went wrong, sorted by what the caller does next. Nobody needs to read a message to decide.

::

    SpeechError            .ambiguous: the request may have taken effect, so look before you repeat it
    ├── BadInput           correct the call, nothing was sent (also a ValueError)
    ├── SignInFailed       correct the Entra ID credential, it gives no token
    ├── TransientError     try again later                     .retry_after .status .code .request_id
    │   └── Unreachable    no connection to the host; certainly without effect
    ├── RequestRejected    do not try again                    .status .code .inner_code .target .request_id
    │   ├── Unauthorized   the key or the token is wrong
    │   ├── Forbidden      the identity lacks a role, or a signed address is over
    │   ├── NotFound
    │   ├── Conflict       the entity is in use, or in the wrong state
    │   └── QuotaExceeded  the tier allows no more: delete something, or raise the tier
    ├── UnexpectedAnswer   success, but not what the specification says
    └── JobError           the job is over for us              .entity
        ├── JobFailed      Azure says Failed                   .entity.error.code
        └── JobTimedOut    our patience is over (also a TimeoutError); the job may still succeed
"""
# the tree reads as what happened: NotFound, JobFailed

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from speech_client.entities import Job
from speech_client.redaction import redact, redacted

_AFTER_FAILURE = {
    "datasets": "Its report file says which lines were refused; correct the data and run again.",
    "models": "Check that its datasets and its base model fit together, then run again.",
    "evaluations": "Check that both models exist and that the dataset holds audio with transcripts, then run again.",
    "endpoints": "Check that the model can be deployed (features.supportsEndpoints), then run again.",
    "webhooks": "Check that its address answers a challenge with the validation token, then update or register it again.",
    "operations/models/copy": "Ask the target for a new authorization, and copy again.",
}


LONGEST_MESSAGE = 2000
"""In characters. Messages quote the service, which may say anything at any length."""


class SpeechError(Exception):
    """Any failure to get something from the Speech service. Its text is one line, of limited length, without a secret."""

    ambiguous: bool = False

    def __init__(self, message: str) -> None:
        super().__init__(_line(message))


class BadInput(SpeechError, ValueError):
    """The call cannot be sent as it is; the message says what to correct."""


class SignInFailed(SpeechError):
    """Entra ID gave no token for the Speech service."""


class TransientError(SpeechError):
    """Worth another try. `retry_after` is in seconds and None when the service named no time."""

    def __init__(
        self,
        message: str,
        *,
        ambiguous: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous
        self.retry_after = retry_after
        self.status = status
        self.code = code
        self.request_id = request_id


class Unreachable(TransientError):
    """No connection could be made, so the request has had no effect."""


class RequestRejected(SpeechError):
    """The service understood the request and refuses it.

    `code` is one of Azure's ErrorCode, `inner_code` the most specific DetailedErrorCode, both as plain text, which
    equals a member of the enum; `details` is what Azure adds to it; `request_id` is what Microsoft's support asks for.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str | None = None,
        inner_code: str | None = None,
        target: str | None = None,
        details: Mapping[str, str] | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = str(self)
        self.details: dict[str, str] = redacted(dict(details or {}))
        self.status = status
        self.code = code
        self.inner_code = inner_code
        self.target = target
        self.request_id = request_id


class Unauthorized(RequestRejected):
    """The key or the token is wrong, or belongs to another resource."""


class Forbidden(RequestRejected):
    """The identity is known but may not do this, or a signed address is no longer valid."""


class NotFound(RequestRejected):
    """There is no such entity (any more)."""


class Conflict(RequestRejected):
    """The entity is used by another one, or a job still works on it."""


class QuotaExceeded(RequestRejected):
    """The resource holds as much as its tier allows. This does not pass by itself, unlike too many requests."""


class UnexpectedAnswer(SpeechError):
    """The service reports success with something that the specification does not allow."""

    def __init__(self, message: str, *, ambiguous: bool = False) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous


class JobError(SpeechError):
    """A job did not give us what we waited for; `entity` is its last known state, with signatures masked.

    Errors are pickled, stored and shown by whoever catches them, so the entity in one is what may be shown.
    """

    def __init__(self, entity: Job, message: str) -> None:
        super().__init__(message)
        self.entity = _without_secrets(entity)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.entity, str(self))


class JobFailed(JobError):
    """Azure ended the job with status Failed."""

    def __init__(self, entity: Job, message: str | None = None) -> None:
        super().__init__(entity, message or _failure_of(entity))


class JobTimedOut(JobError, TimeoutError):
    """The job was not over when our patience was."""

    def __init__(self, entity: Job, message: str | None = None) -> None:
        super().__init__(entity, message or f"{_name_of(entity)} is still {entity.status}; our patience is over.")


def _line(message: str) -> str:
    """Return what may be shown in any log: no secret, nothing that forges a line or moves a cursor, and not for ever."""
    text = redact(message[: 8 * LONGEST_MESSAGE])
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"


def _without_secrets(entity: Job) -> Job:
    record = entity.to_record()
    return entity if record == entity.to_azure() else type(entity).model_validate(record)


def _name_of(entity: Job) -> str:
    return f"{entity.collection.split('/')[0].removesuffix('s').capitalize()} {entity.label}"


def _failure_of(entity: Job) -> str:
    error = entity.error
    reason = f"{error.code or 'no code'}: {error.message or 'no message'}" if error else "Azure gives no reason."
    advice = _AFTER_FAILURE.get(entity.collection, "Correct the cause and run again.")
    return f"{_name_of(entity)} failed. {reason.rstrip('.')}. {advice}"
