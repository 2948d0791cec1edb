"""What routes and jobs work with: the one service of a running emulator."""

import contextlib
import logging
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

from emulator.clock import Clock, ServiceClock
from emulator.entities import Entity, Status
from emulator.faults import Faults
from emulator.lag import ListLag
from emulator.pool import WorkerPool
from emulator.quota import Quota
from emulator.settings import Settings
from emulator.signing import Signer
from emulator.speed import JobSpeed
from emulator.store import Store
from emulator.tiers import LIMITS, Limits, Recognitions
from emulator.work import Place

FOLDERS = ("audio", "cache", "files", "recipes", "uploads")
log = logging.getLogger(__name__)
E = TypeVar("E", bound=Entity)


@dataclass(slots=True)
class Service:
    """Settings, state, workers and clock."""

    settings: Settings
    store: Store
    pool: WorkerPool
    faults: Faults
    signer: Signer
    clock: ServiceClock
    lag: ListLag
    quota: Quota
    limits: Limits
    recognitions: Recognitions
    speed: JobSpeed
    started: datetime

    @classmethod
    def open(cls, settings: Settings, faults: Faults, clock: Clock) -> Self:
        """Open the data folder; it is made when there is none."""
        data = settings.data.resolve()
        for folder in FOLDERS:
            (data / folder).mkdir(parents=True, exist_ok=True)
        store = Store(data / "emulator.sqlite3")
        _make_private(data)
        _clear(data / "uploads")
        signer = Signer(store.secret("signing", secrets.token_bytes(32)))
        moved = ServiceClock(clock)
        limits = LIMITS[settings.tier]
        return cls(
            settings=settings,
            store=store,
            pool=WorkerPool(settings.workers),
            faults=faults,
            signer=signer,
            clock=moved,
            lag=ListLag(moved),
            quota=Quota(moved, settings.quota),
            limits=limits,
            recognitions=Recognitions(limits),
            speed=JobSpeed(settings.speed),
            started=moved(),
        )

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

    def drop_outlived(self) -> None:
        """Delete the endpoints whose time in this tier is over."""
        for endpoint in self.limits.outlived(self.store, self.clock()):
            self.delete(endpoint)

    def close(self) -> None:
        """End the workers and close the database."""
        self.pool.close()
        self.store.close()


def _make_private(data: Path) -> None:
    """Shut what an earlier version made readable for everybody; what somebody else owns stays as they set it."""
    for path, mode in ((data / "emulator.sqlite3", 0o600), *((data / folder, 0o700) for folder in FOLDERS)):
        with contextlib.suppress(PermissionError):
            path.chmod(mode)


def _clear(uploads: Path) -> None:
    """Delete what requests were sending when an earlier server was killed; what jobs need is named by an id alone."""
    for left in (*uploads.glob("fast-*"), *uploads.glob("copy-*")):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
