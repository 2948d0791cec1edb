"""What is different when the outbox is a server: it may be gone, and several receivers may store at once."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from deployments.receiver.app import create_app
from deployments.receiver.deliveries import News, Source
from deployments.receiver.outbox import OutboxUnavailable
from deployments.receiver.postgres_outbox import _LOCK, PostgresOutbox
from deployments.receiver.serving import opened_outbox
from deployments.receiver.settings import ReceiverSettings
from domain.mistakes import Mistake
from tests.deployments.receiver.dispatch_kit import push
from tests.deployments.receiver.hook_kit import OPEN, FakeClock, github, payload
from tests.deployments.receiver.postgres_kit import folder_of, start, stop


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


@contextmanager
def serving(outbox: PostgresOutbox) -> Iterator[httpx.AsyncClient]:
    """A receiver on that outbox."""
    settings: Any = OPEN
    transport = httpx.ASGITransport(create_app(ReceiverSettings(**settings), outbox))
    yield httpx.AsyncClient(transport=transport, base_url="http://receiver")


async def answers(client: httpx.AsyncClient) -> tuple[int, int]:
    """To a push, the same each time, and to the probe."""
    push = github(payload("github-push"))
    told = await client.post(push.path, content=push.body, headers=push.headers)
    return told.status_code, (await client.get("/readyz")).status_code


@pytest.fixture
def unkept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each probe looks."""
    monkeypatch.setattr("deployments.receiver.health.KEPT_SECONDS", 0.0)


@pytest.mark.usefixtures("unkept")
async def test_while_the_database_is_read_only_senders_come_again(
    in_postgres: PostgresOutbox, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a failover: nothing is acknowledged, the log says what to do, and it works again without a restart."""
    admin = await asyncpg.connect(database, server_settings={"default_transaction_read_only": "off"})
    with serving(in_postgres) as client:
        await admin.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        broken(in_postgres)
        refused = await answers(client)
        await admin.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
        taken = await answers(client)
    await admin.close()

    assert (refused, taken) == ((503, 503), (202, 200))
    assert "SPEECHOPS_OUTBOX_URL" in caplog.text


@pytest.mark.usefixtures("unkept")
async def test_a_connection_that_became_read_only_is_given_up(in_postgres: PostgresOutbox) -> None:
    """The server that it led to may be a standby now; the next one leads to whoever answers."""
    in_postgres._run("SET default_transaction_read_only = on", ())
    with serving(in_postgres) as client:
        assert (await answers(client))[0] == 503
        assert await answers(client) == (202, 200)


@pytest.mark.slow
@pytest.mark.usefixtures("unkept")
async def test_a_server_that_is_restarted_costs_no_delivery(in_postgres: PostgresOutbox, database: str) -> None:
    """While it is away senders are asked to come again; then all goes on, and what was acknowledged is there."""
    with serving(in_postgres) as client:
        before = await answers(client)
        await asyncio.to_thread(stop, folder_of(database))
        away = await answers(client)
        await asyncio.to_thread(start, folder_of(database))
        after = await answers(client)

    assert (before, away, after) == ((202, 200), (503, 503), (200, 200))


@pytest.mark.slow
def test_a_receiver_that_is_stopped_while_it_stores_holds_nobody_up_for_ever(
    in_postgres: PostgresOutbox, database: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends it, and with it the lock."""
    monkeypatch.setattr("deployments.receiver.postgres_outbox._IDLE_SECONDS", 1)
    with closing(PostgresOutbox(database, clock)) as stopped:
        stopped._run("BEGIN", ())
        stopped._run(f"SELECT pg_advisory_xact_lock({_LOCK})", ())

        in_postgres.check()


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
