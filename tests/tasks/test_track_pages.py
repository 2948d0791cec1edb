"""The pages are written from what the store says, whoever writes at the same time."""

import asyncio
from pathlib import Path

import pytest

from domain.ledger import News
from tasks.ledger import Ledger
from tasks.store import LocalFolder, Stored
from tasks.track_pages import write_pages
from tests.tasks.lineage_kit import Lived, _two_releases, lived

__all__ = ["_two_releases", "lived"]

INDEX = "pages/index.html"


async def text(store: LocalFolder, key: str) -> str:
    """A page."""
    stored = await store.read(key)
    assert stored is not None
    return stored.data.decode()


async def test_the_page_shows_what_is_live_and_links_its_evidence(lived: Lived) -> None:
    """Only to reports that are there."""
    release = (await lived.ledger.state()).release
    assert release is not None
    before = (await lived.ledger.state()).previous_releases[0]
    await lived.store.delete(f"evidence/{before.evidence}/report.html")

    await write_pages(lived.store, "places")

    page = await text(lived.store, "pages/places.html")
    assert "1.1.0 LIVE" in page
    assert f'href="../evidence/{release.evidence}/report.html"' in page
    assert f"{before.evidence}/report.html" not in page
    assert 'href="places.html"' in await text(lived.store, INDEX)


async def test_two_runs_that_write_the_index_at_once_lose_no_track(tmp_path: Path) -> None:
    """The second one looks again: it would overwrite the first with what it knew before."""

    class Meets(LocalFolder):
        """Another run finishes, with a new track, after this one has looked at all tracks."""

        others = 1

        async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
            if key == INDEX and self.others:
                self.others -= 1
                await Ledger(LocalFolder(tmp_path), "new").append(News(kind="x", flow_run="", revision=""))
                await write_pages(LocalFolder(tmp_path), "new")
            return await super().write(key, data, if_match=if_match)

    store = Meets(tmp_path)
    await Ledger(store, "old").append(News(kind="x", flow_run="", revision=""))

    await write_pages(store, "old")

    assert 'href="new.html"' in await text(store, INDEX)
    assert 'href="old.html"' in await text(store, INDEX)


async def test_many_runs_at_once_leave_an_index_with_all_tracks(tmp_path: Path) -> None:
    """Each writes its own page and the index."""
    store, names = LocalFolder(tmp_path), [f"track-{number}" for number in range(5)]

    async def run(name: str) -> None:
        await Ledger(store, name).append(News(kind="x", flow_run="", revision=""))
        await write_pages(store, name)

    await asyncio.gather(*map(run, names))

    page = await text(store, INDEX)
    assert [name for name in names if f'href="{name}.html"' not in page] == []


async def test_the_index_reads_no_history(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred tracks with a thousand entries each are two hundred heads."""
    for number in range(20):
        await Ledger(lived.store, f"track-{number}").append(News(kind="x", flow_run="", revision=""))
    read: list[str] = []

    class Notes(LocalFolder):
        async def read(self, key: str) -> Stored | None:
            read.append(key)
            return await super().read(key)

        async def keys(self, prefix: str) -> list[str]:
            assert prefix != "tracks/"
            return await super().keys(prefix)

    await write_pages(Notes(lived.store.folder), "places")

    assert {key.split("/")[1] for key in read if "/ledger/" in key} == {"places"}
    assert sum(key.endswith("state.json") for key in read) < 30


async def test_a_damaged_track_takes_nobody_elses_place(lived: Lived) -> None:
    """It is the first in the index, with the reason."""
    await lived.store.write("tracks/broken/state.json", b"{")

    await write_pages(lived.store, "places")

    page = await text(lived.store, INDEX)
    assert page.index("broken.html") < page.index("places.html")
    assert "UNREADABLE" in page


async def test_a_track_called_index_has_a_page_of_its_own(tmp_path: Path) -> None:
    """It is a name like any other."""
    store = LocalFolder(tmp_path)
    await Ledger(store, "index").append(News(kind="x", flow_run="", revision=""))

    await write_pages(store, "index")

    assert "Track <bdi>index</bdi>" in await text(store, "pages/index_.html")
    assert 'href="index_.html"' in await text(store, INDEX)
