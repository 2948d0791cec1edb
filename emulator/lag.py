"""List lag: new entities that lists do not show yet, although a GET by id finds them.

Whether Azure's lists show a create at once is documented nowhere. Clients that look up before they create must survive
both, so tests can ask for a lag; none is the default.
"""

from datetime import datetime, timedelta

from emulator.clock import ServiceClock


class ListLag:
    """Which of the entities created under a lag are still hidden. In memory: it ends with the server."""

    def __init__(self, clock: ServiceClock) -> None:
        self._clock = clock
        self._shown_from: dict[str, datetime] = {}
        self._lag = timedelta(0)

    @property
    def lag(self) -> timedelta:
        """How long an entity that is created now stays out of lists."""
        return self._lag

    def set(self, lag: timedelta) -> None:
        """Hide what is created from now on for so long; zero shows everything at once."""
        self._lag = lag
        if not lag:
            self._shown_from.clear()

    def note(self, entity_id: str) -> None:
        """An entity is created."""
        if self._lag:
            self._shown_from[entity_id] = self._clock.exact() + self._lag

    def hidden(self) -> frozenset[str]:
        """Ids that lists leave out now."""
        if not self._shown_from:
            return frozenset()
        now = self._clock.exact()
        self._shown_from = {one: since for one, since in self._shown_from.items() if since > now}
        return frozenset(self._shown_from)
