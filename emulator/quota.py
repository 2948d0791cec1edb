"""The request quota of a Speech resource: 100 requests in any 10 seconds, counted for the resource, not per connection.

Azure gives one number for model customisation (F0 and S0) and one for batch transcription (S0), and they are equal; here
all operations share one count. How Azure's window moves is not documented: ours slides, and a refused request does not
count. The specification declares no `Retry-After` on errors, so a 429 has none: a caller backs off by itself.

Whether the quota is enforced can be chosen, because jobs are quick here and callers are told to poll every second, which
ten waiting jobs make the whole quota. What Azure would have refused is counted either way.
"""

from collections import deque
from datetime import datetime, timedelta

from emulator.clock import ServiceClock
from emulator.errors import ServiceError
from emulator.settings import QuotaMode

LIMIT = 100
WINDOW = timedelta(seconds=10)


class Quota:
    """Requests of the last ten seconds, by the service's clock."""

    def __init__(self, clock: ServiceClock, mode: QuotaMode) -> None:
        self._clock = clock
        self._taken: deque[datetime] = deque()
        self.mode = mode
        self.beyond = 0
        """Requests that were more than the quota allows, since the start."""

    @property
    def used(self) -> int:
        """Requests in the window that ends now."""
        now = self._clock.exact()
        while self._taken and not now - WINDOW < self._taken[0] <= now:  # later than now: the clock was set back
            self._taken.popleft()
        return len(self._taken)

    def take(self) -> None:
        """Count a request.

        Raises:
            ServiceError: 429, when it is too many and the quota is enforced.
        """
        if self.used < LIMIT:
            self._taken.append(self._clock.exact())
            return
        self.beyond += 1
        if self.mode is QuotaMode.REAL:
            message = f"The resource allows {LIMIT} requests in {WINDOW.seconds} seconds; wait before you try again."
            raise ServiceError(429, message)
