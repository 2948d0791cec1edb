"""Azure Event Grid: blobs of a storage account, in Event Grid's schema and in CloudEvents 1.0, single and batched.

Source: Microsoft's "Azure Blob Storage as an Event Grid source", "Webhook event delivery", "Event Grid message delivery and
retry"; CloudEvents "HTTP 1.1 Web Hooks". Deliveries and both handshakes prove themselves in the same way: by the query
parameter `secret` of the address, or by a token of Microsoft Entra in the header `Authorization`.
"""

import re
from collections.abc import Sequence
from hmac import HMAC
from typing import Any

from pydantic import AliasChoices, Field, ValidationError

from deployments.receiver.deliveries import Blob, News, Source, sender_id
from deployments.receiver.entra import EntraTokens
from deployments.receiver.hook import (
    MEGABYTE,
    Body,
    Call,
    Heard,
    Misunderstood,
    Payload,
    Reply,
    misfit,
    parsed,
    understood,
)
from deployments.receiver.shared_secrets import SharedSecrets

SECRET = "secret"  # noqa: S105  # a parameter's name
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
_CREATED = "Microsoft.Storage.BlobCreated"
_NOT_YET_WRITTEN = frozenset({"CreateFile", "AppendFile", "FlushFile", "SftpCreate"})
"""Calls of ADLS and SFTP after which a file is there, but not its content. What is not known counts as final."""
_BLOB = re.compile(r"/blobServices/default/containers/([^/]+)/blobs/(.+)", re.DOTALL)
_ACCOUNT = re.compile(r"/storageAccounts/([^/]+)$")
_MOST_EVENTS = 5000
"""Of a batch; Event Grid lets nobody ask for more."""
_CODE = re.compile(r"[A-Za-z0-9-]{1,200}", re.ASCII)
_ORIGIN = re.compile(r"[A-Za-z0-9.*-]{1,253}", re.ASCII)


class _Event(Payload):
    id: str
    type: str = Field(validation_alias=AliasChoices("type", "eventType"))
    origin: str = Field(default="", validation_alias=AliasChoices("source", "topic"))
    subject: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class EventGridHook:
    """`/hooks/eventgrid`."""

    source = Source.EVENT_GRID
    most_bytes = most_kept = 4 * MEGABYTE
    """A batch is said to have about 1 MB at most, or one event that is larger."""

    def __init__(self, secrets: SharedSecrets, tokens: EntraTokens | None = None) -> None:
        self._secrets = secrets
        self._tokens = tokens

    async def prepare(self, call: Call) -> None:
        """Fetch what `admits` needs to know, if anything; waits a few seconds at most."""
        if self._tokens and not self._has_secret(call):
            await self._tokens.prepare(call.header("Authorization"))

    def admits(self, call: Call) -> bool:
        """Whether the address has one of our secrets in it, or the header a token that opens this hook.

        Raises:
            KeysUnavailable: of a token that cannot be said now.
        """
        if self._has_secret(call):
            return True
        return self._tokens is not None and self._tokens.admit(call.header("Authorization"))

    def signing(self) -> Sequence[HMAC]:
        """Nothing is signed."""
        return ()

    def verifies(self, call: Call, body: Body) -> bool:
        """The same: the body is not signed."""
        return self.admits(call)

    def read(self, call: Call, body: Body) -> Heard:
        """What a verified request tells; one bad event does not spoil the others of its batch.

        Raises:
            Misunderstood: it has no events.
        """
        payload = parsed(body.start)
        events = payload if isinstance(payload, list) else [payload]
        if not 0 < len(events) <= _MOST_EVENTS:
            raise Misunderstood(f"there are no events, or more than {_MOST_EVENTS}")
        heard = [_heard(event) for event in events]
        return Heard(
            [news for one in heard for news in one.news],
            sum(one.ignored for one in heard),
            sum(one.unread for one in heard),
            next((one.reply for one in heard if one.reply), None),
        )

    def _has_secret(self, call: Call) -> bool:
        return self._secrets.include(call.params.get(SECRET, "").encode())


def allowed_origin(call: Call) -> dict[str, str]:
    """The answer's headers in the handshake of CloudEvents, which asks by `OPTIONS`.

    Raises:
        Misunderstood: nobody asks.
    """
    origin = call.header("WebHook-Request-Origin")
    if not _ORIGIN.fullmatch(origin):
        raise Misunderstood("the header WebHook-Request-Origin is missing or wrong")
    return {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*", "Allow": "POST, OPTIONS"}


def _heard(payload: object) -> Heard:
    try:
        event = understood(_Event, payload)
        if event.type == _VALIDATION:
            return Heard(reply=_validated(event))
        if event.type != _CREATED or event.data.get("api") in _NOT_YET_WRITTEN:
            return Heard(ignored=1)
        return Heard([_news(event, _blob(event))])
    except Misunderstood:
        return Heard(unread=1)


def _validated(event: _Event) -> Reply:
    """The code of the handshake goes back; the address that comes with it is not asked for anything."""
    code = event.data.get("validationCode")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise Misunderstood("the validation has no code")
    return Reply.of_json({"validationResponse": code})


def _blob(event: _Event) -> Blob:
    account, place = _ACCOUNT.search(event.origin), _BLOB.fullmatch(event.subject)
    if not account or not place:
        raise Misunderstood("the event names no blob")
    etag = event.data.get("eTag")
    tag = etag.strip('"') if isinstance(etag, str) else None
    try:
        return Blob(account=account[1], container=place[1], blob=place[2], etag=tag or None)
    except ValidationError as error:
        raise misfit(error) from None


def _news(event: _Event, blob: Blob) -> News:
    """An event is known by source and id, a blob's content by its ETag: every write makes a new one."""
    keys = [f"id:{event.origin}:{event.id}"]
    if blob.etag:
        keys.append(f"blob:{blob.account}/{blob.container}/{blob.blob}:{blob.etag}")
    return News(sender_id(event.id), keys, blob)
