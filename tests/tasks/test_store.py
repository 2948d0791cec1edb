"""The contract of a `Store`. Every implementation passes the same tests; today there is the local folder."""

import os
from pathlib import Path

import pytest

from tasks.store import ABSENT, Conflict, LocalFolder, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return LocalFolder(tmp_path / "store")


async def test_what_was_written_is_read_back(store: Store) -> None:
    """Bytes and ETag come back as they were given."""
    etag = await store.write("tracks/a/state.json", b"one")

    stored = await store.read("tracks/a/state.json")
    assert stored is not None
    assert (stored.data, stored.etag) == (b"one", etag)


async def test_nothing_is_read_where_nothing_was_written(store: Store) -> None:
    """A missing key is None, not an error."""
    assert await store.read("tracks/a/state.json") is None


async def test_a_write_that_comes_too_late_is_refused(store: Store) -> None:
    """Of two writers who read the same state only the first succeeds; nothing is lost."""
    etag = await store.write("state", b"one")
    await store.write("state", b"two", if_match=etag)

    with pytest.raises(Conflict):
        await store.write("state", b"three", if_match=etag)
    assert (await store.read("state")).data == b"two"


async def test_only_the_first_creates(store: Store) -> None:
    """`ABSENT` writes only when nothing is there."""
    await store.write("state", b"one", if_match=ABSENT)

    with pytest.raises(Conflict):
        await store.write("state", b"two", if_match=ABSENT)


async def test_keys_are_listed_by_prefix(store: Store) -> None:
    """Only keys are listed: no lock, no draft."""
    for key in ("tracks/b/1", "tracks/a/2", "tracks/a/1"):
        await store.write(key, b"")

    assert await store.keys("tracks/a/") == ["tracks/a/1", "tracks/a/2"]
    assert len(await store.keys("")) == 3


async def test_a_key_exists_once_it_was_written(store: Store) -> None:
    """Only whole keys count: a prefix of one is nothing."""
    await store.write("tracks/a/1", b"")

    assert await store.exists("tracks/a/1")
    for key in ("tracks/a/2", "tracks/a", "tracks/a/", "tracks"):
        assert not await store.exists(key)


async def test_a_large_store_is_not_searched_for_a_key_or_a_track(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that grew for years answers as fast as a new one."""
    for key in ("snapshots/1", "tracks/a/1", "tracks/ab/1"):
        await store.write(key, b"")
    visited = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: visited.append(Path(path).name) or real(path))

    assert await store.exists("tracks/a/1")
    assert visited == []
    assert await store.keys("tracks/a/") == ["tracks/a/1"]
    assert set(visited) <= {"a"}
    assert await store.keys("tracks/a") == ["tracks/a/1", "tracks/ab/1"]
    assert "snapshots" not in visited
    assert await store.keys("nowhere/") == []


async def test_an_uploaded_file_can_be_used_locally(store: Store, tmp_path: Path) -> None:
    """A dataset goes in as a file and comes out as a file."""
    source = tmp_path / "data.zip"
    source.write_bytes(b"PK" * 1000)

    await store.upload("snapshots/1.zip", source)

    async with store.local_copy("snapshots/1.zip") as path:
        assert path.read_bytes() == source.read_bytes()


async def test_a_missing_file_has_no_local_copy(store: Store) -> None:
    """The key is named."""
    with pytest.raises(KeyError, match="snapshots"):
        async with store.local_copy("snapshots/1.zip"):
            pass


async def test_no_key_leads_out_of_the_store(store: Store) -> None:
    """Names that come from data cannot reach other files."""
    with pytest.raises(ValueError, match="not a key"):
        await store.write("../outside", b"")
    with pytest.raises(ValueError, match="not a key"):
        await store.keys("../")
    with pytest.raises(ValueError, match="not a key"):
        await store.exists("../outside")


async def test_a_failed_write_leaves_the_old_content(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk or a crash half-way shows no half-written state."""
    await store.write("state", b"old")
    monkeypatch.setattr(Path, "replace", _no_space)

    with pytest.raises(OSError, match="No space"):
        await store.write("state", b"new")

    assert (await store.read("state")).data == b"old"
    assert await store.keys("") == ["state"]


def _no_space(*_: object) -> None:
    raise OSError("No space left on device")
