"""Web hooks: the challenge that makes one active, its signature, ping and test, and the hook as an entity."""

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from emulator.delivery import Postman
from tests.emulator.receiver import Receiver, behind, echo, signed
from tests.emulator.service_kit import Caller, in_process, path_of, settings_for
from tests.emulator.web_hook_kit import ALL, SECRET, idle, new_dataset, patch, registered

GOOD = {"displayName": "h", "webUrl": "http://127.0.0.1:9/", "events": {"ping": True}}

# The challenge


async def test_a_hook_is_challenged_and_active_once_the_token_comes_back(tmp_path: Path, receiver: Receiver) -> None:
    """NotStarted with Retry-After until then; the token is beside what the address already has."""
    door = threading.Event()
    receiver.answers.append(behind(door))
    async with in_process(settings_for(tmp_path, retry_after=7)) as speech:
        created = await speech.post("/webhooks", displayName="h", webUrl=receiver.url, events={"ping": True})
        challenge = await receiver.next()
        waiting = await speech.call("GET", path_of(created))
        door.set()
        hook = await speech.final(created)

    assert (challenge.event, challenge.path, challenge.query["code"]) == ("Challenge", "/hook", "its-own")
    assert len(challenge.query["validationToken"]) >= 20
    assert (waiting.json()["status"], waiting.headers["Retry-After"]) == ("NotStarted", "7")
    assert hook["status"] == "Succeeded"
    assert hook["properties"] == {"apiVersion": "2024-11-15"}
    assert {name: path_of({"self": link}) for name, link in hook["links"].items()} == {
        "test": f"{path_of(hook)}:test",
        "ping": f"{path_of(hook)}:ping",
    }


async def test_the_challenge_wants_200_and_the_token(speech: Caller, receiver: Receiver) -> None:
    """Nothing else will do, not even a page that happens to show it."""
    wrong = [(200, b"no token"), (200, b""), (404, b""), (204, b""), (307, b"http://127.0.0.1:9")]
    receiver.answers += [lambda _, answer=answer: answer for answer in wrong]
    receiver.answers.append(lambda post: (202, post.query["validationToken"].encode()))
    receiver.answers.append(lambda post: (200, b'"' + post.query["validationToken"].encode() + b'"'))
    for _ in range(len(receiver.answers)):
        hook = await speech.post("/webhooks", displayName="h", webUrl=receiver.url, events={})
        assert (await speech.final(hook))["status"] == "Failed"
    assert receiver.answers == []


async def test_a_failed_challenge_fails_the_hook(speech: Caller, receiver: Receiver) -> None:
    """It says why; it is told of nothing, and can be neither pinged nor tested. The address again, and it is asked again."""
    receiver.answers.append(lambda _: (404, b""))
    hook = await speech.final(await speech.post("/webhooks", displayName="h", webUrl=receiver.url, events=ALL))
    await new_dataset(speech)
    await idle(speech)

    assert hook["status"] == "Failed"
    assert hook["properties"]["error"]["code"] == "InvalidCallbackUri"
    assert "its-own" not in hook["properties"]["error"]["message"]
    for action in ("ping", "test"):
        error = await speech.refused("POST", f"{path_of(hook)}:{action}", 409)
        assert error["innerError"]["code"] == "InvalidPrerequisite"
    assert receiver.rest() == ["Challenge"]
    again = await speech.final(await patch(speech, hook, webUrl=receiver.url))
    assert again["status"] == "Succeeded"
    assert "error" not in again["properties"]


async def test_until_the_challenge_is_answered_no_event_is_sent(speech: Caller, receiver: Receiver) -> None:
    """Not even later: what happened before is gone."""
    door = threading.Event()
    receiver.answers.append(behind(door))
    hook = await speech.post("/webhooks", displayName="h", webUrl=receiver.url, events={"datasetCreation": True})
    await receiver.next()
    await new_dataset(speech)
    door.set()
    await speech.final(hook)
    told = await new_dataset(speech)
    post = await receiver.next()
    await idle(speech)

    assert post.json["self"] == told["self"]
    assert receiver.rest() == []


async def test_another_address_is_challenged_first(speech: Caller, receiver: Receiver) -> None:
    """Until it has passed, neither address is told of anything; an unchanged one is not asked again."""
    hook = await registered(speech, receiver, "datasetCreation")
    assert (await patch(speech, hook, webUrl=receiver.url, displayName="new"))["status"] == "Succeeded"
    door = threading.Event()
    receiver.answers.append(behind(door))
    changed = await patch(speech, hook, webUrl=receiver.url.replace("/hook", "/moved"))
    challenge = await receiver.next()
    await new_dataset(speech)
    door.set()
    final = await speech.final(changed)
    await new_dataset(speech)
    post = await receiver.next()
    await idle(speech)

    assert (changed["status"], final["status"]) == ("NotStarted", "Succeeded")
    assert (challenge.event, challenge.path) == ("Challenge", "/moved")
    assert (post.event, post.path) == ("DatasetCreation", "/moved")
    assert receiver.rest() == []


