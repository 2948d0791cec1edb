"""What web hooks are told: events, receivers that misbehave, restarts, and losses on demand."""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emulator.delivery import ATTEMPTS, Message, Postman, Undelivered
from emulator.entities import Dataset, DatasetKind, WebHook
from emulator.notifications import AT_ONCE, MAX_WAITING
from emulator.store import Store
from tests.emulator.receiver import PATIENCE, Receiver, behind, signed
from tests.emulator.service_kit import Caller, id_of, in_process, lines, path_of, recordings, settings_for
from tests.emulator.web_hook_kit import ALL, SECRET, idle, new_dataset, patch, registered

NOW = datetime(2026, 1, 1, tzinfo=UTC)

# Notifications


async def whole_life(speech: Caller) -> None:
    """One entity of each kind, made and deleted; the evaluation makes two transcriptions."""
    test = await speech.dataset("Acoustic", recordings("good morning"))
    model = await speech.model(test)
    evaluation = await speech.evaluation(model, model, test)
    reference = {"model": {"self": model["self"]}}
    endpoint = await speech.final(await speech.post("/endpoints", displayName="e", locale="en-US", **reference))
    for entity in (endpoint, evaluation, model, test):
        assert (await speech.call("DELETE", path_of(entity))).status_code == 204


async def test_one_post_per_event_of_every_noun(speech: Caller, receiver: Receiver) -> None:
    """Creation, processing, completion, deletion; transcriptions of evaluations come finished."""
    await registered(speech, receiver, *ALL)
    await whole_life(speech)
    counters = await idle(speech)

    expected = [name[0].upper() + name[1:] for name in ALL if name != "transcriptionProcessing"]
    twice = [name for name in expected if name.startswith("Transcription")]
    assert sorted(receiver.rest()) == sorted(expected + twice)
    assert counters == {"delivered": len(expected) + 3, "dropped": 0, "failed": 0}


async def test_a_notification_names_the_entity_and_itself(speech: Caller, receiver: Receiver) -> None:
    """`self` as who registered the hook would call it, with the api-version; an invocationId per notification."""
    body = {"displayName": "h", "webUrl": receiver.url, "events": {"datasetCreation": True, "datasetDeletion": True}}
    answer = await speech.call("POST", "/webhooks", json=body, headers={"Host": "creator.test"})
    await speech.final({"self": path_and_query(answer.json())})
    await receiver.next()
    dataset = await new_dataset(speech)
    first = await receiver.next()
    await speech.call("DELETE", path_of(dataset))
    second = await receiver.next()

    assert (first.event, second.event) == ("DatasetCreation", "DatasetDeletion")
    for post in (first, second):
        assert post.headers["Content-Type"] == "application/json"
        assert set(post.json) == {"self", "invocationId"}
        assert post.json["self"] == dataset["self"].replace("speech.test", "creator.test")
        assert post.json["self"].endswith("?api-version=2024-11-15")
    assert first.json["invocationId"] != second.json["invocationId"]


def path_and_query(entity: dict[str, Any]) -> str:
    return str(entity["self"]).replace("http://creator.test", "")


async def test_only_registered_events_are_sent(speech: Caller, receiver: Receiver) -> None:
    """`false` is not registered; events can be changed one by one, and a null removes one."""
    hook = await registered(speech, receiver, "modelCompletion", "datasetDeletion")
    changed = await patch(speech, hook, events={"datasetCreation": True, "modelCompletion": None, "ping": False})
    dataset = await speech.dataset("Language", lines("good morning"))
    await speech.call("DELETE", path_of(dataset))
    await idle(speech)

    assert changed["events"] == {"datasetCreation": True, "datasetDeletion": True, "ping": False}
    assert sorted(receiver.rest()) == ["DatasetCreation", "DatasetDeletion"]


