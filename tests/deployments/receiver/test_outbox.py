"""What was acknowledged is there after a crash, once, until it had its effect and is old."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deployments.receiver.deliveries import News, Ping, Push, Source
from deployments.receiver.outbox import REMEMBERED, Outbox, OutboxUnavailable, State
from tests.deployments.receiver.hook_kit import FakeClock

PUSH = Push(repository="o/r", address="https://h/o/r.git", ref="refs/heads/main", before="0" * 40, after="1" * 40)


@pytest.fixture
def sqlite(tmp_path: Path, clock: FakeClock) -> Outbox:
    """An empty one in a file."""
    return Outbox(tmp_path / "outbox.sqlite3", clock, patience=0)


@pytest.fixture(params=["sqlite", "in_postgres"])
def outbox(request: pytest.FixtureRequest) -> Outbox:
    """An empty one, wherever it is."""
    found: Outbox = request.getfixturevalue(request.param)
    return found


def news(*keys: str) -> News:
    """A push that is known by these."""
    return News("d-1", keys, PUSH)


def store(outbox: Outbox, *keys: str) -> int:
    """How many were new."""
    return len(outbox.store(Source.GITHUB, [news(*keys)], "hash").accepted)


def test_what_was_stored_survives_kill_9(sqlite: Outbox, tmp_path: Path) -> None:
    """The files, as they are while the receiver still has them open, hold it."""
    store(sqlite, "a")
    (tmp_path / "after").mkdir()
    for file in tmp_path.glob("outbox.sqlite3*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, tmp_path / "after")
    again = Outbox(tmp_path / "after" / "outbox.sqlite3")

    assert again.pending() == sqlite.pending()
    assert store(again, "a") == 0


def test_the_disk_has_it_before_the_answer(sqlite: Outbox) -> None:
    """Every commit is synced (2 is FULL); what a WAL adds later is no matter."""
    assert sqlite._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert sqlite._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_equal_key_makes_a_duplicate(outbox: Outbox) -> None:
    """The same id with another body, or the same body under another id."""
    assert store(outbox, "id:1", "body:x") == 1
    assert store(outbox, "id:1", "body:y") == 0
    assert store(outbox, "id:2", "body:x") == 0
    assert store(outbox, "id:2", "body:y") == 1


def test_the_same_key_of_another_source_is_another(outbox: Outbox) -> None:
    """GitHub's 1 is not GitLab's 1."""
    outbox.store(Source.GITHUB, [news("1")], "hash")

    assert len(outbox.store(Source.GITLAB, [news("1")], "hash").accepted) == 1


def test_a_delivery_is_forgotten_30_days_after_it_came_if_it_is_done(outbox: Outbox, clock: FakeClock) -> None:
    """Not before, and never while it waits for its effect."""
    for key in ("done", "waiting"):
        store(outbox, key)
    done, waiting = outbox.pending()
    outbox.mark_done({done.id: "flow run 1"})
    clock.now += REMEMBERED
    assert (store(outbox, "done"), store(outbox, "waiting")) == (0, 0)
    clock.move(seconds=1)

    assert (store(outbox, "done"), store(outbox, "waiting")) == (1, 0)
    assert [delivery.id for delivery in outbox.pending()] == [waiting.id, done.id]


def test_the_id_is_the_same_whenever_the_same_delivery_comes(tmp_path: Path, outbox: Outbox) -> None:
    """So it can serve as an idempotency key, even after the outbox was lost."""
    store(outbox, "a")
    other = Outbox(tmp_path / "other.sqlite3")
    store(other, "a")

    assert other.pending()[0].id == outbox.pending()[0].id


def test_done_is_noted_once(outbox: Outbox) -> None:
    """Whoever comes second changes nothing."""
    store(outbox, "a")
    (delivery,) = outbox.pending()

    outbox.mark_done({delivery.id: "flow run 1"})
    outbox.mark_done({delivery.id: "flow run 2", "github-1": "never came"})
    assert outbox.state_of(delivery.id) == (State.DONE, "flow run 1")
    assert outbox.pending() == []


def test_nothing_is_told_of_what_never_came(outbox: Outbox) -> None:
    """A typing mistake does not pass silently."""
    with pytest.raises(LookupError, match="no delivery github-1"):
        outbox.state_of("github-1")


def test_a_ping_waits_for_nothing(outbox: Outbox) -> None:
    """It is done as it comes, and known when it comes again."""
    ping = News("d-1", ["a"], Ping(about="hook 1"))
    outbox.store(Source.GITHUB, [ping], "hash")

    assert outbox.count_pending() == 0
    assert outbox.store(Source.GITHUB, [ping], "hash").duplicates == 1


def test_pending_comes_in_the_order_of_arrival(outbox: Outbox) -> None:
    """As many as one wants."""
    outbox.store(Source.GITHUB, [news(str(number)) for number in range(5)], "hash")

    assert outbox.pending(2) == outbox.pending()[:2]
    assert outbox.count_pending() == 5


def test_a_batch_is_kept_whole_or_not_at_all(sqlite: Outbox) -> None:
    """Full in the middle: nothing was acknowledged, so nothing may be there."""
    sqlite._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(OutboxUnavailable, match="full"):
        sqlite.store(Source.GITHUB, [news(str(number)) for number in range(1000)], "hash")

    assert sqlite.pending() == []
    sqlite._db.execute("PRAGMA max_page_count = 100000")
    assert store(sqlite, "1") == 1


def test_a_fault_in_the_middle_of_a_batch_keeps_none_of_it(outbox: Outbox) -> None:
    """The sender sends all of it again, and each is new then."""
    with pytest.raises(UnicodeEncodeError):
        outbox.store(Source.GITHUB, [news("1"), news("\ud800")], "hash")

    assert outbox.pending() == []
    assert store(outbox, "1") == 1


def test_two_processes_share_one_outbox(sqlite: Outbox, tmp_path: Path) -> None:
    """The receiver stores, the reconciler marks."""
    store(sqlite, "a")
    reconciler = Outbox(tmp_path / "outbox.sqlite3")
    reconciler.mark_done({reconciler.pending()[0].id: "flow run 1"})

    assert sqlite.pending() == []


def test_while_another_writes_it_is_unavailable(sqlite: Outbox, tmp_path: Path) -> None:
    """And works again afterwards."""
    other = sqlite3.connect(tmp_path / "outbox.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutboxUnavailable, match="locked"):
        store(sqlite, "a")
    other.execute("ROLLBACK")
    other.close()

    assert store(sqlite, "a") == 1


def test_whoever_waits_too_long_for_the_others_is_told(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that hangs must not let every sender hang."""
    monkeypatch.setattr("deployments.receiver.outbox._TURN_SECONDS", 0)

    with outbox._lock, pytest.raises(OutboxUnavailable, match="too many wait"):
        store(outbox, "a")
    assert store(outbox, "a") == 1


def test_many_threads_store_one_delivery_once(outbox: Outbox) -> None:
    """All senders come at the same time."""
    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(lambda number: store(outbox, f"key-{number % 10}"), range(40)))

    assert sum(accepted) == len(outbox.pending()) == 10


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """Not overwritten."""
    path = tmp_path / "outbox.sqlite3"
    path.write_bytes(b"something else " * 100)

    with pytest.raises(OutboxUnavailable, match="not a database"):
        Outbox(path)
    assert path.read_bytes().startswith(b"something else")
