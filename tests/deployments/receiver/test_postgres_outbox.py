"""What is different when the outbox is a server: it may be gone, and several receivers may store at once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from deployments.receiver.deliveries import News, Source
from deployments.receiver.outbox import OutboxUnavailable
from deployments.receiver.postgres_outbox import PostgresOutbox
from deployments.receiver.serving import opened_outbox
from deployments.receiver.settings import ReceiverSettings
from domain.mistakes import Mistake
from tests.deployments.receiver.dispatch_kit import push
from tests.deployments.receiver.hook_kit import FakeClock


def news(*keys: str) -> News:
    """A push that is known by these."""
    return News("d-1", keys, push())


def broken(outbox: PostgresOutbox) -> None:
    """As by a server that is restarted."""

    async def terminate() -> None:
        outbox._connection.terminate()

    asyncio.run_coroutine_threadsafe(terminate(), outbox._loop).result()


def test_two_receivers_store_one_delivery_once(in_postgres: PostgresOutbox, database: str, clock: FakeClock) -> None:
    """Both get it at the same moment, again and again; one of them finds that it is known."""
    with closing(PostgresOutbox(database, clock)) as other, ThreadPoolExecutor(8) as pool:

        def store(number: int) -> int:
            outbox = (in_postgres, other)[number % 2]
            return len(outbox.store(Source.GITHUB, [news(f"key-{number // 4}")], "hash").accepted)

        accepted = list(pool.map(store, range(80)))

    assert sum(accepted) == in_postgres.count_pending() == 20


def test_a_connection_that_broke_is_made_anew(in_postgres: PostgresOutbox) -> None:
    """Nobody has to start the receiver again."""
    in_postgres.store(Source.GITHUB, [news("a")], "hash")
    broken(in_postgres)

    assert in_postgres.store(Source.GITHUB, [news("a")], "hash").duplicates == 1


def test_a_connection_that_breaks_in_the_middle_keeps_nothing(
    in_postgres: PostgresOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the transaction must not go through another connection, and nothing is acknowledged."""
    knows = in_postgres._knows

    def breaks(keys: list[str]) -> bool:
        found = knows(keys)
        broken(in_postgres)
        return found

    monkeypatch.setattr(in_postgres, "_knows", breaks)
    with pytest.raises(OutboxUnavailable, match="PostgreSQL"):
        in_postgres.store(Source.GITHUB, [news("a"), news("b")], "hash")
    monkeypatch.undo()

    assert in_postgres.count_pending() == 0
    assert len(in_postgres.store(Source.GITHUB, [news("a")], "hash").accepted) == 1


def test_while_another_stores_one_waits_and_is_told(in_postgres: PostgresOutbox, database: str) -> None:
    """Not for ever; and it works again afterwards."""
    with closing(PostgresOutbox(database, patience=0.2)) as other:
        with in_postgres._transaction(), pytest.raises(OutboxUnavailable, match="lock timeout"):
            other.check()
        other.check()


def test_a_server_that_cannot_be_used_is_a_mistake_that_shows_no_password(tmp_path: Path) -> None:
    """One line, with what to do."""
    for url in (
        f"postgresql://me:hidden@/data?host={tmp_path}",
        "mysql://me:hidden@host/data",
        "postgresql://me:hidden@h:x",
    ):
        settings = ReceiverSettings(data=tmp_path, outbox_url=SecretStr(url))
        with pytest.raises(Mistake, match="SPEECHOPS_OUTBOX_URL") as told:
            opened_outbox(tmp_path, settings.outbox_url)
        assert "hidden" not in f"{told.value}{settings!r}"


def test_the_receivers_own_outbox_is_the_database(database: str, tmp_path: Path) -> None:
    """No file is made."""
    with closing(opened_outbox(tmp_path / "data", SecretStr(database))) as outbox:
        outbox.check()

    assert not (tmp_path / "data").exists()


def test_what_is_closed_is_unavailable(database: str) -> None:
    """Also while the receiver stops."""
    outbox = PostgresOutbox(database)
    outbox.close()
    outbox.close()

    with pytest.raises(OutboxUnavailable, match="closed"):
        outbox.check()
