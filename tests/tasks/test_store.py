"""The contract of a `Store`: a local folder and a blob container pass the same tests."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from tasks.blob_store import BlobStore
from tasks.store import ABSENT, Conflict, LocalFolder, Store
from tasks.store_errors import StoreUnusable


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    """An empty store in a folder."""
    return LocalFolder(tmp_path / "store")


@pytest.fixture(params=["local folder", "blob container", "folder of a blob container"])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store of each kind."""
    if request.param == "local folder":
        return request.getfixturevalue("folder")
    prefix = "speech/models" if request.param.startswith("folder") else ""
    return BlobStore(request.getfixturevalue("azurite").container(), prefix)


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


async def test_a_condition_on_what_is_gone_or_never_was_is_refused(store: Store) -> None:
    """Whoever read something that is not there any more has to look again."""
    with pytest.raises(Conflict):
        await store.write("state", b"two", if_match='"0x8DDEADBEEF"')

    assert await store.read("state") is None


async def test_of_twenty_writers_at_once_one_wins(store: Store) -> None:
    """In each round all have read the same state; nineteen learn that they came too late."""
    etag = ABSENT
    for turn in range(3):
        writes = (store.write("state", f"{turn} {writer}".encode(), if_match=etag) for writer in range(20))
        results = await asyncio.gather(*writes, return_exceptions=True)

        (etag,) = (result for result in results if isinstance(result, str))
        assert sum(isinstance(result, Conflict) for result in results) == 19
        stored = await store.read("state")
        assert (stored.data, stored.etag) == (f"{turn} {results.index(etag)}".encode(), etag)


@pytest.mark.parametrize(
    "name", ["with spaces", "Grüße", "C# 100%", "what?", "a+b&c=d", "50%25", "名前", "~'()!*;:@$,[]"]
)
async def test_a_name_is_kept_as_it_is(store: Store, name: str) -> None:
    """Tracks and files are named by people."""
    key = f"tracks/{name}/state.json"
    await store.write(key, name.encode())

    assert await store.exists(key)
    assert (await store.read(key)).data == name.encode()
    assert await store.keys(f"tracks/{name}/") == await store.keys("") == [key]


async def test_empty_files_are_files(store: Store, tmp_path: Path) -> None:
    """Nothing in it is not the same as nothing there."""
    source = tmp_path / "empty.zip"
    source.touch()
    await store.upload("snapshots/empty.zip", source)

    assert (await store.read("snapshots/empty.zip")).data == b""
    async with store.local_copy("snapshots/empty.zip") as path:
        assert path.read_bytes() == b""


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


async def test_what_is_deleted_is_gone(store: Store) -> None:
    """What people ask us to forget; asking twice does no harm, and neighbours stay."""
    await store.write("evidence/a/1", b"one")
    await store.write("evidence/a/2", b"two")

    for _ in range(2):
        await store.delete("evidence/a/1")

    assert await store.read("evidence/a/1") is None
    assert await store.keys("") == ["evidence/a/2"]
    await store.write("evidence/a/1", b"again", if_match=ABSENT)


async def test_nothing_outside_the_store_is_deleted(store: Store) -> None:
    """Names that come from data cannot reach other files."""
    with pytest.raises(ValueError, match="not a key"):
        await store.delete("../outside")


async def test_folders_are_listed_without_what_they_hold(store: Store) -> None:
    """Two hundred tracks with a thousand entries each are two hundred names."""
    for key in ("tracks/b/state.json", "tracks/a/ledger/1", "tracks/a/state.json", "tracks/file", "tracksuit/c/1"):
        await store.write(key, b"")

    assert await store.folders("tracks/") == ["a", "b"]
    assert await store.folders("nowhere/") == []


async def test_a_large_store_is_not_searched_for_a_key_or_a_track(
    folder: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that grew for years answers as fast as a new one."""
    store = folder
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


async def test_nobody_is_given_a_link_by_default(store: Store) -> None:
    """Bytes leave a store through us, unless its block says otherwise."""
    await store.write("snapshots/1.zip", b"")

    assert await store.link("snapshots/1.zip") is None


async def test_no_key_leads_out_of_the_store(store: Store) -> None:
    """Names that come from data cannot reach other files."""
    with pytest.raises(ValueError, match="not a key"):
        await store.write("../outside", b"")
    with pytest.raises(ValueError, match="not a key"):
        await store.keys("../")
    with pytest.raises(ValueError, match="not a key"):
        await store.exists("../outside")


async def test_a_failed_write_leaves_the_old_content(folder: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk or a crash half-way shows no half-written state."""
    store = folder
    await store.write("state", b"old")
    monkeypatch.setattr(os, "replace", _no_space)

    with pytest.raises(StoreUnusable, match="No space"):
        await store.write("state", b"new")

    assert (await store.read("state")).data == b"old"
    assert await store.keys("") == ["state"]


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
