"""The Speech service's own web hooks: what happened to datasets, models, evaluations and endpoints.

How they are signed and read is known to `speech_client.notifications`. The signature covers the body, not the event's
name; so only events that we know are kept, and a replayed body cannot fill the store.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from hmac import HMAC

from deployments.receiver.deliveries import Job, News, Ping, Source, Subject, sender_id
from deployments.receiver.hook import Body, Call, Heard, Misunderstood, Reply
from deployments.receiver.shared_secrets import SharedSecrets
from speech_client import notifications
from speech_client.notifications import Challenge, EventKind, Notification, NotificationRefused

_ENTITY = re.compile(r"/speechtotext/((?:[a-z]+/){1,2}[A-Za-z0-9._-]{1,100})(?:\?|$)")


class SpeechHook:
    """`/hooks/speech`."""

    source = Source.SPEECH
    most_bytes = most_kept = notifications.LARGEST_BODY

    def __init__(self, secrets: SharedSecrets) -> None:
        self._secrets = secrets

    def admits(self, call: Call) -> bool:
        """Whether it is signed at all."""
        return bool(self._secrets) and bool(call.header(notifications.SIGNATURE_HEADER))

    def signing(self) -> Sequence[HMAC]:
        """The body is small, and verified whole."""
        return ()

    def verifies(self, call: Call, body: Body) -> bool:
        """Whether one of our secrets signed the body, or, of a challenge, the token."""
        return self._received(call, body) is not None or any(
            _signed(call, body.start, one) for one in self._secrets.texts()
        )

    def read(self, call: Call, body: Body) -> Heard:
        """What a verified request tells.

        Raises:
            Misunderstood: it is no notification.
        """
        received = self._received(call, body)
        if received is None:
            raise Misunderstood("it is no notification of the Speech service")
        if isinstance(received, Challenge):
            return Heard(reply=Reply(received.answer, Challenge.MEDIA_TYPE))
        return _heard(received, body)

    def _received(self, call: Call, body: Body) -> Notification | Challenge | None:
        for secret in self._secrets.texts():
            with suppress(NotificationRefused):
                return notifications.receive(call.headers, call.params, body.start, secret)
        return None


def _signed(call: Call, body: bytes, secret: str) -> bool:
    try:
        notifications.verify(secret, body, call.header(notifications.SIGNATURE_HEADER))
    except NotificationRefused:
        return False
    return True


def _heard(told: Notification, body: Body) -> Heard:
    if not isinstance(told.event, EventKind):
        return Heard(ignored=1)
    entity = _ENTITY.search(told.self_url)
    if not entity:
        raise Misunderstood("it names no entity of the Speech service")
    name = sender_id(told.invocation_id or "")
    ping = told.event is EventKind.PING
    subject: Subject = Ping(about=entity[1]) if ping else Job(entity=entity[1], event=told.event.value)
    return Heard([News(name, [f"{told.event.value}:{entity[1]}:{name or body.sha256}"], subject)])
