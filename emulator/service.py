"""What routes and jobs work with: the one service of a running emulator."""

import logging
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from emulator.entities import Entity, Status
from emulator.faults import Faults
from emulator.pool import WorkerPool
from emulator.settings import Settings
from emulator.signing import Signer
from emulator.store import Store
from emulator.work import Place

log = logging.getLogger(__name__)
E = TypeVar("E", bound=Entity)
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time in UTC, in whole seconds as Azure writes it."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(slots=True)
class Service:
    """Settings, state, workers and clock."""

    settings: Settings
    store: Store
    pool: WorkerPool
    faults: Faults
    signer: Signer
    clock: Clock = utc_now
    started: datetime = field(default_factory=utc_now)

    @classmethod
    def open(cls, settings: Settings, faults: Faults, clock: Clock) -> Self:
        """Open the data folder; it is made when there is none."""
        data = settings.data.resolve()
        for folder in ("audio", "cache", "files", "recipes", "uploads"):
            (data / folder).mkdir(parents=True, exist_ok=True)
        store = Store(data / "emulator.sqlite3")
        signer = Signer(store.secret("signing", secrets.token_bytes(32)))
        return cls(settings, store, WorkerPool(settings.workers), faults, signer, clock, clock())

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.settings.data.resolve()

    @property
    def place(self) -> Place:
        """Where the workers work."""
        return Place(self.settings.engine, self.data)

    def upload_of(self, dataset_id: str) -> Path:
        """Where a dataset's raw data lie until they are imported."""
        return self.data / "uploads" / dataset_id

    def move(self, entity: E, status: Status) -> E:
        """Save the entity in another state, and say so in the log."""
        moved = entity.at(status, self.clock())
        self.store.save(moved)
        log.info("%s %s: %s -> %s", entity.noun.singular, entity.id, entity.status, status)
        return moved

    def delete(self, entity: Entity) -> None:
        """Delete an entity with its files."""
        for content in self.store.delete(entity.id):
            (self.data / content).unlink(missing_ok=True)
        shutil.rmtree(self.data / "files" / entity.id, ignore_errors=True)
        shutil.rmtree(self.upload_of(entity.id), ignore_errors=True)
        log.info("%s %s: deleted", entity.noun.singular, entity.id)

    def close(self) -> None:
        """End the workers and close the database."""
        self.pool.close()
        self.store.close()
