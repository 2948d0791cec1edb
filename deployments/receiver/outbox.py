"""Deliveries that were acknowledged, and those among them that still wait for their effect: one SQLite file.

Every method is one transaction, and the disk has it before the method returns, so that a killed receiver has lost nothing
that it acknowledged. Several processes may use one file. `postgres_outbox` has the same for several machines.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deployments.receiver.deliveries import Delivery, Kind, News, Source, digest
from deployments.receiver.outbox_file import connected, explained, identity, make_private, put_log_aside

REMEMBERED = timedelta(days=30)
"""How long a delivery that is done is kept, to know it when it comes again."""

_TURN_SECONDS = 5.0
"""How long one waits for the others of this process; senders wait for 10 seconds (GitHub, GitLab) or more."""
_PROBE_BYTES = 32 * 1024
"""As many pages as a delivery with its indexes, and some more: a disk that has no room for one has none for the other."""

_SETTINGS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, received_at REAL NOT NULL, document TEXT NOT NULL,
    state TEXT NOT NULL, what TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, received_at);
CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY, number INTEGER NOT NULL REFERENCES deliveries ON DELETE CASCADE) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_by_number ON keys (number);
CREATE TABLE IF NOT EXISTS probes (number INTEGER PRIMARY KEY, content TEXT NOT NULL);
"""

Clock = Callable[[], datetime]
Row = Sequence[Any]


class OutboxUnavailable(Exception):
    """The outbox cannot be used now: locked, full, read-only, broken, gone. The same may work later.

    The message says why, and what to do; it is for the log.
    """