async def test_every_hook_is_told(speech: Caller, receiver: Receiver) -> None:
    """Two hooks, two posts, two invocationIds."""
    for _ in range(2):
        await registered(speech, receiver, "datasetCreation")
    await new_dataset(speech)
    posts = await receiver.take(2)

    assert len({post.json["invocationId"] for post in posts}) == 2


async def test_an_endpoint_update_is_processed_and_completed_again(speech: Caller, receiver: Receiver) -> None:
    """A new model is not a new endpoint."""
    model = await speech.model(await speech.dataset("Language", lines("good morning")))
    endpoint = await speech.final(await speech.post("/endpoints", displayName="e", locale="en-US"))
    await registered(speech, receiver, *ALL)
    changed = await patch(speech, endpoint, model={"self": model["self"]})
    await speech.final(changed)
    await idle(speech)

    assert sorted(receiver.rest()) == ["EndpointCompletion", "EndpointProcessing"]


def save_and_break(store: Store, dataset: Dataset) -> None:
    with store.transaction():
        store.save(dataset)
        store.count("more than SQLite can count", by=2**70)


def test_what_was_not_committed_did_not_happen(tmp_path: Path) -> None:
    """A hook must not be told of an entity that nobody will find."""
    store, told = Store(tmp_path / "db"), []
    store.on_events = told.extend
    times = {"created_date_time": NOW, "last_action_date_time": NOW}
    dataset = Dataset(id="1", display_name="d", locale="en-US", kind=DatasetKind.LANGUAGE, **times)
    with pytest.raises(OverflowError):
        save_and_break(store, dataset)
    assert (told, store.last_event("datasetCreation")) == ([], None)
    with store.transaction():
        store.save(dataset)
        assert told == []
    assert [event.kind for event in told] == ["datasetCreation"]
    store.close()


# Receivers that misbehave


async def test_a_receiver_that_is_down_is_tried_again_and_then_given_up(tmp_path: Path, receiver: Receiver) -> None:
    """The same notification each time; the service goes on meanwhile."""
    async with in_process(settings_for(tmp_path)) as speech:
        await registered(speech, receiver, "datasetCreation")
        receiver.answers += [lambda _: (503, b"")] * ATTEMPTS
        await new_dataset(speech)
        posts = await receiver.take(ATTEMPTS)
        counters = await idle(speech)
        assert counters == {"delivered": 0, "dropped": 0, "failed": 1}
        assert len({post.body for post in posts}) == 1
        receiver.answers.append(lambda _: (429, b""))
        await new_dataset(speech)
        assert await idle(speech) == {"delivered": 1, "dropped": 0, "failed": 1}
        receiver.rest()
        receiver.answers.append(lambda _: (400, b""))
        await new_dataset(speech)
        assert await idle(speech) == {"delivered": 1, "dropped": 0, "failed": 2}
        assert receiver.rest() == ["DatasetCreation"]


def hook_at(url: str) -> WebHook:
    times = {"created_date_time": NOW, "last_action_date_time": NOW}
    return WebHook(id="1", display_name="h", web_url=url, events={}, base="", **times)


async def test_between_the_attempts_the_pauses_double(tmp_path: Path) -> None:
    """1, 2, 4 seconds, then it is given up."""
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    postman = Postman(settings_for(tmp_path, notification_retry_seconds=1), note)
    with pytest.raises(Undelivered, match="cannot be reached"):
        await postman.deliver(Message("ping"), lambda: hook_at("http://127.0.0.1:9/"))
    await postman.close()

    assert pauses == [1, 2, 4]


async def test_a_receiver_that_hangs_delays_neither_answers_nor_jobs(speech: Caller, receiver: Receiver) -> None:
    """Nor other hooks."""
    door, other = threading.Event(), Receiver()
    await registered(speech, receiver, *ALL)
    await registered(speech, other, "datasetCompletion")
    receiver.answers += [behind(door)] * 3
    dataset = await speech.dataset("Language", lines("good morning"))
    assert dataset["status"] == "Succeeded"
    assert (await other.next()).json["self"] == dataset["self"]
    door.set()
    assert await idle(speech) == {"delivered": 4, "dropped": 0, "failed": 0}
    other.close()


