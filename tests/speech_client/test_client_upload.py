"""A file reaches Azure in blocks, once, whatever happens on the way."""

from __future__ import annotations

import base64
import json
import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from speech_client import BadInput, RequestRejected, Status, TransientError, blocks


@dataclass
class BlockStore:
    """The dataset's side of an upload."""

    build: Any
    blocks: dict[str, bytes] = field(default_factory=dict)
    content: bytes | None = None
    faults: list[Any] = field(default_factory=list)

    def put(self, request: httpx.Request) -> Any:
        if self.faults:
            return self.faults.pop(0)
        self.blocks[request.url.params["blockid"]] = request.content
        return 201

    def listing(self, _: httpx.Request) -> Any:
        names = [{"name": name, "size": len(data)} for name, data in self.blocks.items()]
        return {"uncommittedBlocks" if self.content is None else "committedBlocks": names}

    def commit(self, request: httpx.Request) -> Any:
        entries = json.loads(request.content)
        self.content = b"".join(self.blocks[entry["id"]] for entry in entries)
        return 200

    def dataset(self, _: httpx.Request) -> Any:
        return self.build.dataset()


@pytest.fixture
def store(service: Any, build: Any, monkeypatch: Any) -> BlockStore:
    """Blocks of 4 bytes, so that small files have many."""
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 4)
    store = BlockStore(build)
    service.says("GET", "datasets/d1", store.dataset)
    service.says("GET", "datasets/d1/blocks", store.listing)
    service.says("PUT", "datasets/d1/blocks", store.put)
    service.says("POST", "datasets/d1/blocks:commit", store.commit)
    return store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_bytes(b"ten bytes!")
    return path


def test_a_block_is_as_large_as_azure_allows() -> None:
    """8 MiB."""
    assert blocks.BLOCK_SIZE == 8 * 1024 * 1024


async def test_a_file_arrives_whole_and_in_order(speech: Any, store: BlockStore, file: Path) -> None:
    """Progress is told in bytes; the dataset comes back as it stands."""
    told: list[tuple[int, int]] = []
    dataset = await speech.datasets.upload("d1", file, on_progress=lambda done, size: told.append((done, size)))

    assert store.content == b"ten bytes!"
    assert told == [(4, 10), (8, 10), (10, 10)]
    assert dataset.id == "d1"


async def test_block_ids_obey_azures_rules(speech: Any, store: BlockStore, file: Path) -> None:
    """Base64 of at most 64 bytes, all equally long, also in the query."""
    await speech.datasets.upload("d1", file)
    ids = list(store.blocks)
    assert len({len(name) for name in ids}) == 1
    assert all(len(base64.b64decode(name, validate=True)) <= 64 for name in ids)


async def test_blocks_go_as_bytes(service: Any, speech: Any, store: BlockStore, file: Path) -> None:
    """The specification wants application/octet-stream."""
    await speech.datasets.upload("d1", file)
    assert {request.headers["Content-Type"] for request in service.calls("PUT")} == {"application/octet-stream"}


async def test_a_failed_block_alone_is_sent_again(service: Any, speech: Any, store: BlockStore, file: Path) -> None:
    """PUT of a block does the same twice."""
    store.faults = [503, httpx.ReadError("reset")]
    await speech.datasets.upload("d1", file)
    assert store.content == b"ten bytes!"
    assert len(service.calls("PUT")) == 5


async def test_an_interrupted_upload_goes_on_where_it_stopped(
    service: Any, speech: Any, store: BlockStore, file: Path
) -> None:
    """After a crash only the missing blocks travel."""
    store.faults = [400]
    with pytest.raises(RequestRejected):
        await speech.datasets.upload("d1", file)
    store.faults = []
    await speech.datasets.upload("d1", file)
    sent = len(service.calls("PUT"))
    store.content = None
    await speech.datasets.upload("d1", file)

    assert store.content == b"ten bytes!"
    assert len(service.calls("PUT")) == sent


async def test_blocks_of_another_file_are_not_taken_for_ours(speech: Any, store: BlockStore, file: Path) -> None:
    """Blocks are known by their content, not by their place alone."""
    await speech.datasets.upload("d1", file)
    store.content = None
    file.write_bytes(b"TEN bytes?")
    await speech.datasets.upload("d1", file)
    assert store.content == b"TEN bytes?"


async def test_a_lost_answer_to_the_commit_is_looked_up(
    service: Any, speech: Any, store: BlockStore, file: Path
) -> None:
    """It took effect, so it is not done again."""

    def commit_and_drop(request: httpx.Request) -> Any:
        store.commit(request)
        return httpx.ReadError("reset")

    service.says("POST", "datasets/d1/blocks:commit", commit_and_drop)
    await speech.datasets.upload("d1", file)
    assert len(service.calls("POST")) == 1


