"""Flows read their data from a git repository or a blob container when a block of that name is given."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect_azure import AzureBlobStorageCredentials
from pydantic import SecretStr

from domain.mistakes import Mistake
from flows.testing_update import testing_update
from flows.training_update import training_update
from tasks.blob_data import BlobData
from tasks.blob_source import BlobSource
from tasks.blocks import LocalStore, block_types
from tasks.git_block import GitData
from tasks.git_source import GitSource
from tasks.sources import all_sources, load_source
from tests.flows.conftest import World
from tests.tasks.git_kit import git

SECRET = "Y2FuYXJ5LXRoYXQtbm9ib2R5LW1heS1zZWU="
ACCOUNT = AzureBlobStorageCredentials(
    connection_string=SecretStr(f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={SECRET}")
)


@pytest.fixture
async def saved() -> Iterator[list[tuple[str, str]]]:
    """Blocks to remove at the end, for all tests share one server: kind and name."""
    saved: list[tuple[str, str]] = []
    yield saved
    async with get_client() as client:
        for slug, name in saved:
            document = await client.read_block_document_by_name(name, slug)
            await client.delete_block_document(document.id)


@pytest.mark.slow
async def test_a_push_is_trained_from_the_repository(world: World, saved: list[tuple[str, str]]) -> None:
    """The run needs no folder of its own machine, and reads the commit that it was given, not the newest."""
    world.commit()
    commit = git(world.data, "rev-parse", "HEAD")
    await GitData(address=str(world.data), branch=git(world.data, "branch", "--show-current"), folder="").asave("maps")
    saved.append(("git-data", "maps"))
    world.write_track(spoken={"1.wav": "nothing of this is ever read"})
    world.commit()
    where = {"track": world.track, "data": "nowhere", "source": "maps"}

    report = await training_update(**where, revision=commit)
    from_folder = await testing_update(**world.arguments)
    newest = await testing_update(**where)

    assert report.released
    assert (await world.ledger.state()).release is not None
    assert report.decision.ruling.subject.revision == commit[:12]
    assert newest.decision.ruling.subject.revision == git(world.data, "rev-parse", "HEAD")[:12]
    assert newest.benchmark_wer == from_folder.benchmark_wer
    assert len([one for one in await world.entities("datasets") if one["kind"] == "Acoustic"]) == 2


async def test_a_missing_source_is_told(world: World, logged: Callable[[], str]) -> None:
    """With both kinds that can be made."""
    state = await testing_update(track=world.track, source="nowhere", return_state=True)

    assert "no Speechops Git Data or Speechops Blob Data block named 'nowhere'" in str(state.message)
    assert "Traceback" not in logged()


async def test_a_source_that_is_away_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch, saved: list[tuple[str, str]]
) -> None:
    """A network that fails for a moment does not lose a push."""
    world.commit()
    commit = git(world.data, "rev-parse", "HEAD")
    await GitData(address=str(world.data), folder="").asave("shaky")
    saved.append(("git-data", "shaky"))
    opened, failures = GitSource.opened, [ConnectionError("no answer")]

    def fails_once(self: GitSource, *words: str) -> object:
        if failures:
            raise failures.pop()
        return opened(self, *words)

    monkeypatch.setattr(GitSource, "opened", fails_once)
    monkeypatch.setattr("tasks.snapshots.take_snapshot.retry_delay_seconds", [0])

    report = await testing_update(track=world.track, source="shaky", revision=commit)

    assert report.benchmark_wer is not None
    assert failures == []


async def test_sources_of_both_kinds_are_found_and_broken_ones_left_out(
    saved: list[tuple[str, str]], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """One operator's typing mistake does not stop the others' data."""
    token = SecretStr(SECRET)
    await GitData(address="https://git.example/acme/speech", token=token, username="bot").asave("speech")
    await BlobData(credentials=ACCOUNT, container="uploads", prefix="speech/").asave("uploads")
    broken = GitData(address="https://git.example/acme/speech", token=token)
    broken.address = f"http://me:{SECRET}@git.example/x"
    await broken.asave("typo")
    await LocalStore(folder=tmp_path).asave("elsewhere", overwrite=True)
    saved += [("git-data", "speech"), ("blob-data", "uploads"), ("git-data", "typo")]

    with caplog.at_level(logging.WARNING, "tasks.sources"):
        sources = await all_sources()

    assert [source.name for source in sources] == ["speech", "uploads"]
    assert sources[0].is_repository("https://git.example/acme/speech.git")
    assert sources[1].holds_blob("acme", "uploads", "speech/taxi/testing/a.wav")
    assert "The data source 'typo' is left out: the Speechops Git Data block named 'typo' cannot be used" in caplog.text
    assert SECRET not in caplog.text
    assert isinstance(await load_source("uploads", "elsewhere"), BlobSource)
    with pytest.raises(Mistake, match="address"):
        await load_source("typo")


async def test_no_source_at_all_is_no_error() -> None:
    """Nor is a server that does not know the types of these blocks yet."""
    assert await all_sources() == []


async def test_every_type_of_block_can_be_registered() -> None:
    """So that the UI offers it before the first one was saved."""
    for kind in block_types():
        await kind.aregister_type_and_schema()
    async with get_client() as client:
        known = {kind.slug for kind in await client.read_block_types()}

    assert {"git-data", "blob-data", "blob-store", "local-store", "speech-resource"} <= known
