"""Web hooks: registering an address, and receiving what is sent there."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from speech_client import (
    Challenge,
    Diarization,
    EventKind,
    NewTranscription,
    NewWebHook,
    Notification,
    NotificationRefused,
    Status,
    WebHook,
    WebHookEvents,
    WebHookUpdate,
)
from speech_client.notifications import LARGEST_BODY, receive, verify

SECRET = "canary-web-hook-secret"
ENTITY = "https://westus.api.cognitive.microsoft.com/speechtotext/models/m1?api-version=2024-11-15"
BODY = json.dumps({"self": ENTITY, "invocationId": "i1"}).encode()


def hook_body(build: Any, status: str = "NotStarted", **more: Any) -> dict[str, Any]:
    """A web hook as Azure writes it: without a locale, and with the secret."""
    return {
        "self": f"{build.api}/webhooks/w1?api-version=2024-11-15",
        "displayName": "hook",
        "properties": {"apiVersion": "2024-11-15", "secret": SECRET},
        "webUrl": "https://contoso.com/call/me/back",
        "events": {"modelCompletion": True},
        "status": status,
        # Microsoft's examples have the two swapped, so they are read but never used
        "links": {"test": f"{build.api}/webhooks/w1:ping", "ping": f"{build.api}/webhooks/w1:test"},
    } | more


def signature(signed: bytes, secret: str = SECRET) -> str:
    """As the specification has it: base64 of HMAC-SHA256 over the payload."""
    return b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def headers(event: str = "ModelCompletion", signed: bytes | None = BODY) -> dict[str, str]:
    proof = {} if signed is None else {"X-MicrosoftSpeechServices-Signature": signature(signed)}
    return {"X-MicrosoftSpeechServices-Event": event} | proof


async def test_a_web_hook_is_registered(service: Any, speech: Any, build: Any) -> None:
    """The secret goes into properties, and comes back as Azure echoes it."""
    service.says("POST", "webhooks", (201, hook_body(build)))
    new = NewWebHook(
        display_name="hook",
        web_url="https://contoso.com/call/me/back",
        events=WebHookEvents(model_completion=True),
        secret=SECRET,
    )
    hook = await speech.web_hooks.create(new)

    assert json.loads(service.requests[0].content) == {
        "displayName": "hook",
        "webUrl": "https://contoso.com/call/me/back",
        "events": {"modelCompletion": True},
        "properties": {"secret": SECRET},
    }
    assert (hook.id, hook.status, hook.properties.secret) == ("w1", Status.NOT_STARTED, SECRET)
    assert hook.to_azure() == hook_body(build)
    assert "canary" not in f"{hook!r} {new!r} {hook.to_record()}"


async def test_a_web_hook_is_usable_when_its_address_has_answered(service: Any, speech: Any, build: Any) -> None:
    """Waiting for it is waiting for the challenge; a refusal tells why."""
    service.says("GET", "webhooks/w1", hook_body(build), hook_body(build, "Succeeded"))
    hook = await speech.wait_until_final(WebHook.model_validate(hook_body(build)))
    assert hook.status == Status.SUCCEEDED
    failed = hook_body(build, "Failed", properties={"error": {"code": "InvalidCallbackUri", "message": "No echo"}})
    assert WebHook.model_validate(failed).error.code == "InvalidCallbackUri"


async def test_web_hooks_are_listed_read_and_deleted(service: Any, speech: Any, build: Any) -> None:
    """Like any noun."""
    service.says("GET", "webhooks", {"values": [hook_body(build)]})
    service.says("GET", "webhooks/w1", hook_body(build))
    service.says("DELETE", "webhooks/w1", 204)
    [hook] = [hook async for hook in speech.web_hooks.list()]
    assert hook == await speech.web_hooks.get("w1")
    await speech.web_hooks.delete(hook)
    assert [request.method for request in service.requests] == ["GET", "GET", "DELETE"]


async def test_a_ping_is_only_ordered(service: Any, speech: Any) -> None:
    """202 says that the service tries; nothing more can be said."""
    service.says("POST", "webhooks/w1:ping", 202)
    assert await speech.web_hooks.ping("w1") is None
    assert service.requests[0].content == b""


async def test_a_test_tells_whether_anything_is_sent(service: Any, speech: Any) -> None:
    """202 when there is an entity to tell of, 204 when there is none."""
    service.says("POST", "webhooks/w1:test", 202, 204)
    assert [await speech.web_hooks.test("w1"), await speech.web_hooks.test("w1")] == [True, False]


async def test_an_update_must_say_what_becomes_of_the_secret(service: Any, speech: Any, build: Any) -> None:
    """Azure ends the signing when an update does not repeat the secret, so it cannot be forgotten."""
    service.says("PATCH", "webhooks/w1", hook_body(build))
    with pytest.raises(ValidationError, match="secret"):
        WebHookUpdate(display_name="other")
    await speech.web_hooks.update("w1", WebHookUpdate(display_name="other", secret=SECRET))
    await speech.web_hooks.update("w1", WebHookUpdate(events=WebHookEvents(ping=True), secret=""))
    assert [json.loads(request.content) for request in service.requests] == [
        {"displayName": "other", "properties": {"secret": SECRET}},
        {"events": {"ping": True}, "properties": {"secret": ""}},
    ]


def test_a_misspelt_event_is_not_ordered() -> None:
    """Azure ignores it, and the web hook would stay silent for ever; the same for switches of a transcription."""
    misspelt = WebHookEvents(model_completed=True)
    with pytest.raises(ValidationError, match=r"events cannot have model_completed.*model_completion"):
        NewWebHook(display_name="hook", web_url="https://h", events=misspelt)
    with pytest.raises(ValidationError, match="model_completed"):
        WebHookUpdate(secret="", events=misspelt)
    with pytest.raises(ValidationError, match="maxspeakers"):
        NewTranscription(
            display_name="n", locale="en-US", content_urls=("https://h",), diarization=Diarization(maxspeakers=2)
        )


def test_a_notification_tells_what_happened_to_which_entity() -> None:
    """And which delivery it is, so that a repeated one can be dropped."""
    told = receive(headers(), {}, BODY, SECRET)
    assert told == Notification(self_url=ENTITY, invocation_id="i1", event=EventKind.MODEL_COMPLETION)
    assert told.id == "m1"


@pytest.mark.parametrize("name", ["modelcompletion", "ModelCompletion", "modelCompletion", "MODELCOMPLETION"])
def test_events_and_headers_are_read_in_any_case(name: str) -> None:
    """The specification writes `ping`, Microsoft's receiver `TranscriptionCompletion`."""
    lower = {key.lower(): value for key, value in headers(name).items()}
    assert receive(lower, {}, BODY, SECRET).event is EventKind.MODEL_COMPLETION


