"""The service's time: the machine's, moved as far as a test wants, so that nobody has to wait for what expires."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
FURTHEST = timedelta(days=365 * 100)
"""How far the clock can be moved, forward or back."""


def utc_now() -> datetime:
    """The machine's time in UTC, in whole seconds as Azure writes it."""
    return exact_utc_now().replace(microsecond=0)


def exact_utc_now() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


class ServiceClock:
    """A clock that can be moved. The offset ends with the server: one that starts again has the machine's time.

    It rules all that has a date: creation, expiry, time to live, signed addresses, quota, list lag. How long a job
    stays in a state, and how long a `slow` fault lasts, is real time.
    """

    def __init__(self, base: Clock = exact_utc_now) -> None:
        self._base = base
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        """The service's time in whole seconds, as it goes into entities."""
        return self.exact().replace(microsecond=0)

    def exact(self) -> datetime:
        """The service's time, for intervals."""
        return self._base() + self.offset

    def move_to(self, seconds: float) -> None:
        """Run by this much ahead of the machine (or behind, if negative).

        Raises:
            ValueError: that is further than `FURTHEST`.
        """
        if abs(seconds) > FURTHEST.total_seconds():
            raise ValueError(f"the clock can be moved by at most {FURTHEST.days} days")
        self.offset = timedelta(seconds=seconds)
