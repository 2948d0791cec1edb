"""What the pricing tier of the resource allows: F0 is free and small, S0 is the standard one.

The numbers are those of Microsoft's page of quotas and limits. The error codes are our guess: the specification has names
that fit (QuotaViolation, SkuLimitsExist) and says nothing about when they are used.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulator.entities import Dataset, DatasetKind, Endpoint
from emulator.errors import JobFailure, ServiceError, conflict
from emulator.settings import Tier
from emulator.store import Store

KB, MB, GB = 1024, 1024**2, 1024**3


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a tier."""

    tier: Tier
    datasets: int
    bytes_of: Mapping[DatasetKind, int]
    """How large a dataset's data may be, for the kinds that the page of limits names."""
    recognitions: int
    """Short audio: how many at a time, per endpoint (the base models count as one)."""
    endpoint_life: timedelta | None = None
    """After which an endpoint is deleted."""
    has_transcriptions: bool = True
    """Whether there is batch and fast transcription."""

    def require_room(self, store: Store) -> None:
        """Refuse one more dataset than the resource may have.

        Raises:
            ServiceError: 409 with QuotaViolation.
        """
        if sum(store.counts()[Dataset.noun].values()) >= self.datasets:
            message = f"A resource of tier {self.tier} has at most {self.datasets} datasets; delete one first."
            raise conflict("QuotaViolation", message)

    def require_transcriptions(self) -> None:
        """Refuse batch and fast transcription where the tier has none.

        Raises:
            ServiceError: 403 with SkuLimitsExist.
        """
        if not self.has_transcriptions:
            message = f"Transcription is not available in tier {self.tier}."
            raise ServiceError(403, message, detail="SkuLimitsExist")

    def check_size(self, kind: DatasetKind, size: int) -> None:
        """Fail the import of a file that is too large.

        Raises:
            JobFailure: DataImportFailed, with how large it may be.
        """
        most = self.bytes_of.get(kind, size)
        if size > most:
            shown = f"{most // MB} MB" if most >= MB else f"{most // KB} KB"
            message = f"The data are larger than {shown}, the most for a dataset of kind {kind} in tier {self.tier}."
            raise JobFailure("DataImportFailed", message)

    def outlived(self, store: Store, now: datetime) -> list[Endpoint]:
        """The endpoints whose time is over."""
        if self.endpoint_life is None:
            return []
        born_before = now - self.endpoint_life
        return [endpoint for endpoint in store.all(Endpoint) if endpoint.created_date_time <= born_before]


LIMITS = {
    Tier.F0: Limits(
        Tier.F0,
        datasets=2,
        bytes_of={DatasetKind.ACOUSTIC: 2 * GB, DatasetKind.LANGUAGE: 200 * MB, DatasetKind.PRONUNCIATION: KB},
        recognitions=1,
        endpoint_life=timedelta(days=7),
        has_transcriptions=False,
    ),
    Tier.S0: Limits(
        Tier.S0,
        datasets=500,
        bytes_of={DatasetKind.ACOUSTIC: 2 * GB, DatasetKind.LANGUAGE: 1536 * MB, DatasetKind.PRONUNCIATION: MB},
        recognitions=100,
    ),
}


class Recognitions:
    """The short recordings that are being recognised now, by endpoint."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.under_way: Counter[str] = Counter()

    @contextmanager
    def one(self, endpoint: str) -> Iterator[None]:
        """Take a place while it is recognised.

        Raises:
            ServiceError: 429, when all are taken.
        """
        if self.under_way[endpoint] >= self._limits.recognitions:
            message = f"Tier {self._limits.tier} allows {self._limits.recognitions} recognitions at a time here."
            raise ServiceError(429, message)
        self.under_way[endpoint] += 1
        try:
            yield
        finally:
            self.under_way[endpoint] -= 1
            self.under_way += Counter()  # drops what is zero
