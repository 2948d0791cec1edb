"""The outbox in a PostgreSQL database, for receivers on several machines: one behaviour, the same statements."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg

from deployments.receiver.outbox import Clock, Outbox, OutboxUnavailable, Row, utc_now

T = TypeVar("T")

_LOCK = 5_047_331_902_417
"""Any number: whoever stores holds it, so that two receivers never store one delivery twice."""

_SCHEMA = f"""
BEGIN;
SELECT pg_advisory_xact_lock({_LOCK});
CREATE SCHEMA IF NOT EXISTS speechops_receiver;
CREATE TABLE IF NOT EXISTS deliveries (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    received_at DOUBLE PRECISION NOT NULL, document TEXT NOT NULL, state TEXT NOT NULL, what TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, received_at);
CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY, number BIGINT NOT NULL REFERENCES deliveries ON DELETE CASCADE);
CREATE INDEX IF NOT EXISTS keys_by_number ON keys (number);
CREATE TABLE IF NOT EXISTS probes (number INTEGER PRIMARY KEY, content TEXT NOT NULL);
COMMIT;
"""
_IDLE_SECONDS = 10
"""After which the server ends a receiver that was stopped in the middle of a transaction: it holds the lock."""

_REMEDIES = {
    asyncpg.ReadOnlySQLTransactionError: "Name the primary in SPEECHOPS_OUTBOX_URL, or switch default_transaction_read_only off.",
    asyncpg.LockNotAvailableError: "Another receiver is storing and does not end: see pg_stat_activity, application_name "
    "'speechops receiver', and pg_terminate_backend.",
    asyncpg.DiskFullError: "Make room on the server's disk.",
    TimeoutError: "It does not answer: look at its load, its log, and the network.",
    OSError: "It cannot be reached: is it running?",
}

_SETTINGS = {"search_path": "speechops_receiver", "synchronous_commit": "on", "application_name": "speechops receiver"}


class PostgresOutbox(Outbox):
    """The deliveries of one or several receivers. A connection that broke is made anew by whoever needs it next."""

    _begin = ("BEGIN", f"SELECT pg_advisory_xact_lock({_LOCK})")

    def __init__(self, url: str, clock: Clock = utc_now, patience: float = 4.0) -> None:
        """Connect, and make the tables where they are missing.

        Args:
            url: such as `postgresql://user:password@host/database`.
            clock: tells the time; that of all receivers should be the same.
            patience: seconds to wait for the server, or for another receiver that is storing.

        Raises:
            OutboxUnavailable: the server cannot be reached, or does not let us in.
        """
        self._url = url
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: Any = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="outbox", daemon=True)
        self._thread.start()
        try:
            self._rows("SELECT 1", ())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._loop.is_closed():
                return
            asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _run(self, query: str, values: Sequence[object] = ()) -> Sequence[Row]:
        return self._waited(self._fetched(_numbered(query), values))

    def _is_in_transaction(self) -> bool:
        return bool(self._connection and not self._connection.is_closed() and self._connection.is_in_transaction())

    def _get_ready(self) -> None:
        """Connects between two turns only: a transaction whose connection broke must not go on with another one."""
        self._waited(self._connect())

    def _is_there(self) -> bool:
        return True  # the server answered

    @contextmanager
    def _told(self) -> Iterator[None]:
        yield

    async def _connect(self) -> None:
        if self._connection and not self._connection.is_closed() and self._connection.is_in_transaction():
            self._connection.terminate()  # a former turn could not even take it back
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connected()

    async def _fetched(self, query: str, values: Sequence[object]) -> Sequence[Row]:
        rows: Sequence[Row] = await self._connection.fetch(query, *values)
        return rows

    async def _connected(self) -> Any:
        connection = await asyncpg.connect(
            self._url, timeout=self._patience, command_timeout=self._patience, server_settings=_SETTINGS
        )
        try:
            await connection.execute(
                f"SET lock_timeout = {int(self._patience * 750)}; "
                f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s';{_SCHEMA}"
            )
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _drop(self) -> None:
        """The next turn gets a new connection: of one that timed out, or became read-only, nothing good is to be expected."""
        if self._connection:
            self._connection.terminate()
            await asyncio.sleep(0)  # until its socket is closed

    def _waited(self, work: Coroutine[Any, Any, T]) -> T:
        """What it gives; trouble of the connection is told by its kind, for its text may quote the URL."""
        if self._loop.is_closed():
            work.close()
            raise OutboxUnavailable("it is closed")
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except (OutboxUnavailable, UnicodeError):
            raise
        except asyncpg.PostgresError as error:
            if isinstance(error, asyncpg.InvalidTransactionStateError):
                asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result()
            raise OutboxUnavailable(f"PostgreSQL: {error}. {_remedy(error)}".rstrip()) from error
        except (OSError, TimeoutError, asyncpg.InterfaceError, ValueError) as error:
            if isinstance(error, TimeoutError):
                asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result()
            raise OutboxUnavailable(f"PostgreSQL: {type(error).__name__}. {_remedy(error)}".rstrip()) from None


def _remedy(error: Exception) -> str:
    return next((remedy for kind, remedy in _REMEDIES.items() if isinstance(error, kind)), "")


def _numbered(query: str) -> str:
    """With PostgreSQL's placeholders.

    >>> _numbered("SELECT state FROM deliveries WHERE id = ? AND state = ?")
    'SELECT state FROM deliveries WHERE id = $1 AND state = $2'
    """
    first, *others = query.split("?")
    return first + "".join(f"${number}{other}" for number, other in enumerate(others, 1))
