"""Receiving what a web hook is sent: verify, read, answer the challenge. No web framework, no network.

::

    received = receive(request.headers, request.query_params, await request.body(), secret)
    if isinstance(received, Challenge):
        return Response(received.answer, media_type=Challenge.MEDIA_TYPE, headers=Challenge.HEADERS)

The signature covers the body alone: not the event, no time, no delivery. So a notification may be a repetition, and
its event may be wrong. Take it as a hint to look at the entity. Source: WebHooks_Create and WebHooks_Ping; where
Microsoft's receiver (cognitive-services-speech-sdk, samples/batch) does more than the specification says, it counts.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import pydantic_core

from speech_client.entities import EntityReference, Known
from speech_client.errors import SpeechError

EVENT_HEADER = "X-MicrosoftSpeechServices-Event"
SIGNATURE_HEADER = "X-MicrosoftSpeechServices-Signature"
TOKEN_PARAMETER = "validationToken"  # noqa: S105  # a name
LARGEST_BODY = 64 * 1024
"""In bytes. A notification is two short texts; the body of a ping is a web hook."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


class NotificationRefused(SpeechError):
    """What came is not signed as it must be, or is no notification. Answer 401 and do nothing else."""


class EventKind(StrEnum):
    """What happened."""

    DATASET_CREATION = "DatasetCreation"
    DATASET_PROCESSING = "DatasetProcessing"
    DATASET_COMPLETION = "DatasetCompletion"
    DATASET_DELETION = "DatasetDeletion"
    MODEL_CREATION = "ModelCreation"
    MODEL_PROCESSING = "ModelProcessing"
    MODEL_COMPLETION = "ModelCompletion"
    MODEL_DELETION = "ModelDeletion"
    EVALUATION_CREATION = "EvaluationCreation"
    EVALUATION_PROCESSING = "EvaluationProcessing"
    EVALUATION_COMPLETION = "EvaluationCompletion"
    EVALUATION_DELETION = "EvaluationDeletion"
    TRANSCRIPTION_CREATION = "TranscriptionCreation"
    TRANSCRIPTION_PROCESSING = "TranscriptionProcessing"
    TRANSCRIPTION_COMPLETION = "TranscriptionCompletion"
    TRANSCRIPTION_DELETION = "TranscriptionDeletion"
    ENDPOINT_CREATION = "EndpointCreation"
    ENDPOINT_PROCESSING = "EndpointProcessing"
    ENDPOINT_COMPLETION = "EndpointCompletion"
    ENDPOINT_DELETION = "EndpointDeletion"
    PING = "Ping"
    CHALLENGE = "Challenge"

    @classmethod
    def _missing_(cls, value: object) -> EventKind | None:
        """Read the header in any case: the specification writes `ping`, Microsoft's receiver `Ping`."""
        return next((kind for kind in cls if kind.lower() == str(value).lower()), None)


class Notification(EntityReference):
    """Something happened to the entity at `self_url`; `invocation_id` is the same when it is told again."""

    event: Known[EventKind]
    invocation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """The service asks whether the address wants its notifications; the answer is the token itself.

    Anybody can ask: answer only while you expect it, after create or a new address.
    """

    MEDIA_TYPE: ClassVar[str] = "text/plain"
    HEADERS: ClassVar[Mapping[str, str]] = {"X-Content-Type-Options": "nosniff"}

    answer: str
    """Body of the 200 that says yes; harmless text, for the token was looked at."""


def signature_of(secret: str, signed: bytes) -> str:
    """Return the signature of `signed` as it stands in the header.

    >>> signature_of("It's a Secret to Everybody", b"Hello, World!")
    'dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc='
    """
    return b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()


def verify(secret: str | None, signed: bytes, signature: str | None) -> None:
    """Make sure, in constant time, that who sent `signed` knows the secret of the web hook.

    Without a secret nothing is signed, and everything passes: register web hooks with a secret.

    Raises:
        NotificationRefused: The signature is missing or is another one.
    """
    if not secret:
        return
    given = (signature or "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, signature_of(secret, signed).encode()):
        reason = "has another signature" if signature else "is not signed"
        raise NotificationRefused(f"A notification {reason}. Check that the web hook was registered with our secret.")


def receive(
    headers: Mapping[str, str], params: Mapping[str, str], body: bytes, secret: str | None
) -> Notification | Challenge:
    """Return what the service tells, once it is certain that it was the service.

    Args:
        headers: Of the request, in any case.
        params: Its query.
        body: Its body as it came, byte for byte.
        secret: Of the web hook; None if it was registered without.

    Raises:
        NotificationRefused: Unsigned, forged, too long, or no notification.
    """
    named = {name.lower(): value for name, value in headers.items()}
    signature = named.get(SIGNATURE_HEADER.lower())
    event = _event_of(named.get(EVENT_HEADER.lower(), ""))
    if event == EventKind.CHALLENGE:
        return _challenge(params.get(TOKEN_PARAMETER, ""), secret, signature)
    if len(body) > LARGEST_BODY:
        raise NotificationRefused(f"A notification has {len(body)} bytes; none has more than {LARGEST_BODY}.")
    verify(secret, body, signature)
    return _notification(event, body)


def _event_of(name: str) -> EventKind | str:
    try:
        return EventKind(name)
    except ValueError:
        return name


def _challenge(token: str, secret: str | None, signature: str | None) -> Challenge:
    """For a challenge not the body is signed, but the token."""
    if not _TOKEN.fullmatch(token):
        raise NotificationRefused("A challenge has no token of letters, digits, _ and - (200 at most).")
    verify(secret, token.encode(), signature)
    return Challenge(token)


def _notification(event: EventKind | str, body: bytes) -> Notification:
    try:
        told = pydantic_core.from_json(body)
        if event and isinstance(told, dict):
            return Notification.model_validate(told | {"event": event})
    except ValueError:  # pydantic's errors are ValueErrors, too
        pass
    raise NotificationRefused("What came is no notification: it names no event, or no entity.") from None
