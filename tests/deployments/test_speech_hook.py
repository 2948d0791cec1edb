"""`speechops speech-hook` against a real Speech emulator; the receiver's end is a real one, too."""

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvicorn

from deployments.receiver.app import create_app
from deployments.receiver.deliveries import Job
from deployments.receiver.outbox import Outbox
from deployments.receiver.settings import ReceiverSettings
from deployments.speech_hook import register, register_receiver
from domain.mistakes import Mistake
from speech_client import KeyCredential, NewWebHook, SpeechClient, WebHook, WebHookEvents
from tests.deployments.receiver.hook_kit import FORGED, OLD_SECRET, SECRET
from tests.emulator.receiver import Receiver, signed
from tests.emulator.service_kit import KEY, Caller, free_port, lines, served, settings_for


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    """The Speech service."""
    async with served(settings_for(tmp_path / "emulator")) as caller:
        yield caller


@pytest.fixture
async def speech(caller: Caller) -> AsyncIterator[SpeechClient]:
    """A client of it."""
    async with SpeechClient(str(caller.http.base_url), KeyCredential(KEY)) as client:
        yield client


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """Where the receiver keeps what it was sent."""
    outbox = Outbox(tmp_path / "outbox.sqlite3")
    yield outbox
    outbox.close()


@pytest.fixture
def url(tmp_path: Path, outbox: Outbox) -> Iterator[str]:
    """The address of a receiver that knows both secrets."""
    app = create_app(ReceiverSettings(data=tmp_path, speech_secret=f"{SECRET},{OLD_SECRET}"), outbox)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}/hooks/speech"
    server.should_exit = True
    thread.join()


async def hooks(speech: SpeechClient) -> list[WebHook]:
    """All that are registered."""
    return [hook async for hook in speech.web_hooks.list()]


async def test_the_receiver_is_registered_and_stores_a_finished_job(
    speech: SpeechClient, caller: Caller, url: str, outbox: Outbox
) -> None:
    """Challenge, signature and all; of the steps before, nothing is sent."""
    done = await register(speech, url, SECRET)
    dataset = await caller.dataset("Language", lines("good morning"))
    while not (pending := outbox.pending()):
        await caller.state()

    assert done.created
    assert done.confirmed
    entity = f"datasets/{dataset['self'].rpartition('/')[2].partition('?')[0]}"
    assert [one.subject for one in pending] == [Job(entity=entity, event="DatasetCompletion")]


async def test_registering_again_makes_no_second_web_hook(speech: SpeechClient, url: str) -> None:
    """Nobody is told twice, however the host is written."""
    first = await register(speech, url, SECRET)
    again = await register(speech, url.replace("http", "HTTP"), SECRET)

    assert (again.id, again.created, again.confirmed, again.others) == (first.id, False, True, ())
    assert len(await hooks(speech)) == 1


async def test_a_changed_secret_signs_from_then_on(speech: SpeechClient, caller: Caller) -> None:
    """Rotation: the new secret comes first in the environment, the command is run again."""
    receiver = Receiver()
    try:
        await register(speech, receiver.url, OLD_SECRET)
        await register(speech, receiver.url, SECRET)
        await caller.dataset("Language", lines("good morning"))
        challenge, told = await receiver.next(), await receiver.next()
    finally:
        receiver.close()

    assert challenge.event == "Challenge"
    assert told.signature == signed(SECRET, told.body)


async def test_what_others_have_registered_stays_as_it_is(speech: SpeechClient, url: str) -> None:
    """Events that somebody added to ours, and web hooks to other addresses."""
    theirs = NewWebHook(display_name="theirs", web_url=f"{url}?x=1", events=WebHookEvents(ping=True), secret=SECRET)
    ours = NewWebHook(display_name="n", web_url=url, events=WebHookEvents(transcription_completion=True), secret=SECRET)
    other, known = await speech.web_hooks.create(theirs), await speech.web_hooks.create(ours)
    done = await register(speech, url, SECRET)

    found = {hook.id: hook for hook in await hooks(speech)}
    assert found.keys() == {other.id, known.id}
    assert done.id == known.id
    assert found[known.id].display_name == "n"
    assert found[known.id].events.transcription_completion
    assert found[known.id].events.model_completion
    assert not found[other.id].events.model_completion


async def test_a_second_web_hook_of_the_address_is_named(speech: SpeechClient, url: str) -> None:
    """We do not delete what somebody has made."""
    new = NewWebHook(display_name="n", web_url=url, events=WebHookEvents(ping=True), secret=SECRET)
    first, second = await speech.web_hooks.create(new), await speech.web_hooks.create(new)
    done = await register(speech, url, SECRET)

    assert {done.id, *done.others} == {first.id, second.id}
    assert done.others[0] in done.told


async def test_a_receiver_that_does_not_know_the_secret_is_a_mistake_and_the_next_try_mends_it(
    speech: SpeechClient, url: str
) -> None:
    """The message says what to look at, and not what the secret is."""
    with pytest.raises(Mistake, match="did not answer its challenge") as raised:
        await register(speech, url, FORGED)
    done = await register(speech, url, SECRET)

    assert FORGED not in str(raised.value)
    assert (done.created, done.confirmed) == (False, True)


async def test_a_service_that_wants_to_be_asked_in_an_hour_is_not_waited_for(tmp_path: Path, url: str) -> None:
    """The command says that the receiver has not answered yet, and ends."""
    async with (
        served(settings_for(tmp_path / "slow", retry_after=3600)) as caller,
        SpeechClient(str(caller.http.base_url), KeyCredential(KEY)) as speech,
    ):
        done = await register(speech, url, SECRET)

    assert done.created
    assert done.confirmed or "not answered its challenge yet" in done.told


async def test_without_a_secret_nothing_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not signed would be refused by the receiver."""
    monkeypatch.delenv("SPEECHOPS_SPEECH_SECRET", raising=False)
    with pytest.raises(Mistake, match="SPEECHOPS_SPEECH_SECRET is not set"):
        await register_receiver("speechops", "https://h/hooks/speech")


@pytest.mark.parametrize(
    "url", ["", "hooks.example.org", "ftp://h/x", "https://", "https://user:canary@h/x", "http://h:x/"]
)
async def test_what_is_no_address_is_not_registered(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what it looks like, and does not repeat what may hold a password."""
    monkeypatch.setenv("SPEECHOPS_SPEECH_SECRET", SECRET)
    with pytest.raises(Mistake, match="--url is no address") as raised:
        await register_receiver("speechops", url)

    assert "canary" not in str(raised.value)
