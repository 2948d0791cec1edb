"""Who listens to Prefect's events, for how long, and what becomes of what is heard."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from prefect.events import Event, Resource
from prefect.logging import disable_run_logger
from prefect.settings import PREFECT_API_URL, temporary_settings

from speech_client import Dataset, KeyCredential, SpeechClient, Which
from tasks import waking
from tasks.waking import JOB_CHANGED, Listener

PATIENCE = 20
"""Seconds until a test that waits for ever fails."""


class Client(SpeechClient):
    """Writes down what it is told to look at."""

    def __init__(self) -> None:
        super().__init__("http://speech.test", KeyCredential("k"))
        self.noticed: list[Which] = []
        self.news = asyncio.Event()

    def notice(self, notification: Which) -> None:
        """Somebody should look there."""
        super().notice(notification)
        self.noticed.append(notification)
        self.news.set()

    async def next_news(self) -> None:
        """Return when it was told something more."""
        async with asyncio.timeout(PATIENCE):
            await self.news.wait()
        self.news.clear()


class Stream:
    """Prefect's events, as a test wants them; None breaks the connection."""

    def __init__(self) -> None:
        self.opened = self.closed = 0
        self.queue = asyncio.Queue[Event | None]()
        self.sticks = False

    def tell(self, payload: dict[str, Any]) -> None:
        """Send an event."""
        resource = Resource({"prefect.resource.id": "speechops.job.x"})
        self.queue.put_nowait(Event(id=uuid4(), event=JOB_CHANGED, resource=resource, payload=payload))

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[Event]]:
        """One connection."""
        self.opened += 1
        try:
            yield self._events()
        finally:
            self.closed += 1
            if self.sticks:
                await asyncio.sleep(PATIENCE)

    async def _events(self) -> AsyncIterator[Event]:
        while event := await self.queue.get():
            yield event
        raise ConnectionResetError


class Naps:
    """Replaces sleep: returns at once, and remembers."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """No nap at all."""
        self.seconds.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def server() -> Iterator[None]:
    """A server is named, though none is there."""
    with temporary_settings({PREFECT_API_URL: "http://prefect.test/api"}), disable_run_logger():
        yield


@pytest.fixture
def stream() -> Stream:
    """What Prefect sends."""
    return Stream()


def dataset(name: str) -> Dataset:
    """One whose import is under way."""
    entity = {"self": f"http://speech.test/speechtotext/datasets/{name}?api-version=2024-11-15", "status": "Running"}
    return Dataset.model_validate({**entity, "displayName": name, "locale": "en-US", "kind": "Language"})


async def test_many_waits_share_one_connection_and_the_last_one_closes_it(stream: Stream) -> None:
    """A flow run with twenty datasets is one listener for Prefect, and none when it goes on."""
    listener, client, leave = Listener(stream.subscribe, quiet_seconds=0), Client(), asyncio.Event()

    async def wait(name: str) -> None:
        async with listener.waking(client, dataset(name)):
            await leave.wait()

    async with listener.waking(client, dataset("first")):
        others = [asyncio.create_task(wait(f"d{number}")) for number in range(20)]
        await client.next_news()
        leave.set()
        await asyncio.gather(*others)
        assert (stream.opened, stream.closed) == (1, 0)
    assert (stream.opened, stream.closed) == (1, 1)
    async with listener.waking(client, dataset("later")):
        client.news.clear()
        await client.next_news()
    assert (stream.opened, stream.closed) == (2, 2)


async def test_an_event_wakes_every_client_that_waits_and_who_left_is_left_alone(stream: Stream) -> None:
    """Two tasks of one process may wait for the same job."""
    one, other, gone = Client(), Client(), Client()
    listener = Listener(stream.subscribe, quiet_seconds=0)
    async with listener.waking(one, dataset("a")), listener.waking(other, dataset("a")):
        async with listener.waking(gone, dataset("a")):
            await gone.next_news()
        stream.tell({"entity": "datasets/a"})
        while one.noticed[-1:] != ["datasets/a"]:
            await one.next_news()

    assert one.noticed == other.noticed == ["a", "datasets/a"]
    assert gone.noticed == ["a"]


async def test_a_short_wait_opens_no_connection(stream: Stream) -> None:
    """Tests and the emulator's quick jobs pay nothing."""
    async with Listener(stream.subscribe).waking(Client(), dataset("a")):
        for _ in range(10):
            await asyncio.sleep(0)

    assert stream.opened == 0


async def test_what_is_no_notification_harms_nobody(stream: Stream) -> None:
    """Whoever may send events to Prefect may send anything."""
    client = Client()
    async with Listener(stream.subscribe, quiet_seconds=0).waking(client, dataset("a")):
        for payload in ({}, {"entity": None}, {"entity": ["a"]}, {"entity": "http://["}, {"entity": "datasets/a"}):
            stream.tell(payload)
        while client.noticed[-1:] != ["datasets/a"]:
            await client.next_news()

    assert stream.opened == 1


async def test_a_lost_connection_is_opened_again_before_prefect_forgets_the_last_minute(stream: Stream) -> None:
    """The server was restarted during a long training."""
    client, naps = Client(), Naps()
    async with Listener(stream.subscribe, sleep=naps).waking(client, dataset("a")):
        for _ in range(3):
            await client.next_news()
            stream.queue.put_nowait(None)
        await client.next_news()
        stream.tell({"entity": "datasets/a"})
        await client.next_news()

    assert client.noticed == ["a", "a", "a", "a", "datasets/a"]
    assert stream.opened == stream.closed == 4
    assert naps.seconds[0] == waking.QUIET_SECONDS
    assert all(0 < seconds < 60 for seconds in naps.seconds[1:])


async def test_no_connection_is_opened_where_no_server_is_named(stream: Stream) -> None:
    """Prefect would start a server for it, which nobody could send an event to."""
    client, naps = Client(), Naps()
    with temporary_settings({PREFECT_API_URL: None}):
        async with Listener(stream.subscribe, sleep=naps).waking(client, dataset("a")):
            await asyncio.sleep(0)

    assert stream.opened == 0
    assert not naps.seconds


async def test_a_wait_that_is_over_does_not_wait_for_a_server_that_says_no_goodbye(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release is not held up by a proxy that keeps silent."""
    monkeypatch.setattr(waking, "_CLOSING_SECONDS", 0.01)
    client, stream.sticks = Client(), True
    async with asyncio.timeout(PATIENCE / 2):
        async with Listener(stream.subscribe, quiet_seconds=0).waking(client, dataset("a")):
            await client.next_news()

    assert stream.closed == 1


async def test_a_wait_that_fails_closes_the_connection_too(stream: Stream) -> None:
    """The job Failed, or the run was cancelled."""
    listener, client = Listener(stream.subscribe, quiet_seconds=0), Client()

    async def fail() -> None:
        async with listener.waking(client, dataset("a")):
            await client.next_news()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert stream.opened == stream.closed == 1