async def test_a_receiver_that_hangs_is_given_up(tmp_path: Path, receiver: Receiver) -> None:
    """After the time that it may take, four times."""
    door = threading.Event()
    receiver.answers += [behind(door)] * ATTEMPTS
    postman = Postman(settings_for(tmp_path, notification_seconds=0.05))
    with pytest.raises(Undelivered, match=r"did not answer within 0\.05 seconds"):
        await postman.deliver(Message("ping"), lambda: hook_at(receiver.url))
    await postman.close()
    door.set()


async def test_a_receiver_gets_few_posts_at_once(speech: Caller, receiver: Receiver) -> None:
    """The others wait for their turn, and come."""
    door = threading.Event()
    await registered(speech, receiver, "datasetCreation")
    receiver.answers += [behind(door)] * AT_ONCE
    for _ in range(AT_ONCE + 3):
        await new_dataset(speech)
    await receiver.take(AT_ONCE)
    await speech.dataset("Language", lines("time passes"))
    assert receiver.rest() == []
    door.set()
    assert (await idle(speech))["delivered"] == AT_ONCE + 4


async def test_what_a_receiver_cannot_take_is_dropped(tmp_path: Path, receiver: Receiver, monkeypatch) -> None:
    """The queue of a hook has an end."""
    monkeypatch.setattr("emulator.notifications.MAX_WAITING", 3)
    door = threading.Event()
    assert MAX_WAITING == 1000
    async with in_process(settings_for(tmp_path)) as speech:
        await registered(speech, receiver, "datasetCreation")
        receiver.answers += [behind(door)] * 3
        for _ in range(5):
            await new_dataset(speech)
        door.set()
        assert await idle(speech) == {"delivered": 3, "dropped": 2, "failed": 0}
        await new_dataset(speech)
        assert await idle(speech) == {"delivered": 4, "dropped": 2, "failed": 0}


async def test_a_deleted_hook_is_told_no_more(speech: Caller, receiver: Receiver) -> None:
    """Not even what was on its way."""
    door, hook = threading.Event(), await registered(speech, receiver, "datasetCreation")
    receiver.answers.append(behind(door, 503))
    await new_dataset(speech)
    await receiver.next()
    await speech.call("DELETE", path_of(hook))
    door.set()
    await new_dataset(speech)

    assert await idle(speech) == {"delivered": 0, "dropped": 1, "failed": 0}
    assert receiver.rest() == []


async def test_a_long_answer_is_not_read_to_its_end(tmp_path: Path, receiver: Receiver) -> None:
    """A receiver cannot fill the emulator's memory."""
    async with in_process(settings_for(tmp_path, notification_seconds=60)) as speech:
        await registered(speech, receiver, "datasetCreation")
        receiver.answers.append(lambda _: (200, bytes(32 * 1024**2)))
        await new_dataset(speech)
        assert await idle(speech) == {"delivered": 1, "dropped": 0, "failed": 0}

    assert await asyncio.to_thread(receiver.cut_off.wait, PATIENCE)


async def test_a_redirect_is_not_followed_and_no_cookie_kept(speech: Caller, receiver: Receiver) -> None:
    """A receiver decides neither where the emulator posts nor what it sends."""
    other = Receiver()
    await registered(speech, receiver, "datasetCreation")
    receiver.answers.append(lambda _: (307, other.url.encode()))
    await new_dataset(speech)
    assert await idle(speech) == {"delivered": 0, "dropped": 0, "failed": 1}
    assert other.rest() == []
    other.close()
    assert "Cookie" not in (await receiver.next()).headers


async def test_others_cannot_post_inside_through_the_emulator(tmp_path: Path, receiver: Receiver) -> None:
    """Once the service is not on loopback, a webUrl must be public, as a contentUrl must be."""
    async with in_process(settings_for(tmp_path, host="0.0.0.0")) as speech:  # noqa: S104
        hook = await speech.final(await speech.post("/webhooks", displayName="h", webUrl=receiver.url, events=ALL))

    assert hook["status"] == "Failed"
    assert "not public" in hook["properties"]["error"]["message"]
    assert receiver.rest() == []


