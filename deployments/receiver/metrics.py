"""What `/metrics` tells Prometheus."""

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from deployments.receiver.deliveries import Source
from deployments.receiver.outbox import OutboxUnavailable

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Outcome(StrEnum):
    """What became of an event, or of a request that told none."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    REFUSED = "refused"
    MISUNDERSTOOD = "misunderstood"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"


class Metrics:
    """The figures of one receiver since it was started."""

    def __init__(self, count_pending: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._count_pending = count_pending
        self._deliveries = Counter(
            "speechops_receiver_deliveries",
            "Events by what became of them.",
            ("source", "outcome"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "speechops_receiver_answer_seconds",
            "Time to the answer.",
            ("source",),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._pending = Gauge(
            "speechops_receiver_pending", "Stored deliveries that wait for their effect.", registry=self._registry
        )
        for source in Source:
            for outcome in Outcome:
                self._deliveries.labels(source, outcome)

    def count(self, source: Source, outcome: Outcome, events: int = 1) -> None:
        """Add events."""
        self._deliveries.labels(source, outcome).inc(events)

    def took(self, source: Source, seconds: float) -> None:
        """Add the duration of one answer."""
        self._seconds.labels(source).observe(seconds)

    def shown(self) -> bytes:
        """All figures in Prometheus's text format; pending is NaN while the outbox cannot be read."""
        try:
            self._pending.set(self._count_pending())
        except OutboxUnavailable:
            self._pending.set(float("nan"))
        return generate_latest(self._registry)
