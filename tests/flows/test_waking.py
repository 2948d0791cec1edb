"""Waits of tasks that would look again in an hour, against a real Prefect server and a real emulator."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import uvicorn
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.events.clients import EVENT_WEBSOCKET_CONNECTIONS, EVENTS_OBSERVED
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.receiver.app import create_app
from deployments.receiver.deliveries import Delivery, Job, Source
from deployments.receiver.dispatcher import Dispatcher
from deployments.receiver.errands import Errand
from deployments.receiver.prefect_server import PrefectServer
from deployments.receiver.serving import opened_outbox
from deployments.receiver.settings import ReceiverSettings
from deployments.speech_hook import register_receiver
from domain.track import Track
from speech_client import Dataset, Status
from tasks import waking
from tasks.blocks import load_speech
from tasks.data_source import DataSource
from tasks.datasets import await_datasets
from tasks.entities import Remote
from tasks.waking import Listener
from tests.deployments.receiver.hook_kit import SECRET
from tests.emulator.service_kit import free_port, lines, served, settings_for
from tests.flows.conftest import World

PATIENCE = 60
"""Seconds until a test that waits for ever fails."""


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[World]:
    """A service that wants to be asked once an hour."""
    async with served(settings_for(tmp_path / "emulator", retry_after=3600)) as speech:
        world = World(tmp_path, speech)
        await world.save_blocks()
        yield world


@pytest.fixture
async def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The receiver as `speechops receiver` runs it; its address."""
    monkeypatch.setenv("SPEECHOPS_SPEECH_SECRET", SECRET)
    settings, port = ReceiverSettings.read(data=tmp_path / "receiver"), free_port()
    with closing(opened_outbox(settings.data)) as outbox:
        async with get_client() as client:
            dispatcher = Dispatcher(outbox, PrefectServer(client), no_sources)
            config = uvicorn.Config(create_app(settings, outbox, dispatcher), port=port, log_config=None)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{port}"
            server.should_exit = True
            await serving


async def no_sources() -> list[DataSource]:
    """Web hooks of the Speech service need none."""
    return []


async def test_a_web_hook_ends_waits_that_would_look_again_in_an_hour(
    slow: World, receiver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the Speech service to the receiver, to Prefect, to two runs, which share one connection and close it."""
    monkeypatch.setattr(waking, "QUIET_SECONDS", 0)
    connections = opened()
    await register_receiver("speechops", f"{receiver}/hooks/speech")
    await slow.fault(kind="slow", seconds=0.001, path="/speechtotext/datasets/", method="GET", times=1000)
    one, two = await new_dataset(slow, "one"), await new_dataset(slow, "two")
    async with asyncio.timeout(PATIENCE):
        waits = [asyncio.create_task(waits_for(one))]
        await until_asked(slow, 3)  # it is read, looked at, and looked at when we listen
        await until_heard()
        waits.append(asyncio.create_task(waits_for(two)))
        await until_asked(slow, 5)  # it is read, and looked at
        for dataset in (one, two):
            await slow.speech.upload({"self": f"http://h/speechtotext/{dataset.path}"}, lines("good morning"))
        await asyncio.gather(*waits)

    assert opened() == connections + 1
    assert not [task for task in asyncio.all_tasks() if "listens" in task.get_name()]


async def test_without_prefects_events_a_wait_ends_by_looking(world: World, logged: Callable[[], str]) -> None:
    """The server knows no web sockets: that is said once, and nothing else is different."""
    dataset = await new_dataset(world, "one")
    tried, tries = asyncio.Event(), 0

    async def sleep(seconds: float) -> None:
        nonlocal tries
        tries += 1
        if tries > 3:
            tried.set()
            await asyncio.Event().wait()

    @flow
    async def waits() -> Dataset:
        async with (await load_speech("speechops")).client() as client:
            entity = await client.datasets.get(dataset.path)
            with temporary_settings({PREFECT_API_URL: str(world.speech.http.base_url)}):
                async with Listener(sleep=sleep).waking(client, entity):
                    await tried.wait()
                    await world.speech.upload({"self": entity.self_url}, lines("good morning"))
                    return await client.wait_until_final(entity, patience=timedelta(minutes=1))

    async with asyncio.timeout(PATIENCE):
        assert (await waits()).status == Status.SUCCEEDED

    assert logged().count("Prefect's events cannot be followed") == 1


@flow
async def waits_for(dataset: Remote) -> None:
    """Only waits."""
    await await_datasets("speechops", Track(name="places", locale="en-US"), [dataset])


async def new_dataset(world: World, name: str) -> Remote:
    """A dataset whose bytes are not there yet."""
    dataset = await world.speech.post("/datasets", displayName=name, locale="en-US", kind="Language")
    return Remote(path=f"datasets/{dataset['self'].rpartition('/')[2].partition('?')[0]}", name=name)


async def until_asked(world: World, times: int) -> None:
    """Return when the service was asked for datasets so often."""
    while (await world.speech.http.get("/_emulator/faults")).json()[0]["fired"] < times:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def until_heard() -> None:
    """Return when this process hears what the receiver tells Prefect of jobs; here it is one that nobody waits for."""
    subject, heard = Job(entity="models/nobody-s", event="ModelCompletion"), observed()
    async with get_client() as client:
        while observed() == heard:
            told = Delivery(
                id=str(uuid4()),
                sender_id="",
                source=Source.SPEECH,
                received_at=datetime.now(UTC),
                raw_hash="",
                subject=subject,
            )
            await PrefectServer(client).emit([Errand(told)])
            await asyncio.sleep(0.05)


def observed() -> float:
    """How many of Prefect's events this process has heard."""
    return EVENTS_OBSERVED.labels("PrefectEventSubscriber")._value.get()


def opened() -> float:
    """How many streams of Prefect's events this process has opened."""
    return EVENT_WEBSOCKET_CONNECTIONS.labels("PrefectEventSubscriber", "out", "initial")._value.get()