# Restarts


async def test_after_a_restart_hooks_are_as_they_were(tmp_path: Path, receiver: Receiver) -> None:
    """An open challenge is asked again, with a new token; what still waited is lost, and nothing breaks."""
    door = threading.Event()
    async with in_process(settings_for(tmp_path)) as speech:
        active = await registered(speech, receiver, "datasetCreation", secret=SECRET)
        receiver.answers += [behind(door, 500)] * 2
        asked = await speech.post("/webhooks", displayName="h", webUrl=receiver.url, events={})
        await new_dataset(speech)
        first, _ = sorted(await receiver.take(2), key=lambda post: post.event)
    door.set()
    async with in_process(settings_for(tmp_path)) as speech:
        second = await receiver.next()
        assert (await speech.final(asked))["status"] == "Succeeded"
        assert (await speech.get(path_of(active)))["status"] == "Succeeded"
        await new_dataset(speech)
        post = await receiver.next()
        await idle(speech)

    assert (first.event, second.event, post.event) == ("Challenge", "Challenge", "DatasetCreation")
    assert first.query["validationToken"] != second.query["validationToken"]
    assert post.signature == signed(SECRET, post.body)
    assert receiver.rest() == []


async def test_a_hook_of_a_removed_version_is_disabled(tmp_path: Path, receiver: Receiver) -> None:
    """`WebHookProperties.apiVersion`: the shape of its notifications is no longer known."""
    async with in_process(settings_for(tmp_path)) as speech:
        hook = await registered(speech, receiver, "datasetCreation")
    store = Store(tmp_path / "emulator.sqlite3")
    stored = store.find(WebHook, id_of(hook))
    assert stored is not None
    store.save(stored.with_properties(apiVersion="2017-01-01"))
    store.close()
    async with in_process(settings_for(tmp_path)) as speech:
        await new_dataset(speech)
        await idle(speech)
        await speech.refused("POST", f"{path_of(hook)}:ping", 409)

    assert receiver.rest() == []


# Losses on demand


async def test_a_fault_loses_notifications(speech: Caller, receiver: Receiver) -> None:
    """The next ones of that event, and only those; a client that only waits for hooks would wait for ever."""
    await registered(speech, receiver, "datasetCreation", "datasetDeletion")
    fault = {"notification": "drop", "event": "datasetCreation", "times": 2}
    assert (await speech.http.post("/_emulator/faults", json=fault)).status_code == 201
    for _ in range(2):
        dataset = await new_dataset(speech)
        await speech.call("DELETE", path_of(dataset))
    await new_dataset(speech)

    assert await idle(speech) == {"delivered": 3, "dropped": 2, "failed": 0}
    assert sorted(receiver.rest()) == ["DatasetCreation", "DatasetDeletion", "DatasetDeletion"]
    assert (await speech.http.get("/_emulator/faults")).json()[0]["fired"] == 2


async def test_a_fault_delivers_twice(speech: Caller, receiver: Receiver) -> None:
    """With one invocationId, by which a client can tell."""
    await registered(speech, receiver, "datasetCreation")
    await speech.http.post("/_emulator/faults", json={"notification": "twice"})
    await new_dataset(speech)
    posts = await receiver.take(2)
    await idle(speech)

    assert len({post.json["invocationId"] for post in posts}) == 1
    assert receiver.rest() == []


async def test_a_fault_of_notifications_that_would_never_strike_is_refused(speech: Caller) -> None:
    """A typo must not make a test pass."""
    for typo in ({"notification": "late"}, {"event": "poem"}, {"event": "challenge"}, {"tims": 1}):
        fault = {"notification": "drop", **typo}
        assert (await speech.http.post("/_emulator/faults", json=fault)).status_code == 400
