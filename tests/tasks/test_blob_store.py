"""What only a store in Azure Blob Storage must do: stand lost answers, large files, wrong settings."""

import asyncio
import filecmp
import re
import socket
import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.ledger import News, broken_link
from domain.mistakes import Mistake
from tasks.blob_container import BLOCK, CLIENTS, Container, Principal
from tasks.blob_store import BlobStore
from tasks.ledger import Ledger
from tasks.store import ABSENT, Conflict
from tests.azurite_kit import Azurite, LossyNetwork

NEWS = News(kind="testing-update", flow_run="run", revision="abc", facts={"wer": 0.1})
SECRET = "Y2FuYXJ5LXRoYXQtbm9ib2R5LW1heS1zZWU="


@pytest.fixture
def container(azurite: Azurite) -> Container:
    """A new, empty container."""
    return azurite.container()


@pytest.fixture
def store(container: Container) -> BlobStore:
    """The store in it."""
    return BlobStore(container)


class Loses:
    """Loses the first answers to each write of a kind.

    aiohttp repeats a request by itself when an old connection breaks, and only then: two losses reach the SDK.
    """

    def __init__(self, pattern: bytes = rb"PUT ", times: int = 1) -> None:
        self._pattern = pattern
        self._times = times
        self.answers: Counter[bytes] = Counter()

    def __call__(self, request: bytes) -> bool:
        line = request.partition(b"\r\n")[0]
        if not re.match(self._pattern, line):
            return False
        self.answers[line] += 1
        return self.answers[line] <= self._times


def through(azurite: Azurite, container: Container, **changes: object) -> BlobStore:
    """The same container, reached as this Azurite says."""
    return BlobStore(replace(container, connection_string=azurite.connection_string, **changes))


async def test_a_conditional_write_whose_answer_was_lost_has_succeeded(azurite: Azurite, container: Container) -> None:
    """The SDK asks again and meets its own blob: nobody may take that for another writer's."""
    etag = ABSENT
    for _ in ("creates", "changes"):
        async with LossyNetwork(azurite, loses := Loses()).open() as lossy:
            etag = await through(lossy, container).write("state", b"ours", if_match=etag)
        assert sum(loses.answers.values()) == 2
        stored = await BlobStore(container).read("state")
        assert (stored.data, stored.etag) == (b"ours", etag)


async def test_another_writer_is_not_taken_for_ourselves(azurite: Azurite, container: Container) -> None:
    """Whoever was first is told so, also when an answer was lost."""
    await BlobStore(container).write("state", b"theirs", if_match=ABSENT)
    async with LossyNetwork(azurite, loses := Loses()).open() as lossy:
        with pytest.raises(Conflict):
            await through(lossy, container).write("state", b"ours", if_match=ABSENT)

    assert sum(loses.answers.values()) == 2
    assert (await BlobStore(container).read("state")).data == b"theirs"


async def test_a_ledger_entry_whose_answers_are_lost_is_written_once(azurite: Azurite, container: Container) -> None:
    """Even when the SDK does not try again: the ledger finds its own entry."""
    async with LossyNetwork(azurite, Loses(rb"PUT \S+state\.json", times=2)).open() as lossy:
        with pytest.raises(OSError, match="no answer"):
            await through(lossy, container, retries=0).write("b/state.json", b"", if_match=ABSENT)
        await Ledger(through(lossy, container, retries=0), "a").append(NEWS)

    assert [entry.number for entry in await Ledger(BlobStore(container), "a").history()] == [1]


async def test_concurrent_appends_lose_nothing(container: Container) -> None:
    """Each entry is there once, and each builds on the one before."""
    ledgers = [Ledger(BlobStore(container), "a") for _ in range(8)]

    await asyncio.gather(*(ledger.append(NEWS) for ledger in ledgers))

    history = await ledgers[0].history()
    assert [entry.number for entry in history] == list(range(1, 9))
    assert broken_link(history) is None


