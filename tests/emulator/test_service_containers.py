"""Batches of all audio in a blob container."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import containers
from emulator.containers import Container
from tests.emulator.blob_container import SAS, BlobContainer, served_container
from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import Caller, in_process, settings_for
from tests.emulator.transcription_kit import results, transcribed

BOMB = (
    b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + level, b"&%c;" % (97 + level) * 10) for level in range(9))
    + b"]><EnumerationResults><Blobs><Blob><Name>&j;</Name></Blob></Blobs></EnumerationResults>"
)
DECLARED = b'<!DOCTYPE b [<!ENTITY a "little">]><r><Blobs><Blob><Name>&a;</Name></Blob></Blobs></r>'
OUTSIDE = b'<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><r><Blobs><Blob><Name>&a;</Name></Blob></Blobs></r>'


@pytest.fixture
def container() -> Iterator[BlobContainer]:
    """Three recordings and a text, on two pages."""
    with served_container() as container:
        container.blobs = {
            "a & b.wav": wav("first"),
            "calls/2.wav": wav("second"),
            "calls/3.wav": wav("third"),
            "notes.txt": b"hello",
        }
        yield container


async def failure(speech: Caller, address: str) -> dict[str, str]:
    """How a batch from there ends."""
    batch = await transcribed(speech, contentContainerUrl=address)
    assert batch["status"] == "Failed"
    error: dict[str, str] = batch["properties"]["error"]
    return error


async def test_every_blob_of_a_container_is_transcribed(speech: Caller, container: BlobContainer) -> None:
    """Page by page, with the caller's SAS; what is no audio is in the report."""
    batch = await transcribed(speech, contentContainerUrl=container.address())

    files = await results(speech, batch)
    assert container.lists == ["", "2"]
    assert set(files) == {"a & b.wav.json", "calls/2.wav.json", "calls/3.wav.json", "report.json"}
    assert files["calls/3.wav.json"]["combinedRecognizedPhrases"][0]["lexical"] == "third"
    failed = [one for one in files["report.json"]["details"] if one["status"] == "Failed"]
    assert [one["errorKind"] for one in failed] == ["InvalidAudioFormat"]
    assert "s3cret" not in json.dumps(files)
    assert "contentContainerUrl" not in batch


async def test_a_folder_of_a_container_can_be_named(speech: Caller, container: BlobContainer) -> None:
    """As in Microsoft's example (`…/artifacts/audiofiles/`)."""
    files = await results(speech, await transcribed(speech, contentContainerUrl=container.address("/calls/")))

    assert set(files) == {"calls/2.wav.json", "calls/3.wav.json", "report.json"}


async def test_a_container_that_does_not_open_fails_the_batch(speech: Caller, container: BlobContainer) -> None:
    """With the blob service's status, and without the address."""
    for sas in ["", "sig=wrong"]:
        error = await failure(speech, container.address(sas=sas))

        assert error["code"] == "InvalidRecordingsUri"
        assert "403" in error["message"]
        assert "127.0.0.1" not in error["message"]


async def test_a_list_that_is_none_fails_the_batch(speech: Caller, container: BlobContainer) -> None:
    """No XML, a bomb, a small one, a reference to this machine's files, an empty one."""
    for body in [b"", b"<html>", b"hello", BOMB, DECLARED, OUTSIDE, b"<r/>"]:
        container.list_body = lambda prefix, marker, body=body: body
        assert (await failure(speech, container.address()))["code"] == "InvalidRecordingsUri"


async def test_a_list_that_never_ends_fails_the_batch(
    speech: Caller, container: BlobContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many pages it pretends to have, and however long they are."""
    monkeypatch.setattr(containers, "MAX_PAGES", 3)
    container.list_body = lambda prefix, marker: b"<r><Blobs/><NextMarker>1</NextMarker></r>"
    assert "pages" in (await failure(speech, container.address()))["message"]
    assert len(container.lists) == 3
    monkeypatch.setattr(containers, "MAX_PAGE_BYTES", 10)
    assert "too long" in (await failure(speech, container.address()))["message"]


async def test_a_page_has_so_many_elements(
    speech: Caller, container: BlobContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes much more memory than its three characters; one inside the other even more."""
    monkeypatch.setattr(containers, "MAX_PAGE_ELEMENTS", 5)
    container.list_body = lambda prefix, marker: b"<r><Blobs><Blob><Name>notes.txt<a/><b/></Name></Blob></Blobs></r>"

    assert (await failure(speech, container.address()))["code"] == "InvalidRecordingsUri"


async def test_a_list_that_does_not_come_is_given_up(tmp_path: Path, container: BlobContainer) -> None:
    """A job would wait for it for ever, and there are eight at a time."""
    door = threading.Event()
    container.list_body = lambda prefix, marker: b"<r/>" if door.wait(20) else b""
    async with in_process(settings_for(tmp_path, download_seconds=0.05)) as speech:
        error = await failure(speech, container.address())
    door.set()

    assert error["message"].endswith("its list took longer than 0.05 seconds.")


async def test_a_blob_that_is_listed_twice_is_transcribed_once(speech: Caller, container: BlobContainer) -> None:
    """It has one result file."""
    one = b"<Blob><Name>calls/2.wav</Name></Blob>"
    container.list_body = lambda prefix, marker: b"<r><Blobs>" + one + one + b"</Blobs></r>"
    batch = await transcribed(speech, contentContainerUrl=container.address())

    assert set(await results(speech, batch)) == {"calls/2.wav.json", "report.json"}


async def test_a_container_has_at_most_10000_blobs_and_5_gb(
    speech: Caller, container: BlobContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The specification's limits."""
    assert (containers.MAX_BLOBS, containers.MAX_TOTAL_BYTES) == (10_000, 5 * 1024**3)
    container.sizes["notes.txt"] = 5 * 1024**3 + 1
    assert "5 GB" in (await failure(speech, container.address()))["message"]
    container.sizes.clear()
    monkeypatch.setattr(containers, "MAX_BLOBS", 3)
    assert "3 blobs" in (await failure(speech, container.address()))["message"]


async def test_a_service_that_others_can_reach_lists_no_private_container(
    tmp_path: Path, container: BlobContainer
) -> None:
    """Nor does it fetch private recordings: the rules of `fetching` hold for both."""
    async with in_process(settings_for(tmp_path, host="0.0.0.0")) as speech:  # noqa: S104  what is tested
        assert (await failure(speech, container.address()))["code"] == "InvalidRecordingsUri"
        batch = await transcribed(speech, container.address("/notes.txt"))
        report = (await results(speech, batch))["report.json"]

    assert report["details"][0]["errorKind"] == "InvalidRecordingsUri"
    assert container.lists == []


def test_the_address_of_a_container_is_read_in_both_forms() -> None:
    """Azure's has the account in the host, Azurite's in the path."""
    azure = Container.at(f"https://account.blob.core.windows.net/audio/calls/?{SAS}")
    azurite = Container.at(f"http://127.0.0.1:10000/account/audio?{SAS}")

    assert (azure.url, azure.prefix) == ("https://account.blob.core.windows.net/audio", "calls/")
    assert (azurite.url, azurite.prefix) == ("http://127.0.0.1:10000/account/audio", "")
    assert azure.address_of("a b.wav") == f"https://account.blob.core.windows.net/audio/a%20b.wav?{SAS}"
