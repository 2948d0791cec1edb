"""The data sources, as the Prefect server's blocks describe them, read seldom enough for a flood of deliveries."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from deployments.receiver.outbox import Clock
from tasks.data_source import DataSource

LoadSources = Callable[[], Awaitable[Sequence[DataSource]]]

KEPT = timedelta(minutes=1)
"""How long they are believed."""

KEPT_AT_LEAST = timedelta(seconds=5)
"""Even if there are deliveries that no source knows of."""


class KnownSources:
    """What was read last."""

    def __init__(self, load: LoadSources, clock: Clock) -> None:
        self._load = load
        self._clock = clock
        self._sources: Sequence[DataSource] = ()
        self._read_at = datetime.min.replace(tzinfo=UTC)

    async def read(self, is_puzzled: bool) -> Sequence[DataSource]:
        """All sources; read anew when they are old, or sooner when a delivery came that none of them knows of."""
        now = self._clock()
        if now - self._read_at >= (KEPT_AT_LEAST if is_puzzled else KEPT):
            self._sources = await self._load()
            self._read_at = now
        return self._sources

    def are_newer_than(self, moment: datetime) -> bool:
        """Whether a source that was there at that moment would be among them."""
        return self._read_at >= moment