async def test_the_history_is_settled_after_a_crash(container: Container) -> None:
    """The head was written, the history was not: the next writer makes it good."""
    store, other = BlobStore(container), BlobStore(container, "elsewhere")
    await Ledger(other, "a").append(NEWS)
    head = await other.read("tracks/a/state.json")
    await store.write("tracks/a/state.json", head.data)

    await Ledger(store, "a").append(NEWS)

    assert len(await store.keys("tracks/a/ledger/")) == 2
    assert broken_link(await Ledger(store, "a").history()) is None


def large_file(folder: Path, blocks: int) -> Path:
    """A file of which each block looks different, and the last is a short one."""
    path = folder / "data.zip"
    path.write_bytes(b"".join(bytes([number]) * BLOCK for number in range(blocks)) + b"end")
    return path


async def test_a_large_file_goes_up_and_down_in_little_memory(store: BlobStore, tmp_path: Path) -> None:
    """A worker with half a gigabyte can handle any dataset; nobody else can read its copy, and it goes afterwards."""
    source = large_file(tmp_path, blocks=32)

    tracemalloc.start()
    await store.upload("snapshots/data.zip", source)
    async with store.local_copy("snapshots/data.zip") as copy:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert filecmp.cmp(source, copy, shallow=False)
        assert copy.suffix == ".zip"
        assert copy.parent.stat().st_mode & 0o077 == 0

    assert not copy.exists()
    assert peak < 16 * BLOCK


async def test_a_large_file_survives_a_bad_network(azurite: Azurite, container: Container, tmp_path: Path) -> None:
    """The first two answers to each block get lost; only that block is sent again."""
    source = large_file(tmp_path, blocks=5)
    async with LossyNetwork(azurite, loses := Loses(rb"PUT \S+comp=block&", times=2)).open() as lossy:
        await through(lossy, container).upload("snapshots/data.zip", source)

    async with BlobStore(container).local_copy("snapshots/data.zip") as copy:
        assert filecmp.cmp(source, copy, shallow=False)
    assert list(loses.answers.values()) == [3] * 6


async def test_uploads_of_the_same_file_at_once_all_succeed(store: BlobStore, tmp_path: Path) -> None:
    """Two runs that need the same snapshot do not trip over each other's blocks."""
    source = tmp_path / "data.zip"
    source.write_bytes(bytes(range(256)) * 4096 * 3)

    await asyncio.gather(*(store.upload("snapshots/data.zip", source) for _ in range(4)))

    async with store.local_copy("snapshots/data.zip") as copy:
        assert filecmp.cmp(source, copy, shallow=False)


async def test_keys_come_from_all_pages(container: Container) -> None:
    """A long history is listed whole."""
    store = BlobStore(container, page_size=3)
    keys = [f"tracks/a/{number}" for number in range(10)]
    await asyncio.gather(*(store.write(key, b"") for key in reversed(keys)))

    assert await store.keys("tracks/") == keys


async def test_folders_of_a_data_lake_are_not_keys(azurite: Azurite, container: Container) -> None:
    """With a hierarchical namespace Azure lists a folder as an empty blob with a mark."""
    with azurite.client(container) as client:
        client.upload_blob("tracks/a", b"", metadata={"hdi_isfolder": "true"})
    store = BlobStore(container)
    await store.write("tracks/a/1", b"")

    assert await store.keys("tracks") == ["tracks/a/1"]
    assert not await store.exists("tracks/a")


@pytest.mark.parametrize("key", ["", "/a", "a//b", "a/./b", "a/../b", "a\\b", "a\nb", "a" * 1025])
async def test_what_azure_would_change_or_refuse_is_no_key(store: BlobStore, key: str) -> None:
    """Better no name than another one."""
    with pytest.raises(ValueError, match="not a key"):
        await store.write(key, b"")


async def every_call_fails(store: BlobStore, kind: type[Exception], words: str) -> str:
    """Each of the store's calls says the same; the last message."""
    source = Path(__file__)
    calls = [
        lambda: store.read("a"),
        lambda: store.write("a", b"", if_match=ABSENT),
        lambda: store.exists("a"),
        lambda: store.keys(""),
        lambda: store.folders("tracks/"),
        lambda: store.delete("a"),
        lambda: store.upload("a", source),
        lambda: store.local_copy("a").__aenter__(),
    ]
    for call in calls:
        with pytest.raises(kind, match=words) as told:
            await call()
        assert SECRET not in f"{told.value}{told.value.__cause__}"
    return str(told.value)


