"""Many senders at once wait for the disk together, and each is answered only after it."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from deployments.receiver.deliveries import News, Source
from deployments.receiver.group_commit import GroupCommit
from deployments.receiver.outbox import Outbox, OutboxUnavailable, Stored, Told
from tests.deployments.receiver.dispatch_kit import push
from tests.deployments.receiver.hook_kit import FakeClock


class SlowDisk(Outbox):
    """Counts transactions, each of which waits until it is let go."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        super().__init__(path, clock, patience=0)
        self.together: list[int] = []
        self.goes = threading.Event()

    def store_all(self, requests: Sequence[Told]) -> list[Stored | Exception]:
        """In its own time."""
        self.together.append(len(requests))
        self.goes.wait(60)
        return super().store_all(requests)


@pytest.fixture
def disk(tmp_path: Path, clock: FakeClock) -> SlowDisk:
    """An empty outbox."""
    return SlowDisk(tmp_path / "outbox.sqlite3", clock)


def told(*keys: str) -> Told:
    """A request with one push."""
    return Told(Source.GITHUB, [News("", keys, push())], "hash")


async def started(stores: GroupCommit, *requests: Told) -> list[asyncio.Task[Stored]]:
    """Senders that wait."""
    tasks = [asyncio.create_task(stores.store(one)) for one in requests]
    await asyncio.sleep(0)
    return tasks


async def test_whoever_comes_while_the_disk_writes_shares_the_next_transaction(disk: SlowDisk) -> None:
    """Twenty senders, two transactions; a repeated delivery among them is a duplicate."""
    stores = GroupCommit(disk)
    tasks = await started(stores, told("first"))
    tasks += await started(stores, *(told(f"{number % 10}") for number in range(20)))
    assert not any(task.done() for task in tasks)
    disk.goes.set()
    stored = await asyncio.gather(*tasks)

    assert disk.together == [1, 20]
    assert sum(len(one.accepted) for one in stored) == disk.count_pending() == 11
    assert sum(one.duplicates for one in stored) == 10


async def test_a_fault_of_one_request_costs_no_other(disk: SlowDisk) -> None:
    """It alone is told."""
    disk.goes.set()
    tasks = await started(GroupCommit(disk), told("a"), told("b", "\ud800"), told("c"))
    await asyncio.wait(tasks)

    assert [type(task.exception()) for task in tasks] == [type(None), UnicodeEncodeError, type(None)]
    assert disk.count_pending() == 2


async def test_a_full_disk_is_told_to_all(disk: SlowDisk) -> None:
    """Nothing of the transaction was kept, so nothing of it may be acknowledged; later all is well."""
    disk.goes.set()
    disk._db.execute("PRAGMA max_page_count = 12")
    many = Told(Source.GITHUB, [News("", [str(number)], push()) for number in range(1000)], "hash")
    stores = GroupCommit(disk)
    outcomes = await asyncio.gather(*await started(stores, told("a"), many), return_exceptions=True)
    assert [type(one) for one in outcomes] == [OutboxUnavailable] * 2
    assert disk.count_pending() == 0
    disk._db.execute("PRAGMA max_page_count = 100000")

    assert len((await stores.store(told("a"))).accepted) == 1


async def test_a_disk_that_hangs_does_not_let_every_sender_hang(
    disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are asked to come again; afterwards all is well."""
    monkeypatch.setattr("deployments.receiver.group_commit.PATIENCE_SECONDS", 0)
    stores = GroupCommit(disk)
    for task in await started(stores, told("a"), told("b")):
        with pytest.raises(OutboxUnavailable, match="too many wait"):
            await task
    monkeypatch.undo()
    late = await started(stores, told("c"))
    disk.goes.set()

    assert len((await late[0]).accepted) == 1
