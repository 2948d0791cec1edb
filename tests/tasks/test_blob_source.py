"""Data of tracks in a blob container, against a real Azurite."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient, ContentSettings
from pydantic import SecretStr

from domain.mistakes import Mistake
from tasks.blob_container import Container
from tasks.blob_listing import Blob, Listing
from tasks.blob_source import BlobSource, NewerData
from tasks.git_block import GitData
from tasks.packing import pack_testing, pack_training
from tasks.store import LocalFolder, Store
from tests.azurite_kit import Azurite
from tests.emulator.fake_engine import wav
from tests.tasks.git_kit import SETTINGS, commit, repository, write
from tests.tasks.git_kit import track as files_of

WEIGHT = SETTINGS + b"[model]\nweight_percent = 9\n"
TRACKS = {path.removeprefix("data/"): content for path, content in (files_of("taxi") | files_of("bus")).items()}


class Place:
    """A folder of a container that tests write to, and the source that reads it."""

    def __init__(self, azurite: Azurite, folder: Path, prefix: str = "speech") -> None:
        self.container = azurite.container()
        self.azurite = azurite
        self.store = LocalFolder(folder / "store")
        self.prefix = prefix
        self.source = BlobSource("uploads", self.container, prefix, self.load_store, page_size=3)

    def client(self) -> ContainerClient:
        """The SDK's plain client."""
        return self.azurite.client(self.container)

    async def load_store(self) -> Store:
        """What the block's name would lead to."""
        return self.store

    def put(self, files: Mapping[str, bytes | None], **options: object) -> None:
        """Upload blobs; None removes one."""
        with self.client() as client:
            for path, content in files.items():
                name = f"{self.prefix}/{path}".lstrip("/")
                if content is None:
                    client.delete_blob(name)
                else:
                    client.upload_blob(name, content, overwrite=True, **options)

    async def contents(self, revision: str, track: str = "taxi") -> dict[str, bytes]:
        """The files of a track."""
        async with self.source.opened(revision, track) as opened:
            files = [path for path in opened.data.rglob("*") if path.is_file()]
            return {path.relative_to(opened.data).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def place(azurite: Azurite, tmp_path: Path) -> Place:
    """Two tracks in a folder of a container, among others."""
    place = Place(azurite, tmp_path)
    place.put(TRACKS)
    with place.client() as client:
        client.upload_blob("speech2/taxi/track.toml", b"another")
        client.upload_blob("elsewhere.txt", b"another")
    return place


async def test_a_listing_is_the_same_for_the_same_content(place: Place) -> None:
    """Uploading a file once more starts nothing; another byte, or one file less, is another state."""
    first = await place.source.newest()
    place.put({"taxi/testing/a.wav": b"a"})
    again = await place.source.newest()
    place.put({"taxi/testing/a.wav": b"A"})
    other = await place.source.newest()
    place.put({"taxi/testing/a.wav": None})

    assert first == again
    assert len({first, other, await place.source.newest()}) == 3
    assert await place.store.keys("listings/") != []


async def test_blobs_without_a_hash_are_told_apart_by_their_etags(place: Place) -> None:
    """Tools that upload in blocks give none."""
    with place.client() as client:
        client.get_blob_client("speech/taxi/testing/a.wav").set_http_headers(ContentSettings())
    first = await place.source.newest()
    with place.client() as client:
        client.get_blob_client("speech/taxi/testing/a.wav").set_http_headers(ContentSettings())

    assert await place.source.newest() != first


async def test_a_plan_compares_two_kept_listings(place: Place) -> None:
    """Old settings are still known, though their blob was replaced."""
    before = await place.source.newest()
    place.put({"taxi/testing/b.wav": b"b", "taxi/track.toml": WEIGHT})
    after = await place.source.newest()

    plan = await place.source.plan(before, after)

    assert [(run.track, run.flow.value, run.revision) for run in plan.runs] == [
        ("taxi", "testing-update", after),
        ("taxi", "training-update", after),
    ]
    assert str(plan.runs[1].reasons[0]) == "track.toml: model.weight_percent"
    assert (await place.source.plan(before, after, "again")).runs[0].key != plan.runs[0].key
    assert (await place.source.plan(after, after)).runs == ()
    assert [len((await place.source.plan(gone, after)).runs) for gone in ("", "1" * 64, "../x")] == [4, 4, 4]
    assert len((await place.source.plan_retest(after, "baseline/taxi")).runs) == 1


async def test_one_track_is_opened_at_the_very_state_that_was_listed(place: Place) -> None:
    """What comes later for another track does not matter."""
    revision = await place.source.newest()
    place.put({"bus/testing/a.wav": b"newer", "taxi/testing/new.wav": b"newer"})

    assert await place.contents(revision) == {
        name: content for name, content in TRACKS.items() if name.startswith("taxi/")
    }


@pytest.mark.parametrize("content", [b"newer", None])
async def test_a_blob_that_was_replaced_or_removed_is_told(place: Place, content: bytes | None) -> None:
    """Never a mixture of two states."""
    revision = await place.source.newest()
    place.put({"taxi/testing/a.wav": content})

    with pytest.raises(NewerData, match=r"newer data have come to http.*A newer run does them"):
        await place.contents(revision)


async def test_a_blob_that_was_uploaded_again_is_read(place: Place) -> None:
    """It has another ETag and the same content."""
    revision = await place.source.newest()
    place.put({"taxi/testing/a.wav": b"a"})

    assert (await place.contents(revision))["taxi/testing/a.wav"] == b"a"


async def test_all_tracks_are_opened_together(azurite: Azurite, tmp_path: Path) -> None:
    """Also from a container that holds nothing else; many blobs, several at a time."""
    place = Place(azurite, tmp_path, prefix="")
    files = TRACKS | {f"taxi/testing/{number}.wav": b"%d" % number for number in range(30)}
    place.put(files)
    revision = await place.source.newest()

    async with place.source.opened(revision) as opened:
        assert opened.revision == revision[:12]
        assert len(list((opened.data / "taxi/testing").iterdir())) == 31
    assert await place.contents(revision, "") == files
    assert not opened.data.exists()


async def test_folders_of_a_data_lake_are_no_files(place: Place) -> None:
    """They are listed as blobs with a mark."""
    revision = await place.source.newest()
    place.put({"taxi/testing": b""}, metadata={"hdi_isfolder": "true"})
    place.put({"taxi/training/": b""})

    assert await place.source.newest() == revision


async def test_a_broken_listing_is_as_good_as_none(place: Place) -> None:
    """Somebody may have edited it in the store."""
    revision = await place.source.newest()
    (key,) = await place.store.keys("listings/")
    await place.store.write(key, Listing(blobs={"taxi/track.toml": Blob(etag="1", size=1)}).model_dump_json().encode())

    with pytest.raises(Mistake, match=r"keeps no listing .* Leave the revision empty"):
        await place.contents(revision)
    assert await place.source.newest() == revision
    assert await place.contents(revision)


@pytest.mark.parametrize(
    "name",
    [
        "taxi/testing//a.wav",
        "taxi/testing/a\\b.wav",
        "taxi/testing/A.wav",
        "taxi/testing/a\nb.wav",
        f"taxi/testing/{'x' * 256}",
        "taxi/testing/a.wav/b.wav",
        "taxi/training/audio/../../../x",
    ],
)
def test_a_blob_that_cannot_be_a_file_is_told(name: str) -> None:
    """Nothing is written outside the folder, and nothing is left out in silence; hidden names are never read."""
    blobs = {path: Blob(etag="1", size=1) for path in (name, *TRACKS)}
    listing = Listing(blobs=blobs)

    if ".." in name:
        assert name not in listing.files()
    else:
        with pytest.raises(Mistake, match=r"taxi/t"):
            listing.files("taxi")
    assert listing.files("bus")


async def test_what_is_not_there_is_told(place: Place, azurite: Azurite) -> None:
    """A track, a container, a ref; without the account's key."""
    revision = await place.source.newest()

    with pytest.raises(Mistake, match=r"there is no track 'tram' in http.*/speech at .* \(known: bus, taxi\)"):
        await place.contents(revision, "tram")
    with pytest.raises(Mistake, match="there is no container"):
        await replace(place.source, container=replace(place.container, name="nothing")).newest()
    with pytest.raises(Mistake, match="has no 'refs/heads/main'"):
        await place.source.newest("refs/heads/main")
    wrong = SecretStr(azurite.connection_string.get_secret_value().replace(azurite.key, "d3Jvbmc="))
    with pytest.raises(Mistake, match="does not let us in"):
        await replace(place.source, container=replace(place.container, connection_string=wrong)).newest()
    assert azurite.key not in repr(place.source)


async def test_a_busy_account_is_worth_another_try(place: Place) -> None:
    """The task repeats a `ConnectionError`."""
    down = SecretStr(
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=d3Jvbmc=;BlobEndpoint=http://127.0.0.1:9/a;"
    )

    with pytest.raises(ConnectionError, match="no answer"):
        await replace(place.source, container=replace(place.container, connection_string=down, retries=0)).newest()


def test_a_blob_belongs_to_the_source_whose_folder_it_lies_in(azurite: Azurite, place: Place) -> None:
    """As Event Grid tells it: account, container, path."""
    azure = Container("models", account_url="https://acme.blob.core.windows.net")
    there = BlobSource("uploads", azure, "speech", place.load_store)

    assert there.holds_blob("acme", "models", "speech/taxi/testing/a.wav")
    assert place.source.holds_blob("unittests", place.container.name, "speech/x")
    assert replace(there, prefix="").holds_blob("ACME", "models", "x")
    for account, container, blob in [
        ("acme2", "models", "speech/x"), ("acme", "other", "speech/x"), ("acme", "models", "speech2/x"),
        ("acme", "models", "x"),
    ]:  # fmt: skip
        assert not there.holds_blob(account, container, blob)
    assert not there.is_repository("https://acme.blob.core.windows.net/models/speech")
    assert there.rules.branches == there.rules.retest_tags == ()


async def test_the_same_content_is_the_same_from_everywhere(azurite: Azurite, tmp_path: Path) -> None:
    """Git, blobs and a folder give the same hashes, so that nothing is uploaded or trained twice."""
    files = {
        "track.toml": SETTINGS,
        "training/plain_text.txt": "Straße nach Sharjah\r\n".encode(),
        "training/audio/1.wav": wav("hello"),
        "training/audio/trans.txt": b"1.wav\thello\n",
        "testing/a.wav": wav("take me home"),
        "testing/trans.txt": b"a.wav\ttake me home\r\n",
    }
    write(tmp_path / "plain", {f"taxi/{path}": content for path, content in files.items()})
    work = repository(tmp_path / "work")
    head = commit(work, {".gitattributes": b"*.txt text eol=lf\n"} | files_of("taxi", files))
    place = Place(azurite, tmp_path)
    place.put({f"taxi/{path}": content for path, content in files.items()})

    hashes = [packed(tmp_path / "plain/taxi", tmp_path)]
    for source, revision in [
        (GitData(address=str(work)).source("maps"), head),
        (place.source, await place.source.newest()),
    ]:
        async with source.opened(revision, "taxi") as opened:
            hashes.append(await asyncio.to_thread(packed, opened.data / "taxi", tmp_path))

    assert hashes[0] == hashes[1] == hashes[2]
    assert len(set(hashes[0])) == 3


def packed(folder: Path, scratch: Path) -> list[str]:
    """The content hashes of a track's datasets."""
    training = pack_training(folder, scratch / "out")
    return [dataset.content_hash for dataset in (pack_testing(folder, scratch / "out").dataset, *training)]


async def test_a_listing_of_ten_thousand_blobs_is_quick_to_compare() -> None:
    """The hash and the plan take no network."""
    blobs = {f"taxi/testing/{number}.wav": Blob(etag=str(number), size=1) for number in range(10_000)}
    one = Listing(
        blobs={"taxi/track.toml": Blob(etag="1", size=1), **blobs}, settings={"taxi/track.toml": "locale = 'en-US'"}
    )

    assert Listing.model_validate_json(one.model_dump_json()).revision == one.revision
    assert len(one.plan_since(Listing(), "").runs) == 1