async def test_a_missing_container_is_told(azurite: Azurite) -> None:
    """With its address and the remedy; it is nobody's missing key."""
    store = BlobStore(Container("nowhere", azurite.connection_string))

    message = await every_call_fails(store, Mistake, "there is no container")

    assert f"{azurite.address}/unittests/nowhere. Make it" in message


async def test_a_wrong_key_is_told(azurite: Azurite, container: Container) -> None:
    """And does not appear in what is told."""
    wrong = replace(container, connection_string=replace(azurite, key=SECRET).connection_string)

    await every_call_fails(
        BlobStore(wrong), Mistake, r"does not let us in \(AuthorizationFailure\)|AuthenticationFailed"
    )


async def test_a_key_that_is_none_is_told(azurite: Azurite, container: Container) -> None:
    """Half a key, copied badly."""
    wrong = replace(container, connection_string=replace(azurite, key="half").connection_string)

    await every_call_fails(BlobStore(wrong), Mistake, "does not let us in")


async def test_a_service_that_is_down_is_worth_another_try(azurite: Azurite, container: Container) -> None:
    """The ledger and the tasks try again after an `OSError`."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        down = replace(azurite, address=f"http://127.0.0.1:{deaf.getsockname()[1]}", key=SECRET)

        await every_call_fails(through(down, container, retries=0), OSError, "Connect call failed|Connection refused")


async def test_an_unknown_account_is_told(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not exist will not exist at the next try either."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    text = f"DefaultEndpointsProtocol=https;AccountName=acount;AccountKey={SECRET}"
    store = BlobStore(Container("models", SecretStr(text), retries=0))

    message = await every_call_fails(store, Mistake, "is unknown. Correct the account")

    assert "https://acount.blob.core.windows.net/models" in message


@pytest.mark.parametrize(
    "settings",
    [
        {"connection_string": SecretStr(f"AccountKey={SECRET}")},
        {"connection_string": SecretStr(SECRET)},
        {"account_url": "account.blob.core.windows.net"},
        {"account_url": "http://account.blob.core.windows.net"},
        {"account_url": f"https://account.blob.core.windows.net/?sv=2024&sig={SECRET}"},
        {},
    ],
)
def test_settings_that_lead_nowhere_are_told_at_once(settings: dict[str, object]) -> None:
    """Before anything is asked of Azure, and without the secret."""
    with pytest.raises(Mistake, match=r"connection string .* is not one|must look like") as told:
        BlobStore(Container("models", **settings))

    assert SECRET not in f"{told.value}{told.value.__cause__}"


def test_no_secret_shows_in_a_store() -> None:
    """Its name is in messages and logs."""
    sas = f"BlobEndpoint=https://account.blob.core.windows.net/;SharedAccessSignature=sv=2024&sig={SECRET}"
    for container in (
        Container("models", SecretStr(sas)),
        Container("models", account_url="https://a.example", principal=Principal("t", "c", SecretStr(SECRET))),
    ):
        assert SECRET not in f"{BlobStore(container, 'speech')}{container!r}"
    assert str(BlobStore(Container("models", SecretStr(sas)), "/speech/")) == (
        "https://account.blob.core.windows.net/models/speech"
    )


def test_each_event_loop_has_one_client_and_closes_it(container: Container) -> None:
    """Tasks load a store, use it and forget it: nothing may stay open, and nothing is opened twice."""

    async def use() -> tuple[object, object]:
        await BlobStore(container).write("a", b"")
        await BlobStore(container, "other").write("a", b"")
        first, again = await CLIENTS.get(container), await CLIENTS.get(replace(container))
        assert first is again
        return first, first._client._client._pipeline._transport

    clients = [asyncio.run(use()) for _ in range(2)]

    assert clients[0][0] is not clients[1][0]
    assert [transport.session for _, transport in clients] == [None, None]
