"""Lists keep their promise while others create and delete."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from emulator.app import create_app
from emulator.entities import Dataset
from emulator.settings import Settings
from speech_client import KeyCredential, SpeechClient
from speech_client.pacing import Pace

HOST = "https://westus.api.cognitive.microsoft.com"


@dataclass
class Shelf:
    """A list that pages by position, as Azure's, and changes after each page as a test wants."""

    names: list[str]
    change: Callable[[list[str]], None] = lambda _: None
    requests: list[httpx.URL] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.url)
        start, size = int(request.url.params.get("skip", 0)), int(request.url.params.get("top", 100))
        body: dict[str, Any] = {"values": [entity(name) for name in self.names[start : start + size]]}
        if len(self.names) > start + size:
            body["@nextLink"] = str(request.url.copy_set_param("skip", start + size))
        self.change(self.names)
        return httpx.Response(200, json=body)

    async def listed(self, **options: Any) -> list[str]:
        transport = httpx.MockTransport(self)
        async with SpeechClient(HOST, KeyCredential("k"), transport=transport, pace=Pace(1e6, 10**6)) as speech:
            return [one.id async for one in speech.datasets.list(**options)]


def entity(name: str) -> dict[str, Any]:
    url = f"{HOST}/speechtotext/datasets/{name}?api-version=2024-11-15"
    return {"self": url, "displayName": name, "locale": "en-US", "status": "Running", "kind": "Language"}


async def test_a_short_list_costs_one_request() -> None:
    """The look-up before a create is one."""
    shelf = Shelf(["a", "b"])
    assert await shelf.listed() == ["a", "b"]
    assert len(shelf.requests) == 1


async def test_a_quiet_list_of_many_pages_is_read_twice() -> None:
    """That is the price of knowing that nothing was skipped; each entity comes once."""
    shelf = Shelf([f"{number}" for number in range(25)])
    assert await shelf.listed(top=10) == shelf.names
    assert len(shelf.requests) == 6


async def test_what_a_deletion_pushed_to_an_earlier_page_is_found() -> None:
    """Azure skips it; we read again."""
    deletions = iter([lambda names: names.pop(0)])
    shelf = Shelf([f"{number}" for number in range(20)], lambda names: next(deletions, lambda _: None)(names))
    assert sorted(await shelf.listed(top=10), key=int) == [f"{number}" for number in range(20)]


async def test_what_is_inserted_meanwhile_doubles_nothing() -> None:
    """Insertion pushes what was read to the next page."""
    new = iter(["x", "y"])
    shelf = Shelf(
        [f"{number}" for number in range(20)], lambda names: names.insert(0, one) if (one := next(new, "")) else None
    )
    found = await shelf.listed(top=10)
    assert len(found) == len(set(found))
    assert set(found) >= {f"{number}" for number in range(20)}


@given(st.integers(0, 60), st.integers(1, 9), st.lists(st.booleans(), max_size=16), st.randoms(use_true_random=False))
async def test_whatever_is_there_all_the_time_is_listed_once(
    count: int, top: int, changes: list[bool], chance: random.Random
) -> None:
    """Deletions and insertions anywhere, after any page."""
    names, doomed, plan = [f"n{number}" for number in range(count)], set[str](), iter(changes)

    def change(names: list[str]) -> None:
        if (is_deletion := next(plan, None)) is None:
            return
        if is_deletion and names:
            doomed.add(names.pop(chance.randrange(len(names))))
        else:
            names.insert(chance.randint(0, len(names)), f"new{chance.random()}")

    found = await Shelf(list(names), change).listed(top=top)
    assert set(found) >= set(names) - doomed
    assert len(found) == len(set(found))


async def test_a_list_that_never_rests_ends_with_a_warning(caplog: Any) -> None:
    """It is not read for ever, and what may be missing is said."""
    shelf = Shelf([f"{number}" for number in range(400)], lambda names: names.pop(0) and None)
    await shelf.listed(top=10)
    assert "it may lack some" in caplog.text


async def test_skipping_is_by_position_and_read_once() -> None:
    """Who skips has said that he wants a part."""
    shelf = Shelf([f"{number}" for number in range(25)])
    assert await shelf.listed(top=10, skip=5) == shelf.names[5:]
    assert len(shelf.requests) == 2


async def test_a_thousand_entities_page_correctly_while_others_are_deleted(tmp_path: Path) -> None:
    """Against the emulator: 400 of a thousand vanish one by one, between the pages of the reader."""
    settings = Settings(data=tmp_path, key=SecretStr("k"), speed="instant", workers=0, allowed_hosts=("speech.test",))
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with SpeechClient(
            "http://speech.test", KeyCredential("k"), transport=transport, pace=Pace(1e6, 10**6)
        ) as speech:
            ids = await _filled(app, speech)
            doomed, kept = set(ids[::5] + ids[1::5]), set(ids) - set(ids[::5] + ids[1::5])
            deleting = asyncio.create_task(_delete(speech, sorted(doomed)))
            found = [one.id async for one in speech.datasets.list(top=50)]
            await deleting
    assert len(found) == len(set(found))
    assert kept <= set(found) <= set(ids)


async def _filled(app: Any, speech: SpeechClient) -> list[str]:
    service = app.state.service
    for number in range(1000):
        service.store.save(_dataset(number))
    return sorted([one.id async for one in speech.datasets.list(top=1000)])


def _dataset(number: int) -> Dataset:
    now = "2026-01-01T00:00:00Z"
    fields = {"display_name": f"d{number}", "locale": "en-US", "kind": "Language", "status": "Succeeded"}
    times = {"created_date_time": now, "last_action_date_time": now}
    return Dataset.model_validate({"id": str(UUID(int=number * 7919)), **fields, **times})


async def _delete(speech: SpeechClient, names: list[str]) -> None:
    for name in names:
        await speech.datasets.delete(name)
        await asyncio.sleep(0)
