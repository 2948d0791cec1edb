"""Who brings a dataset's bytes: we, by an upload, or the Speech service, by a link; also after a crash in between."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from domain.track import Track
from speech_client import Dataset, NewDataset, Status
from speech_client.filters import Filter
from tasks import datasets
from tasks.snapshots import Packed

TRACK = Track(name="places", locale="en-US")
PACKED = Packed(kind="Language", content_hash="f" * 64, key="snapshots/1.zip", items=1, seconds=0)
LINK = "https://acme.blob.core.windows.net/models/snapshots/1.zip?sig=secret"


class Service:
    """The datasets of a Speech resource, and what was uploaded to it."""

    def __init__(self) -> None:
        self.datasets = self
        self.held: list[Dataset] = []
        self.uploaded: list[Path] = []

    async def list(self, *, filter: Filter) -> AsyncIterator[Dataset]:  # noqa: A002 - Azure's word
        for one in self.held:
            if filter.expression == f"displayName eq '{one.display_name}'":
                yield one

    async def create(self, new: NewDataset) -> Dataset:
        body = new.to_azure() | {
            "self": f"https://speech.test/speechtotext/datasets/{uuid4()}",
            "status": Status.NOT_STARTED,
        }
        self.held.append(Dataset.model_validate(body))
        return self.held[-1]

    async def upload(self, _: Dataset, path: Path) -> None:
        self.uploaded.append(path)


class Shelf:
    """A store that makes this link."""

    def __init__(self, link: str | None) -> None:
        self._link = link

    async def link(self, key: str) -> str | None:
        assert key == PACKED.key
        return self._link

    @asynccontextmanager
    async def local_copy(self, key: str) -> AsyncIterator[Path]:
        yield Path(key)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """An empty one."""
    monkeypatch.setattr(datasets, "get_run_logger", lambda: logging.getLogger("test"))
    return Service()


async def start(service: Service, link: str | None) -> bool:
    """Start the dataset with a store that makes this link; whether it was created now."""
    return (await datasets._start(service, Shelf(link), TRACK, "abc", PACKED)).created


async def test_without_a_link_the_bytes_are_uploaded(service: Service) -> None:
    """As with a store in a folder."""
    assert await start(service, None)

    assert service.held[0].content_url is None
    assert service.uploaded == [Path(PACKED.key)]


async def test_with_a_link_the_service_is_told_it_and_nothing_is_uploaded(service: Service) -> None:
    """Although the dataset is NotStarted until its turn comes."""
    assert await start(service, LINK)

    assert service.held[0].content_url == LINK
    assert service.uploaded == []


@pytest.mark.parametrize("link", [None, LINK])
async def test_a_dataset_that_waits_for_its_turn_is_never_uploaded(service: Service, link: str | None) -> None:
    """Even if links were switched off since, and if Azure does not tell the address again."""
    await start(service, LINK)
    service.held[0] = service.held[0].model_copy(update={"content_url": None})

    assert not await start(service, link)
    assert service.uploaded == []


@pytest.mark.parametrize("link", [None, LINK])
async def test_an_upload_that_was_interrupted_is_made_good(service: Service, link: str | None) -> None:
    """Even if links were switched on since: the dataset that is there has none."""
    await start(service, None)
    service.uploaded.clear()

    assert not await start(service, link)
    assert service.uploaded == [Path(PACKED.key)]


async def test_one_whose_link_ended_is_made_again_with_a_new_link(service: Service) -> None:
    """Its import failed; the next attempt has a name and a link of its own."""
    await start(service, "https://acme.blob.core.windows.net/models/snapshots/1.zip?sig=old")
    service.held[0] = service.held[0].model_copy(update={"status": Status.FAILED})

    assert await start(service, LINK)
    assert service.held[1].content_url == LINK
    assert service.uploaded == []
