"""Deliveries that were acknowledged, and those among them that still wait for their effect: one SQLite file.

Every method is one transaction, and the disk has it before the method returns, so that a killed receiver has lost nothing
that it acknowledged. Several processes may use one file. Another database needs a class with these methods.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from deployments.receiver.deliveries import Delivery, Kind, News, Source, digest

REMEMBERED = timedelta(days=30)
"""How long a delivery that is done is kept, to know it when it comes again."""

_TURN_SECONDS = 5.0
"""How long one waits for the others of this process; senders wait for 10 seconds (GitHub, GitLab) or more."""
_SETTINGS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, received_at REAL NOT NULL, document TEXT NOT NULL,
    state TEXT NOT NULL, what TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, received_at);
CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY, number INTEGER NOT NULL REFERENCES deliveries ON DELETE CASCADE) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_by_number ON keys (number);
CREATE TABLE IF NOT EXISTS checks (number INTEGER PRIMARY KEY, checked_at REAL NOT NULL);
"""

Clock = Callable[[], datetime]


class OutboxUnavailable(Exception):
    """The outbox cannot be used now: locked, full, broken, gone. The same may work later."""


class State(StrEnum):
    """How far a delivery is."""

    STORED = "stored"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of what one request told."""

    accepted: Sequence[Delivery]
    duplicates: int


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class Outbox:
    """The deliveries of one receiver. Safe to use from several threads."""

    def __init__(self, path: Path, clock: Clock = utc_now, patience: float = 2.0) -> None:
        """Open the file, or make it.

        Args:
            path: the file; its folder must exist.
            clock: tells the time.
            patience: seconds to wait for another process that is writing.

        Raises:
            OutboxUnavailable: it cannot be opened, or is no database.
        """
        self._clock = clock
        self._lock = threading.Lock()
        with _told_as_unavailable():
            self._db = sqlite3.connect(path, isolation_level=None, timeout=patience, check_same_thread=False)
            try:
                self._db.executescript(_SETTINGS + _SCHEMA)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Give the file free."""
        with self._lock:
            self._db.close()

    def store(self, source: Source, news: Sequence[News], raw_hash: str) -> Stored:
        """Keep what one request told, all or nothing, but for what is known already; a ping is done at once.

        Raises:
            OutboxUnavailable: nothing was kept.
        """
        now = self._clock()
        accepted = []
        with self._transaction():
            self._forget(now - REMEMBERED)
            for one in news:
                keys = [digest(f"{source}:{key}".encode()) for key in one.keys]
                if not self._knows(keys):
                    accepted.append(_delivery(keys[0], source, one, raw_hash, now))
                    self._insert(accepted[-1], keys)
        return Stored(accepted, len(news) - len(accepted))

    def pending(self, most: int = 1000) -> list[Delivery]:
        """What still waits for its effect, the oldest first.

        Raises:
            OutboxUnavailable: it cannot be read now.
        """
        query = "SELECT document FROM deliveries WHERE state = ? ORDER BY number LIMIT ?"
        return [Delivery.model_validate_json(row[0]) for row in self._rows(query, (State.STORED, most))]

    def count_pending(self) -> int:
        """How many still wait.

        Raises:
            OutboxUnavailable: it cannot be read now.
        """
        return int(self._rows("SELECT COUNT(*) FROM deliveries WHERE state = ?", (State.STORED,))[0][0])

    def state_of(self, delivery_id: str) -> tuple[State, str]:
        """How far a delivery is, and what was done.

        Raises:
            LookupError: there is no such delivery (any more).
            OutboxUnavailable: it cannot be read now.
        """
        rows = self._rows("SELECT state, what FROM deliveries WHERE id = ?", (delivery_id,))
        if not rows:
            raise LookupError(f"the outbox has no delivery {delivery_id}")
        return State(rows[0][0]), rows[0][1]

    def mark_done(self, delivery_id: str, what: str) -> bool:
        """Note that a delivery had its effect, such as `flow run <id>`; False if that was noted before, and it stays.

        Raises:
            LookupError: there is no such delivery.
            OutboxUnavailable: it was not noted.
        """
        update = "UPDATE deliveries SET state = ?, what = ? WHERE id = ? AND state = ?"
        with self._transaction():
            changed = self._db.execute(update, (State.DONE, what, delivery_id, State.STORED)).rowcount
        if not changed:
            self.state_of(delivery_id)
        return bool(changed)

    def check(self) -> None:
        """Write something.

        Raises:
            OutboxUnavailable: that does not work now.
        """
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO checks VALUES (1, ?)", (self._clock().timestamp(),))

    def _forget(self, before: datetime) -> None:
        """What is done and old; what still waits is never forgotten, and so is known however late it comes again."""
        self._db.execute("DELETE FROM deliveries WHERE state = ? AND received_at < ?", (State.DONE, before.timestamp()))

    def _knows(self, keys: Sequence[str]) -> bool:
        return any(self._db.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone() for key in keys)

    def _insert(self, delivery: Delivery, keys: Sequence[str]) -> None:
        state = State.DONE if delivery.kind is Kind.PING else State.STORED
        number = self._db.execute(
            "INSERT INTO deliveries (id, received_at, document, state) VALUES (?, ?, ?, ?)",
            (delivery.id, delivery.received_at.timestamp(), delivery.model_dump_json(), state),
        ).lastrowid
        self._db.executemany("INSERT INTO keys VALUES (?, ?)", [(key, number) for key in dict.fromkeys(keys)])

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[str, ...]]:
        with self._turn():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_TURN_SECONDS):
            raise OutboxUnavailable("too many wait for it")
        try:
            with _told_as_unavailable():
                yield
        finally:
            self._lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._turn():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")


def _delivery(key: str, source: Source, news: News, raw_hash: str, now: datetime) -> Delivery:
    return Delivery(
        id=f"{source}-{key[:32]}",
        sender_id=news.sender_id,
        source=source,
        received_at=now,
        raw_hash=raw_hash,
        subject=news.subject,
    )


@contextmanager
def _told_as_unavailable() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OutboxUnavailable(str(error)) from error