async def test_only_the_last_address_can_activate_a_hook(speech: Caller, receiver: Receiver) -> None:
    """An answer to an earlier challenge comes too late."""
    door = threading.Event()
    receiver.answers.append(behind(door))
    receiver.answers.append(lambda _: (404, b""))
    hook = await speech.post("/webhooks", displayName="h", webUrl=receiver.url, events={})
    await receiver.next()
    final = await speech.final(await patch(speech, hook, webUrl=receiver.url + "&second"))
    door.set()
    await idle(speech)

    assert final["status"] == "Failed"
    assert (await speech.get(path_of(hook)))["status"] == "Failed"


async def test_a_bug_in_a_challenge_is_seen(speech: Caller, monkeypatch) -> None:
    """The hook does not stay NotStarted for ever."""
    monkeypatch.setattr(Postman, "deliver", None)
    hook = await speech.final(await speech.post("/webhooks", **GOOD))

    assert hook["properties"]["error"]["message"] == "The challenge broke off: unexpected TypeError."


async def test_an_address_that_no_system_has_fails_its_challenge(speech: Caller) -> None:
    """It must not stay NotStarted for ever."""
    for host in ("a..b", "a" * 64 + ".test"):
        hook = await speech.post("/webhooks", displayName="h", webUrl=f"http://{host}/", events={})
        assert (await speech.final(hook))["status"] == "Failed"


# The signature


async def test_a_secret_signs_every_post(speech: Caller, receiver: Receiver) -> None:
    """HMAC-SHA256 of the raw body in Base64; of the challenge it covers the token instead."""
    body = {"displayName": "h", "webUrl": receiver.url, "events": {"datasetCreation": True}}
    hook = await speech.final(await speech.post("/webhooks", **body, properties={"secret": SECRET}))
    await new_dataset(speech)
    await speech.call("POST", f"{path_of(hook)}:ping")
    challenge, *others = await receiver.take(3)

    assert challenge.signature == signed(SECRET, challenge.query["validationToken"].encode())
    for post in others:
        assert post.signature == signed(SECRET, post.body)


async def test_without_a_secret_nothing_is_signed(speech: Caller, receiver: Receiver) -> None:
    """Nor with an empty one: there is no header then."""
    for secret in (None, ""):
        await registered(speech, receiver, "datasetCreation", secret=secret)
    await new_dataset(speech)

    assert [post.signature for post in await receiver.take(2)] == [None, None]


async def test_an_update_without_the_secret_ends_signing(speech: Caller, receiver: Receiver) -> None:
    """`WebHooks_Update`: omitted or empty, "future callbacks won't contain X-MicrosoftSpeechServices-Signature"."""
    hook = await registered(speech, receiver, "datasetCreation", secret="old")
    for change in ({"displayName": "x"}, {"properties": {}}, {"properties": {"secret": ""}}):
        await patch(speech, hook, properties={"secret": SECRET})
        await new_dataset(speech)
        post = await receiver.next()
        assert post.signature == signed(SECRET, post.body)
        await patch(speech, hook, **change)
        await new_dataset(speech)
        assert (await receiver.next()).signature is None


