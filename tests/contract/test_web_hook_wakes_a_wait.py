"""From the emulator's notification over real HTTP to the end of a wait that would have looked again an hour later."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from speech_client import Dataset, KeyCredential, NewDataset, NewWebHook, SpeechClient, Status, WebHookEvents
from speech_client.notifications import Challenge, NotificationRefused, receive
from tests.emulator.receiver import PATIENCE, Post, Receiver
from tests.emulator.service_kit import KEY, lines, served, settings_for

SECRET = "canary-of-a-secret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where the web hook goes."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
async def speech(tmp_path: Path) -> AsyncIterator[SpeechClient]:
    """A client of a service that wants to be asked once an hour."""
    settings = settings_for(tmp_path, retry_after=3600)
    async with served(settings) as caller, SpeechClient(str(caller.http.base_url), KeyCredential(KEY)) as client:
        yield client


async def test_a_web_hook_ends_a_wait_at_once(speech: SpeechClient, receiver: Receiver, tmp_path: Path) -> None:
    """Verified with the secret, then the entity is looked at: it has succeeded."""
    events = WebHookEvents(dataset_completion=True)
    hook = NewWebHook(display_name="h", web_url=receiver.url, events=events, secret=SECRET)
    created = await speech.web_hooks.create(hook)
    assert isinstance(understood(await receiver.next()), Challenge)
    while not (await speech.web_hooks.get(created)).is_final:  # noqa: ASYNC110  # a wait would be hourly, too
        await asyncio.sleep(0.01)
    dataset = await speech.datasets.create(NewDataset(display_name="d", locale="en-US", kind="Language"))
    seen = asyncio.Event()
    wait = asyncio.create_task(speech.wait_until_final(dataset, on_poll=lambda _: seen.set()))
    await seen.wait()
    assert not wait.done()
    path = tmp_path / "text.txt"
    path.write_bytes(lines("good morning"))
    await speech.datasets.upload(dataset, path)

    post = await receiver.next()
    with pytest.raises(NotificationRefused):
        receive(post.headers, post.query, post.body + b" ", SECRET)
    speech.notice(understood(post))
    async with asyncio.timeout(PATIENCE):
        finished: Dataset = await wait
    assert finished.status == Status.SUCCEEDED


def understood(post: Post) -> object:
    """What a receiver makes of a post."""
    return receive(post.headers, post.query, post.body, SECRET)
