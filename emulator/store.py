"""All state, in one SQLite file: the only SQL of the emulator.

The server's event loop is the only user: workers hand their results to it. One process per data folder, which the
exclusive lock on the database makes sure. Every change is one transaction, so a killed server resumes from a whole state.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from emulator.entities import (
    CustomModel,
    Dataset,
    Endpoint,
    Entity,
    Evaluation,
    ModelCopy,
    Noun,
    Recording,
    Status,
    StoredFile,
    Transcription,
    WebHook,
    path_of,
)
from emulator.events import Event, kinds_of

SCHEMA = """
CREATE TABLE IF NOT EXISTS entities (
    id TEXT PRIMARY KEY, noun TEXT NOT NULL, status TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entities_by_noun ON entities (noun, id);
CREATE TABLE IF NOT EXISTS uses (user TEXT NOT NULL, used TEXT NOT NULL, PRIMARY KEY (user, used));
CREATE INDEX IF NOT EXISTS uses_by_used ON uses (used);
CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, owner TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS files_by_owner ON files (owner);
CREATE TABLE IF NOT EXISTS recordings (
    dataset TEXT NOT NULL, position INTEGER NOT NULL, audio TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (dataset, position));
CREATE INDEX IF NOT EXISTS recordings_by_audio ON recordings (audio);
CREATE TABLE IF NOT EXISTS blocks (
    dataset TEXT NOT NULL, name TEXT NOT NULL, committed INTEGER NOT NULL, size INTEGER NOT NULL, position INTEGER,
    PRIMARY KEY (dataset, name, committed));
CREATE TABLE IF NOT EXISTS decodes (
    recipe TEXT NOT NULL, audio TEXT NOT NULL, recognition TEXT NOT NULL, PRIMARY KEY (recipe, audio));
CREATE TABLE IF NOT EXISTS trainings (recipe TEXT PRIMARY KEY, report TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, path TEXT NOT NULL, UNIQUE (path, kind));
CREATE INDEX IF NOT EXISTS events_by_kind ON events (kind, number);
CREATE TABLE IF NOT EXISTS copy_authorizations (
    id TEXT PRIMARY KEY, document TEXT NOT NULL, operation TEXT, model TEXT);
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""

OVERVIEW = (
    "id, noun, status, json_extract(document, '$.display_name'), json_extract(document, '$.created_date_time'),"
    " json_extract(document, '$.last_action_date_time')"
)
"""Columns of an entity that can be shown to anybody who may look."""

OWNED_ROWS = {"files": "owner", "recordings": "dataset", "blocks": "dataset", "uses": "user", "entities": "id"}
"""Tables with rows that go with an entity, and the column with its id."""

KINDS: dict[Noun, type[Entity]] = {
    kind.noun: kind for kind in (Dataset, CustomModel, Evaluation, Endpoint, Transcription, WebHook, ModelCopy)
}
E = TypeVar("E", bound=Entity)


class StoreUnusable(Exception):
    """The database cannot be opened: another emulator has it, or it is none."""

    def __init__(self, reason: str, *, is_in_use: bool) -> None:
        super().__init__(reason)
        self.is_in_use = is_in_use


class Store:
    """Entities, files, blocks, decodes and counters."""

    def __init__(self, path: Path) -> None:
        self.on_events: Callable[[list[Event]], None] = lambda _: None
        """Is told what happened to entities, once it is committed."""
        self.come_out: dict[str, Entity] = {}
        """Base models, by id, that came out since the server was started; they go with it."""
        self._raised: list[Event] = []
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(f"BEGIN IMMEDIATE;{SCHEMA}COMMIT;")
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise StoreUnusable(str(error), is_in_use="locked" in str(error)) from error

    def close(self) -> None:
        """Give the folder free."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested, the outermost one counts."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._raised = []
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        raised, self._raised = self._raised, []
        if raised:
            self.on_events(raised)

    # Entities

    def save(self, entity: Entity) -> None:
        """Insert or replace an entity, and what it uses."""
        row = (entity.id, entity.noun, entity.status, entity.model_dump_json(exclude_none=True))
        with self.transaction():
            self._raise(entity.id, entity.status, entity.noun)
            self._db.execute("INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?)", row)
            self._db.execute("DELETE FROM uses WHERE user = ?", (entity.id,))
            self._db.executemany("INSERT INTO uses VALUES (?, ?)", [(entity.id, used) for used in entity.used()])

    def find(self, kind: type[E], entity_id: str) -> E | None:
        """The entity, or None."""
        rows = self._db.execute("SELECT document FROM entities WHERE noun = ? AND id = ?", (kind.noun, entity_id))
        row = rows.fetchone()
        return kind.model_validate_json(row[0]) if row else None

    def all(self, kind: type[E]) -> Iterator[E]:
        """Every entity of a kind, by id: an order that says nothing about age."""
        rows = self._db.execute("SELECT document FROM entities WHERE noun = ? ORDER BY id", (kind.noun,)).fetchall()
        return (kind.model_validate_json(document) for (document,) in rows)

    def rows(self, noun: Noun) -> Iterator[tuple[str, str]]:
        """Id and document of every entity of a noun, by id, read one by one: await nothing meanwhile."""
        return self._db.execute("SELECT id, document FROM entities WHERE noun = ? ORDER BY id", (noun,))

    def latest(self, most: int, noun: Noun | None = None) -> list[dict[str, str]]:
        """What people look for: the entities that changed last, newest first, without their contents."""
        query = f"SELECT {OVERVIEW} FROM entities WHERE noun = COALESCE(?, noun) ORDER BY rowid DESC LIMIT ?"  # noqa: S608
        return self._overview(query, (noun, most))

    def under_way(self, most: int) -> list[dict[str, str]]:
        """The entities that are not final, the one that changed last at the end."""
        query = f"SELECT {OVERVIEW} FROM entities WHERE status IN (?, ?) ORDER BY rowid LIMIT ?"  # noqa: S608
        return self._overview(query, (Status.NOT_STARTED, Status.RUNNING, most))

    def _overview(self, query: str, values: tuple[Any, ...]) -> list[dict[str, str]]:
        rows = self._db.execute(query, values).fetchall()
        return [
            dict(zip(("id", "noun", "status", "display_name", "created", "since"), row, strict=True)) for row in rows
        ]

    def unfinished(self) -> list[Entity]:
        """What a restarted server has to go on with."""
        open_states = (Status.NOT_STARTED, Status.RUNNING)
        rows = self._db.execute("SELECT noun, document FROM entities WHERE status IN (?, ?)", open_states).fetchall()
        return [KINDS[Noun(noun)].model_validate_json(document) for noun, document in rows]

    def expired_transcriptions(self, now: datetime) -> list[Transcription]:
        """Those that were submitted, and ended longer ago than they were to be kept."""
        query = """SELECT document FROM entities WHERE noun = ? AND status IN (?, ?) AND document ->> '$.submitted'
            AND unixepoch(document ->> '$.last_action_date_time')
                + 3600 * (document ->> '$.properties.timeToLiveHours') <= ?"""
        values = (Noun.TRANSCRIPTIONS, Status.SUCCEEDED, Status.FAILED, now.timestamp())
        rows = self._db.execute(query, values).fetchall()
        return [Transcription.model_validate_json(document) for (document,) in rows]

    def users(self, entity_id: str) -> list[str]:
        """Nouns of the entities that use this one."""
        query = "SELECT noun FROM uses JOIN entities ON entities.id = uses.user WHERE used = ?"
        return sorted({noun for (noun,) in self._db.execute(query, (entity_id,))})

    def delete(self, entity_id: str) -> list[str]:
        """Forget an entity and all that is its own; the result names the contents that nothing shows any more."""
        with self.transaction():
            contents = [file.content for file in self.files(entity_id)] + self._only_audio_of(entity_id)
            self._raise(entity_id, None)
            for table, column in OWNED_ROWS.items():
                self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", (entity_id,))  # noqa: S608  our names
        return contents

    def _raise(self, entity_id: str, after: Status | None, noun: Noun | None = None) -> None:
        """Note the events that a change is, before it is written; of deletions only each noun's last is kept."""
        row = self._db.execute("SELECT noun, status FROM entities WHERE id = ?", (entity_id,)).fetchone()
        noun, before = (Noun(row[0]), Status(row[1])) if row else (noun, None)
        events = [Event(kind, path_of(noun, entity_id)) for kind in kinds_of(noun, before, after)] if noun else []
        for event in events:
            if after is None:
                self._db.execute("DELETE FROM events WHERE path = ? OR kind = ?", (event.path, event.kind))
            row = (event.kind, event.path)
            self._db.execute("INSERT OR REPLACE INTO events (kind, path) VALUES (?, ?)", row)
        self._raised += events

    def last_event(self, kind: str) -> Event | None:
        """The last event of a kind whose entity still exists (or that was its deletion)."""
        query = "SELECT kind, path FROM events WHERE kind = ? ORDER BY number DESC LIMIT 1"
        row = self._db.execute(query, (kind,)).fetchone()
        return Event(*row) if row else None

    def _only_audio_of(self, dataset: str) -> list[str]:
        query = "SELECT audio FROM recordings GROUP BY audio HAVING MIN(dataset) = MAX(dataset) AND MIN(dataset) = ?"
        return [audio for (audio,) in self._db.execute(query, (dataset,))]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many entities there are, by noun and status."""
        found: dict[str, dict[str, int]] = {noun.value: {} for noun in Noun}
        for noun, status, count in self._db.execute("SELECT noun, status, COUNT(*) FROM entities GROUP BY 1, 2"):
            found[noun][status] = count
        return found

    # Files and recordings

    def set_files(self, owner: str, files: Iterable[StoredFile]) -> None:
        """Replace the files of an entity."""
        with self.transaction():
            self._db.execute("DELETE FROM files WHERE owner = ?", (owner,))
            rows = [(file.id, owner, file.model_dump_json(exclude_none=True)) for file in files]
            self._db.executemany("INSERT INTO files VALUES (?, ?, ?)", rows)

    def files(self, owner: str) -> list[StoredFile]:
        """The files of an entity, by id."""
        rows = self._db.execute("SELECT document FROM files WHERE owner = ? ORDER BY id", (owner,))
        return [StoredFile.model_validate_json(document) for (document,) in rows]

    def file(self, file_id: str, owner: str | None = None) -> StoredFile | None:
        """One file, of that owner if given."""
        query = "SELECT document FROM files WHERE id = ? AND owner = COALESCE(?, owner)"
        row = self._db.execute(query, (file_id, owner)).fetchone()
        return StoredFile.model_validate_json(row[0]) if row else None

    def set_recordings(self, dataset: str, recordings: Iterable[Recording]) -> None:
        """Replace the recordings of a dataset."""
        with self.transaction():
            self._db.execute("DELETE FROM recordings WHERE dataset = ?", (dataset,))
            rows = [(dataset, place, one.content, one.model_dump_json()) for place, one in enumerate(recordings)]
            self._db.executemany("INSERT INTO recordings VALUES (?, ?, ?, ?)", rows)

    def recordings(self, dataset: str) -> list[Recording]:
        """The recordings of a dataset, in the order of its transcript."""
        rows = self._db.execute("SELECT document FROM recordings WHERE dataset = ? ORDER BY position", (dataset,))
        return [Recording.model_validate_json(document) for (document,) in rows]

    # Blocks

    def put_block(self, dataset: str, name: str, size: int) -> None:
        """Note an uploaded block; the same name again replaces it."""
        self._db.execute("INSERT OR REPLACE INTO blocks VALUES (?, ?, 0, ?, NULL)", (dataset, name, size))

    def blocks(self, dataset: str, *, committed: bool) -> dict[str, int]:
        """Names and sizes in bytes: committed ones in their order, uncommitted ones by name."""
        query = "SELECT name, size FROM blocks WHERE dataset = ? AND committed = ? ORDER BY position, name"
        return dict(self._db.execute(query, (dataset, committed)).fetchall())

    def commit_blocks(self, dataset: str, names: list[str]) -> None:
        """Make the named blocks the dataset's content, in this order; forget the others."""
        sizes = self.blocks(dataset, committed=True) | self.blocks(dataset, committed=False)
        with self.transaction():
            self._db.execute("DELETE FROM blocks WHERE dataset = ?", (dataset,))
            rows = [(dataset, name, 1, sizes[name], position) for position, name in enumerate(names)]
            self._db.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", rows)

    # What was computed before

    def decoded(self, recipe: str, audio: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Recognitions that a model (by recipe key) already made, by audio hash."""
        query = "SELECT recognition FROM decodes WHERE recipe = ? AND audio = ?"
        rows = ((sha256, self._db.execute(query, (recipe, sha256)).fetchone()) for sha256 in set(audio))
        return {sha256: json.loads(row[0]) for sha256, row in rows if row}

    def add_decodes(self, recipe: str, recognitions: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep recognitions by audio hash, and count them."""
        with self.transaction():
            rows = [(recipe, sha256, json.dumps(recognition)) for sha256, recognition in recognitions.items()]
            self._db.executemany("INSERT OR REPLACE INTO decodes VALUES (?, ?, ?)", rows)
            self.count("decodes", len(rows))

    def training_report(self, recipe: str) -> dict[str, Any] | None:
        """The report of a recipe that was trained before."""
        row = self._db.execute("SELECT report FROM trainings WHERE recipe = ?", (recipe,)).fetchone()
        return json.loads(row[0]) if row else None

    def add_training(self, recipe: str, report: Mapping[str, Any]) -> None:
        """Keep the report of a trained recipe."""
        self._db.execute("INSERT OR REPLACE INTO trainings VALUES (?, ?)", (recipe, json.dumps(report)))

    # Authorizations of model copies, by the hash of their id

    def add_copy_authorization(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a new authorization."""
        self._db.execute("INSERT INTO copy_authorizations VALUES (?, ?, NULL, NULL)", (key, json.dumps(document)))

    def copy_authorization(self, key: str) -> tuple[dict[str, Any], str | None, str | None] | None:
        """Its document, the operation that uses it, and the id of the model that came of it."""
        query = "SELECT document, operation, model FROM copy_authorizations WHERE id = ?"
        row = self._db.execute(query, (key,)).fetchone()
        return (json.loads(row[0]), row[1], row[2]) if row else None

    def use_copy_authorization(self, key: str, operation: str, model: str | None = None) -> None:
        """Note the operation that uses it, and the model that comes of it."""
        query = "UPDATE copy_authorizations SET operation = ?, model = ? WHERE id = ?"
        self._db.execute(query, (operation, model, key))

    # Counters and secrets

    def count(self, name: str, by: int = 1) -> None:
        """Count what was really done; survives a restart."""
        query = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count"
        self._db.execute(query, (name, by))

    def counters(self) -> dict[str, int]:
        """All counters."""
        return dict(self._db.execute("SELECT name, count FROM counters ORDER BY name").fetchall())

    def secret(self, name: str, new: bytes) -> bytes:
        """The secret of that name; `new` becomes it when there is none."""
        self._db.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, new))
        value: bytes = self._db.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()[0]
        return value
