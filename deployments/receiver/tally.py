"""What the dispatcher did, counted for the metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """What was done for deliveries since the process started."""

    emitted: int = 0
    started: int = 0
    given_up: int = 0