class State(StrEnum):
    """How far a delivery is."""

    STORED = "stored"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Told:
    """What one request told, and the SHA-256 of its body."""

    source: Source
    news: Sequence[News]
    raw_hash: str


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

    _begin: Sequence[str] = ("BEGIN IMMEDIATE",)

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
        self._path = path
        self._patience = patience
        self._is_closed = self._is_open = False
        with self._told():
            make_private(path)
            self._open()

    def close(self) -> None:
        """Give the file free."""
        with self._lock:
            self._is_closed = True
            self._db.close()

    def now(self) -> datetime:
        """The time, by the clock that its deliveries are stamped with."""
        return self._clock()

    def store(self, source: Source, news: Sequence[News], raw_hash: str) -> Stored:
        """Keep what one request told, all or nothing, but for what is known already; a ping is done at once.

        Raises:
            OutboxUnavailable: nothing was kept.
        """
        (stored,) = self.store_all([Told(source, news, raw_hash)])
        if isinstance(stored, Exception):
            raise stored
        return stored

    def store_all(self, requests: Sequence[Told]) -> list[Stored | Exception]:
        """Keep what several requests told in one transaction, so that the disk is waited for only once.

        Returns:
            What `store` would have returned for each, or the error for which nothing of that request was kept.

        Raises:
            OutboxUnavailable: nothing of any of them was kept.
        """
        now = self._clock()
        with self._transaction():
            self._forget(now - REMEMBERED)
            return [self._stored(told, now) for told in requests]

    def _stored(self, told: Told, now: datetime) -> Stored | Exception:
        accepted = []
        self._run("SAVEPOINT request")
        try:
            for one in told.news:
                keys = [digest(f"{told.source}:{key}".encode()) for key in one.keys]
                if not self._knows(keys):
                    accepted.append(_delivery(keys[0], told.source, one, told.raw_hash, now))
                    self._insert(accepted[-1], keys)
        except (sqlite3.Error, OutboxUnavailable):
            raise
        except Exception as error:  # a fault of this one request must not cost the others
            self._run("ROLLBACK TO request")
            return error
        finally:
            if self._is_in_transaction():
                self._run("RELEASE request")
        return Stored(accepted, len(told.news) - len(accepted))

    def pending(self, most: int = 1000) -> list[Delivery]:
        """What still waits for its effect, the oldest first.

        Raises:
            OutboxUnavailable: it cannot be read now.
        """
        query = "SELECT document FROM deliveries WHERE state = ? ORDER BY number LIMIT ?"
        return [Delivery.model_validate_json(row[0]) for row in self._rows(query, (State.STORED, most))]

    def pending_ids(self, most: int) -> list[str]:
        """The ids of what still waits, the oldest first.

        Raises:
            OutboxUnavailable: it cannot be read now.
        """
        query = "SELECT id FROM deliveries WHERE state = ? ORDER BY number LIMIT ?"
        return [row[0] for row in self._rows(query, (State.STORED, most))]

    def deliveries(self, ids: Sequence[str]) -> list[Delivery]:
        """Those of these that are there and that this version can read, the oldest first.

        Raises:
            OutboxUnavailable: it cannot be read now.
        """
        places = ", ".join("?" * len(ids))
        query = f"SELECT document FROM deliveries WHERE id IN ({places}) ORDER BY number"  # noqa: S608 - only `?`
        return [delivery for row in self._rows(query, ids) if (delivery := _readable(row[0]))]

    def oldest_pending(self) -> datetime | None:
        """When what has waited longest came.

        Raises:
            OutboxUnavailable: it cannot be read now.
        """
        query = "SELECT received_at FROM deliveries WHERE state = ? ORDER BY received_at LIMIT 1"
        rows = self._rows(query, (State.STORED,))
        return datetime.fromtimestamp(float(rows[0][0]), UTC) if rows else None

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

    def mark_done(self, what: Mapping[str, str]) -> None:
        """Note what was done, by id; what was noted before stays, and what is unknown is none of ours.

        Raises:
            OutboxUnavailable: nothing was noted.
        """
        update = "UPDATE deliveries SET state = ?, what = ? WHERE id = ? AND state = ?"
        with self._transaction():
            for delivery_id, note in what.items():
                self._run(update, (State.DONE, note, delivery_id, State.STORED))

    def check(self) -> None:
        """Write something in the way of a delivery, and read it.

        Raises:
            OutboxUnavailable: that does not work now.
        """
        content = self._clock().isoformat().ljust(_PROBE_BYTES, ".")
        with self._transaction():
            self._run(
                "INSERT INTO probes VALUES (1, ?) ON CONFLICT (number) DO UPDATE SET content = excluded.content",
                (content,),
            )
        if not self._rows("SELECT number FROM probes", ()):
            raise OutboxUnavailable("what was written is not there")

    def _forget(self, before: datetime) -> None:
        """What is done and old; what still waits is never forgotten, and so is known however late it comes again."""
        self._run("DELETE FROM deliveries WHERE state = ? AND received_at < ?", (State.DONE, before.timestamp()))

    def _knows(self, keys: Sequence[str]) -> bool:
        return any(self._run("SELECT 1 FROM keys WHERE key = ?", (key,)) for key in keys)

    def _insert(self, delivery: Delivery, keys: Sequence[str]) -> None:
        state = State.DONE if delivery.kind is Kind.PING else State.STORED
        ((number,),) = self._run(
            "INSERT INTO deliveries (id, received_at, document, state) VALUES (?, ?, ?, ?) RETURNING number",
            (delivery.id, delivery.received_at.timestamp(), delivery.model_dump_json(), state),
        )
        for key in dict.fromkeys(keys):
            self._run("INSERT INTO keys VALUES (?, ?)", (key, number))

    def _rows(self, query: str, values: Sequence[object]) -> Sequence[Row]:
        with self._turn():
            return self._run(query, values)

    def _run(self, query: str, values: Sequence[object] = ()) -> Sequence[Row]:
        return self._db.execute(query, values).fetchall()

    def _is_in_transaction(self) -> bool:
        return self._db.in_transaction

    def _open(self) -> None:
        self._db = connected(self._path, self._patience, _SETTINGS + _SCHEMA)
        self._identity = identity(self._path)
        self._is_open = True

    def _get_ready(self) -> None:
        """Another file in the place of the one that is open is opened; without any, nothing can be kept.

        A new one is not made: the folder may be that of a disk that is not mounted just now.
        """
        if self._is_closed:
            raise OutboxUnavailable("it is closed")
        if self._is_there():
            return
        self._is_open = False
        self._db.close()
        if not self._path.exists():
            raise OutboxUnavailable(
                f"{self._path} is gone. Put it back, or restart the receiver, which begins a new one: then what waited is lost"
            )
        put_log_aside(self._path, self._identity)
        make_private(self._path)
        self._open()

    def _is_there(self) -> bool:
        """Whether what is open is what lies in the folder."""
        return self._is_open and identity(self._path) == self._identity

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutboxUnavailable(explained(error, self._path)) from error
        except OSError as error:
            raise OutboxUnavailable(f"{self._path}: {error.strerror}") from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_TURN_SECONDS):
            raise OutboxUnavailable("too many wait for it")
        try:
            with self._told():
                self._get_ready()
                yield
        finally:
            self._lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._turn():
            for statement in self._begin:
                self._run(statement)
            try:
                yield
                self._run("COMMIT")
            finally:
                if self._is_in_transaction():
                    self._run("ROLLBACK")
            if not self._is_there():
                raise OutboxUnavailable("it was taken away while it was written")


def _delivery(key: str, source: Source, news: News, raw_hash: str, now: datetime) -> Delivery:
    return Delivery(
        id=f"{source}-{key[:32]}",
        sender_id=news.sender_id,
        source=source,
        received_at=now,
        raw_hash=raw_hash,
        subject=news.subject,
    )


def _readable(document: str) -> Delivery | None:
    try:
        return Delivery.model_validate_json(document)
    except ValidationError:
        return None
