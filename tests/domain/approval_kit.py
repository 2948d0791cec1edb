"""A request for an approval, as a run asks it."""

from datetime import UTC, datetime, timedelta

from domain.approval import Request, request_id
from domain.ledger import Benchmark, State
from domain.release_policy import ApprovalSettings
from domain.ruling import ModelRef

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = ModelRef(path="models/2", name="places-model-2")
RUN = "0b5e7c9a-0000-4000-8000-000000000001"
HEAD = State(
    track="places",
    benchmark=Benchmark(model="models/1", model_name="m1", wer=0.2, words=100, testing_hash="t1", evidence="e1"),
)
"""As it was when the request was asked."""


def request(now: datetime = NOW, settings: ApprovalSettings | None = None, **changes: object) -> Request:
    """One that Ada's change led to."""
    values: dict[str, object] = {
        "id": request_id(RUN, MODEL.path, "v1"),
        "track": "places",
        "flow_run": RUN,
        "model": MODEL,
        "verdict": "v1",
        "summary": "WER fell",
        "revision": "abc123",
        "benchmark": "models/1",
        "testing_hash": "t1",
        "authors": ("Ada Lovelace <ada@example.org>",),
        "settings": settings or ApprovalSettings(required=True),
        "asked_at": now,
        "expires_at": now + timedelta(hours=72),
    }
    return Request.model_validate(values | changes)