async def test_the_secret_is_in_no_answer_no_notification_and_no_log(
    speech: Caller, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is the address in the log: it may hold a key of its own."""
    caplog.set_level(logging.DEBUG, "emulator")
    receiver.answers += [echo, lambda _: (400, b"")]
    hook = await registered(speech, receiver, "datasetCreation", secret=SECRET)
    await new_dataset(speech)
    await speech.call("POST", f"{path_of(hook)}:ping")
    posts = await receiver.take(2)
    await idle(speech)
    answers = [await speech.call("GET", path) for path in (path_of(hook), "/webhooks")]
    answers += [await speech.http.get("/_emulator/state"), await speech.http.get("/")]
    answers.append(await speech.call("PATCH", path_of(hook), json={"properties": {"secret": SECRET}}))

    seen = [answer.text for answer in answers] + [post.body.decode() + str(post.headers) for post in posts]
    assert all(SECRET not in text for text in seen)
    assert SECRET not in caplog.text
    assert "its-own" not in caplog.text
    assert "given up: it answers 400" in caplog.text


# Ping and test


async def test_a_ping_carries_the_hook_as_get_shows_it(speech: Caller, receiver: Receiver) -> None:
    """Registered for or not; 202, for it is only on its way."""
    hook = await registered(speech, receiver, "modelCreation")
    answer = await speech.call("POST", f"{path_of(hook)}:ping")
    post = await receiver.next()

    assert (answer.status_code, answer.content) == (202, b"")
    assert post.event == "Ping"
    assert post.json == await speech.get(path_of(hook))


async def test_a_test_sends_the_last_entity_of_each_registered_event(speech: Caller, receiver: Receiver) -> None:
    """Also of what happened before the hook was there; deleted entities only as deleted."""
    gone, kept = await new_dataset(speech), await new_dataset(speech)
    newest = await new_dataset(speech)
    for entity in (gone, newest):
        await speech.call("DELETE", path_of(entity))
    hook = await registered(speech, receiver, "datasetCreation", "datasetDeletion", "modelCompletion", "ping")
    answer = await speech.call("POST", f"{path_of(hook)}:test")
    posts = await receiver.take(2)
    await idle(speech)

    assert (answer.status_code, answer.content) == (202, b"")
    assert {post.event: post.json["self"] for post in posts} == {
        "DatasetCreation": kept["self"],
        "DatasetDeletion": newest["self"],
    }
    assert receiver.rest() == []


async def test_a_test_without_any_entity_is_204(speech: Caller, receiver: Receiver) -> None:
    """And sends nothing."""
    await new_dataset(speech)
    hook = await registered(speech, receiver, "modelCreation", "ping", "challenge")
    answer = await speech.call("POST", f"{path_of(hook)}:test")
    await idle(speech)

    assert (answer.status_code, answer.content) == (204, b"")
    assert receiver.rest() == []


# As an entity


async def test_hooks_are_listed_filtered_and_deleted(speech: Caller, receiver: Receiver) -> None:
    """By webUrl too, but not by locale, for they have none."""
    hook = await registered(speech, receiver, "ping")
    filters = {f"webUrl eq '{receiver.url}'": 1, "webUrl eq 'x' or status eq 'Failed'": 0}
    for text, count in filters.items():
        assert len((await speech.get("/webhooks", filter=text))["values"]) == count
    error = await speech.refused("GET", "/webhooks", 400, query={"filter": "locale eq 'en-US'"})
    assert error["innerError"]["code"] == "UnsupportedFilter"
    assert "locale" not in hook
    assert (await speech.call("DELETE", path_of(hook))).status_code == 204
    for method in ("GET", "DELETE", "PATCH"):
        assert (await speech.refused(method, path_of(hook), 404, json={}))["code"] == "NotFound"
    for action in ("ping", "test"):
        await speech.refused("POST", f"{path_of(hook)}:{action}", 404)


REFUSED: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"webUrl": "ftp://contoso.com"}, "InvalidCallbackUri", "webUrl"),
    ({"webUrl": "/call/me/back"}, "InvalidCallbackUri", "webUrl"),
    ({"webUrl": "http://"}, "InvalidCallbackUri", "webUrl"),
    ({"webUrl": "http://contoso.com:0/"}, "InvalidCallbackUri", "webUrl"),
    ({"webUrl": "http://contoso.com:99999/"}, "InvalidCallbackUri", "webUrl"),
    ({"webUrl": f"http://contoso.com/{'x' * 2048}"}, "InvalidCallbackUri", "webUrl"),
    ({"webUrl": "http://contoso.com/\x00"}, "InvalidCallbackUri", "webUrl"),
    ({"webUrl": "http://\ud800/"}, None, None),
    ({"events": {"poemCompletion": True}}, "InvalidWebHookEventKind", "events"),
    ({"events": {"DatasetCreation": True}}, "InvalidWebHookEventKind", "events"),
    ({"events": {"\ud800": True}}, None, None),
    ({"events": {"ping": "yes"}}, "InvalidPayload", "events.ping"),
    ({"displayName": ""}, "InvalidPayload", "displayName"),
    ({"displayName": "\ud800"}, None, None),
    ({"properties": {"secret": 1}}, "InvalidPayload", "properties.secret"),
    ({"properties": {"secret": "\ud800"}}, None, None),
]


async def test_what_cannot_be_a_hook_is_refused(speech: Caller, receiver: Receiver) -> None:
    """In Azure's error shape, on create as on update; nothing is kept or sent."""
    hook, headers = await registered(speech, receiver, "ping"), {"Content-Type": "application/json"}
    for change, code, target in REFUSED:
        for method, path, body in (("POST", "/webhooks", {**GOOD, **change}), ("PATCH", path_of(hook), change)):
            error = await speech.refused(method, path, 400, content=json.dumps(body), headers=headers)
            if code is not None:
                assert (error["innerError"]["code"], error["target"]) == (code, target)

    assert (await speech.get("/webhooks"))["values"] == [hook]
    assert receiver.rest() == []


async def test_a_hook_needs_a_name_an_address_and_events(speech: Caller) -> None:
    """The required properties of `WebHook`."""
    for missing in GOOD:
        body = {name: value for name, value in GOOD.items() if name != missing}
        assert (await speech.refused("POST", "/webhooks", 400, json=body))["target"] == missing
