"""What `/metrics` tells Prometheus."""

from collections.abc import Iterator
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from deployments.receiver.deliveries import Source
from deployments.receiver.outbox import Outbox, OutboxUnavailable
from deployments.receiver.tally import Tally

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

    def __init__(self, outbox: Outbox, tally: Tally) -> None:
        self._registry = CollectorRegistry()
        self._outbox = outbox
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
        self._oldest = Gauge(
            "speechops_receiver_oldest_pending_seconds",
            "Age of the delivery that has waited longest; 0 when none waits.",
            registry=self._registry,
        )
        self._registry.register(_Dispatched(tally))
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
        """All figures in Prometheus's text format; those of the outbox are NaN while it cannot be read."""
        try:
            pending, oldest = float(self._outbox.count_pending()), self._outbox.oldest_pending()
            age = max(0.0, (self._outbox.now() - oldest).total_seconds()) if oldest else 0.0
        except OutboxUnavailable:
            pending = age = float("nan")
        self._pending.set(pending)
        self._oldest.set(age)
        return generate_latest(self._registry)


class _Dispatched(Collector):
    """What was done for deliveries, read when it is asked for."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        tally = self._tally
        for name, help_text, value in (
            ("emitted", "Events sent to Prefect.", tally.emitted),
            ("started", "Flow runs started because no automation did, or because one failed.", tally.started),
            ("given_up", "Deliveries without effect, because every flow run for them failed.", tally.given_up),
        ):
            yield CounterMetricFamily(f"speechops_receiver_{name}", help_text, value=value)