def test_an_event_of_tomorrow_is_a_notification_too() -> None:
    """The entity can be looked at, whatever happened to it."""
    assert receive(headers("ModelRetirement"), {}, BODY, SECRET).event == "ModelRetirement"


def test_a_ping_tells_the_web_hook_itself(build: Any) -> None:
    """Its body is that of a GET, without an invocation; the secret in it is not shown."""
    body = json.dumps(hook_body(build)).encode()
    told = receive(headers("ping", body), {}, body, SECRET)
    assert (told.event, told.id, told.invocation_id) == (EventKind.PING, "w1", None)
    assert "canary" not in repr(told)


@pytest.mark.parametrize(
    "proof",
    [
        None,
        "",
        "garbage",
        signature(BODY, "another secret"),
        signature(BODY + b" "),
        signature(BODY).lower(),
        f" {signature(BODY)}",
        "\udcff\ud800\u20ac",
    ],
)
def test_unsigned_and_forged_notifications_are_refused(proof: str | None) -> None:
    """Also when the header is missing, or is no text of ours at all."""
    forged = headers(signed=None) | ({} if proof is None else {"X-MicrosoftSpeechServices-Signature": proof})
    with pytest.raises(NotificationRefused, match=r"signature|not signed") as caught:
        receive(forged, {}, BODY, SECRET)
    assert SECRET not in str(caught.value)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_a_signature_fits_one_body_only(body: bytes, other: bytes) -> None:
    """Byte for byte."""
    verify(SECRET, body, signature(body))
    if body != other:
        with pytest.raises(NotificationRefused):
            verify(SECRET, other, signature(body))


def test_without_a_secret_nothing_is_signed() -> None:
    """Azure sends no signature then, so none can be asked for."""
    assert receive(headers(signed=None), {}, BODY, None).id == "m1"
    assert receive(headers(signed=None), {}, BODY, "").id == "m1"


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("ModelCompletion", b""),
        ("ModelCompletion", b"{"),
        ("ModelCompletion", b"[]"),
        ("ModelCompletion", b"null"),
        ("ModelCompletion", b"\xff\xfe"),
        ("ModelCompletion", b'{"self": 7}'),
        ("ModelCompletion", b'{"invocationId": "i"}'),
        ("ModelCompletion", b"[" * 5000),
        ("", BODY),
        ("ModelCompletion", b" " * (LARGEST_BODY + 1)),
    ],
)
def test_what_is_no_notification_is_refused(event: str, body: bytes) -> None:
    """Signed or not; never a traceback."""
    with pytest.raises(NotificationRefused):
        receive(headers(event, body), {}, body, SECRET)


def test_a_challenge_is_answered_with_its_token() -> None:
    """As harmless plain text; not the body but the token is signed."""
    asked = receive(headers("challenge", b"Tok_en-1"), {"validationToken": "Tok_en-1"}, b"", SECRET)
    assert asked == Challenge("Tok_en-1")
    assert (Challenge.MEDIA_TYPE, Challenge.HEADERS) == ("text/plain", {"X-Content-Type-Options": "nosniff"})


def test_a_challenge_that_is_not_signed_is_refused() -> None:
    """Or is signed like an event; otherwise anyone could register our address."""
    for signed in (None, b"", b"another"):
        with pytest.raises(NotificationRefused):
            receive(headers("Challenge", signed), {"validationToken": "token"}, b"", SECRET)


@given(st.text(max_size=210))
def test_no_challenge_brings_markup_back(token: str) -> None:
    """What is reflected is letters, digits, _ and -, and not much of it."""
    try:
        answer = receive(headers("challenge", None), {"validationToken": token}, b"", None).answer
    except NotificationRefused:
        return
    assert answer == token
    assert len(token) <= 200
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


@pytest.mark.parametrize("token", ["", "<script>", "a b", "a\n", "é", "a" * 201])
def test_strange_tokens_are_not_reflected(token: str) -> None:
    """Anyone can call the address."""
    with pytest.raises(NotificationRefused):
        receive(headers("challenge", token.encode()), {"validationToken": token}, b"", SECRET)
