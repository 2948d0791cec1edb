"""One logical create is one entity, whatever gets lost on the way; against a real emulator that fails on demand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from domain.naming import Identity
from speech_client import Entity, KeyCredential, NewModel, SpeechClient, TransientError
from tasks.entities import HASH_PROPERTY, find_or_create
from tests.emulator.service_kit import KEY, Caller, in_process, running, settings_for

IDENTITY = Identity("places-model-1", "f" * 64)


class Slept:
    """Notes how long somebody wanted to sleep."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncIterator[Caller]:
    """A real emulator, so that connections can really break."""
    async with running(tmp_path) as (_, caller):
        yield caller


async def create(caller: Caller, identity: Identity = IDENTITY, slept: Slept | None = None) -> tuple[str, bool]:
    """Find or create a model; its name, and whether it was created."""
    dataset = await caller.dataset("Language", b"hello xanadu\n")
    slept = slept or Slept()
    async with SpeechClient(str(caller.http.base_url), KeyCredential(KEY), sleep=slept, timeout=2) as speech:

        def draft(name: str) -> NewModel:
            return NewModel(
                display_name=name,
                locale="en-US",
                datasets=[speech.reference(dataset["self"].partition("/speechtotext/")[2].partition("?")[0])],
                custom_properties={HASH_PROPERTY: identity.content_hash},
            )

        model, created = await find_or_create(speech.models, identity, draft, sleep=slept)
    return model.display_name, created


async def models(caller: Caller) -> list[str]:
    """The names of all models."""
    return [model["displayName"] for model in (await caller.get("/models"))["values"]]


async def fault(caller: Caller, **fault: object) -> None:
    """Break the next POST to /models."""
    answer = await caller.http.post(
        "/_emulator/faults", json={"method": "POST", "path": "/speechtotext/models", **fault}
    )
    assert answer.status_code == 201, answer.text


async def test_the_second_time_it_is_found(emulator: Caller) -> None:
    """By name and hash."""
    assert await create(emulator) == ("places-model-1", True)
    assert await create(emulator) == ("places-model-1", False)
    assert await models(emulator) == ["places-model-1"]


@pytest.mark.parametrize("kind", ["500", "503", "reset", "hang"])
async def test_a_lost_answer_creates_nothing_twice(emulator: Caller, kind: str) -> None:
    """The model was made, but nobody told us: we wait longer than a list may lag, look, and find it."""
    await fault(emulator, kind=kind, when="after")
    slept = Slept()

    assert await create(emulator, slept=slept) == ("places-model-1", True)

    assert await models(emulator) == ["places-model-1"]
    assert max(slept.seconds) >= 5


async def test_a_create_that_had_no_effect_is_left_to_the_task_to_repeat(emulator: Caller) -> None:
    """A POST is never repeated blindly; the task that repeats it looks first."""
    await fault(emulator, kind="503", when="before")

    with pytest.raises(TransientError):
        await create(emulator)

    assert await models(emulator) == []
    assert await create(emulator) == ("places-model-1", True)


async def test_the_same_name_with_other_content_is_not_ours(emulator: Caller) -> None:
    """Twelve hex digits may collide, or somebody may take our name: the full hash decides."""
    await create(emulator, Identity("places-model-1", "e" * 64))

    assert await create(emulator) == ("places-model-1", True)
    assert await models(emulator) == ["places-model-1", "places-model-1"]


async def test_a_failed_entity_is_never_reused(emulator: Caller) -> None:
    """The next attempt has a name of its own."""
    await emulator.http.post("/_emulator/faults", json={"job": "training"})
    await create(emulator)
    first = (await emulator.get("/models"))["values"][0]
    assert (await emulator.final(first))["status"] == "Failed"

    assert await create(emulator) == ("places-model-1-a2", True)


async def test_of_two_the_oldest_is_taken(tmp_path: Path) -> None:
    """Should two runs have raced after all, both go on with the same one."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    async with in_process(settings_for(tmp_path), lambda: now) as caller:
        body = {"kind": "Language", "locale": "en-US", "displayName": IDENTITY.name}
        body["customProperties"] = {HASH_PROPERTY: IDENTITY.content_hash}
        later = await caller.post("/datasets", **body)
        now -= timedelta(days=1)
        earlier = await caller.post("/datasets", **body)
        transport = httpx.ASGITransport(app=caller.http._transport.app)
        async with SpeechClient("http://speech.test", KeyCredential(KEY), transport=transport) as speech:
            dataset, created = await find_or_create(speech.datasets, IDENTITY, lambda _: None)
    assert (dataset.self_url, created) == (earlier["self"], False)
    assert dataset.self_url != later["self"]


async def test_of_two_the_one_without_a_date_is_not_taken() -> None:
    """The service need not tell when it made an entity; that must not end the run."""
    common = {"displayName": IDENTITY.name, "customProperties": {HASH_PROPERTY: IDENTITY.content_hash}}
    dated = {"self": "https://host/speechtotext/models/b", "createdDateTime": "2026-01-01T00:00:00Z", **common}
    undated = {"self": "https://host/speechtotext/models/a", **common}

    class Listed:
        async def list(self, *, filter: object = None) -> AsyncIterator[Entity]:  # noqa: A002 - Azure's word
            for entity in (undated, dated):
                yield Entity.model_validate({"locale": "en-US", "status": "Succeeded", **entity})

        async def create(self, new: object, /) -> None:
            raise AssertionError("there are two already")

    model, created = await find_or_create(Listed(), IDENTITY, lambda _: None)

    assert (model.id, created) == ("b", False)