async def test_a_commit_without_effect_is_done_again(service: Any, speech: Any, store: BlockStore, file: Path) -> None:
    """The look-up says that nothing was committed, so repeating is safe."""
    service.says("POST", "datasets/d1/blocks:commit", 503, store.commit)
    await speech.datasets.upload("d1", file)
    assert store.content == b"ten bytes!"


async def test_an_import_that_began_counts_as_committed(
    service: Any, speech: Any, build: Any, store: BlockStore, file: Path
) -> None:
    """Azure may forget the blocks once it imports them."""
    service.says("POST", "datasets/d1/blocks:commit", httpx.ReadError("reset"))
    service.says("GET", "datasets/d1", build.dataset(), build.dataset(status="Running"))
    dataset = await speech.datasets.upload("d1", file)
    assert dataset.status == Status.RUNNING
    assert len(service.calls("POST")) == 1


async def test_a_throttled_commit_is_left_to_the_caller(
    service: Any, speech: Any, store: BlockStore, file: Path
) -> None:
    """429 is certain: nothing happened."""
    service.says("POST", "datasets/d1/blocks:commit", 429)
    with pytest.raises(TransientError) as caught:
        await speech.datasets.upload("d1", file)
    assert not caught.value.ambiguous
    assert len(service.calls("POST")) == 1


@pytest.mark.parametrize("status", ["Running", "Succeeded"])
async def test_a_dataset_that_has_its_data_is_left_alone(
    service: Any, speech: Any, build: Any, store: BlockStore, file: Path, status: str
) -> None:
    """Repeating an upload that was done costs one GET."""
    service.says("GET", "datasets/d1", build.dataset(status=status))
    dataset = await speech.datasets.upload("d1", file)
    assert (dataset.status, len(service.requests)) == (status, 1)


async def test_a_service_without_a_block_list_yet_has_no_blocks(
    service: Any, speech: Any, build: Any, store: BlockStore, file: Path
) -> None:
    """404 before the first block is no error."""
    service.says("GET", "datasets/d1/blocks", (404, build.error("NotFound")))
    await speech.datasets.upload("d1", file)
    assert store.content == b"ten bytes!"


@pytest.mark.parametrize("trouble", ["missing", "empty", "folder"])
async def test_a_file_that_cannot_be_uploaded_is_named(
    service: Any, speech: Any, store: BlockStore, tmp_path: Path, trouble: str
) -> None:
    """Before anything is sent."""
    path = tmp_path / trouble
    if trouble == "empty":
        path.touch()
    if trouble == "folder":
        path.mkdir()
    with pytest.raises(BadInput, match=trouble):
        await speech.datasets.upload("d1", path)
    assert service.calls("PUT") == []


async def test_a_file_that_shrinks_meanwhile_is_refused(speech: Any, store: BlockStore, file: Path) -> None:
    """Half of the old and half of the new file is neither."""
    with pytest.raises(BadInput, match="became shorter"):
        await speech.datasets.upload("d1", file, on_progress=lambda *_: file.write_bytes(b"x"))
    assert store.content is None


async def test_a_block_that_changed_after_it_was_named_never_arrives(
    speech: Any, store: BlockStore, file: Path, monkeypatch: Any
) -> None:
    """Its name tells its content, so other content under that name would be kept for ever."""
    digest = blocks._Part.digest

    async def and_then_somebody_writes(part: Any) -> str:
        named = await digest(part)
        file.write_bytes(b"TEN BYTES!")
        return named

    monkeypatch.setattr(blocks._Part, "digest", and_then_somebody_writes)
    with pytest.raises(BadInput, match="changed while it was uploaded"):
        await speech.datasets.upload("d1", file)
    assert store.blocks == {}


async def test_memory_does_not_grow_with_the_file(connect: Any, build: Any, tmp_path: Path) -> None:
    """Not even a whole block is in memory, also when it has to be sent again."""
    path, answers = tmp_path / "large.bin", [503, 201, 201, 201, 201]
    with path.open("wb") as file:
        file.truncate(4 * blocks.BLOCK_SIZE)

    class Sink(httpx.AsyncBaseTransport):
        received = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PUT":
                Sink.received += sum([len(piece) async for piece in request.stream])
                return httpx.Response(answers.pop(0))
            return httpx.Response(200, json=build.dataset() if request.url.path.endswith("d1") else {})

    async with connect(transport=Sink()) as speech:
        tracemalloc.start()
        await speech.datasets.upload("d1", path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert Sink.received == 5 * blocks.BLOCK_SIZE
    assert peak < blocks.BLOCK_SIZE / 2
