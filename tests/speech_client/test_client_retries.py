"""Single requests are repeated when that is safe, at the pace that the service wants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech_client import (
    EndpointUpdate,
    NewDataset,
    NewEndpoint,
    NewEvaluation,
    NewModel,
    RequestRejected,
    RetryPolicy,
    TransientError,
    Unreachable,
)
from speech_client.answers import retry_after_of

SENT = datetime(2024, 11, 15, 12, 0, 0, tzinfo=UTC)


def busy(status: int = 503, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_moment_of_trouble_is_survived(service: Any, speech: Any, build: Any, time: Any, status: int) -> None:
    """Throttling and failures of the service pass."""
    service.says("GET", "datasets/d1", status, build.dataset())
    assert (await speech.datasets.get("d1")).id == "d1"
    assert len(time.sleeps) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("closed"),
    ],
)
async def test_a_broken_connection_is_survived(service: Any, speech: Any, build: Any, trouble: Exception) -> None:
    """Whatever breaks, a GET can be sent again."""
    service.says("GET", "datasets/d1", trouble, build.dataset())
    assert (await speech.datasets.get("d1")).id == "d1"


async def test_changing_and_deleting_are_repeated_too(service: Any, speech: Any, build: Any) -> None:
    """Both do the same when done twice."""
    service.says("PATCH", "endpoints/e1", 503, build.entity("endpoints", "e1"))
    service.says("DELETE", "endpoints/e1", 503, 204)
    await speech.endpoints.update("e1", EndpointUpdate(description="x"))
    await speech.endpoints.delete("e1")
    assert len(service.requests) == 4


@pytest.mark.parametrize(
    ("trouble", "ambiguous"),
    [
        (500, True),
        (502, True),
        (503, True),
        (504, True),
        (httpx.ReadTimeout("slow"), True),
        (httpx.ReadError("reset"), True),
        (httpx.RemoteProtocolError("closed"), True),
        (429, False),
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("full"), False),
    ],
)
@pytest.mark.parametrize("collection", ["datasets", "models", "evaluations", "endpoints"])
async def test_a_create_is_sent_once(
    service: Any, speech: Any, build: Any, time: Any, collection: str, trouble: Any, ambiguous: bool
) -> None:
    """A second POST could make a second entity, so the caller decides, and is told what is certain."""
    service.says("POST", collection, trouble, (201, build.dataset()))
    common = {"display_name": "n", "locale": "en-US"}
    one = build.a_dataset().reference
    new = {
        "datasets": lambda: speech.datasets.create(NewDataset(**common, kind="Language")),
        "models": lambda: speech.models.create(NewModel(**common)),
        "evaluations": lambda: speech.evaluations.create(NewEvaluation(**common, model1=one, model2=one, dataset=one)),
        "endpoints": lambda: speech.endpoints.create(NewEndpoint(**common)),
    }
    with pytest.raises(TransientError) as caught:
        await new[collection]()
    assert caught.value.ambiguous is ambiguous
    assert (len(service.requests), time.sleeps) == (1, [])


async def test_retry_after_in_seconds_is_kept(service: Any, speech: Any, build: Any, time: Any) -> None:
    """Not sooner, and not much later."""
    service.says("GET", "datasets/d1", busy(429, Retry_After="7"), build.dataset())
    await speech.datasets.get("d1")
    assert time.sleeps == [7.0]


async def test_retry_after_as_a_date_is_kept(service: Any, speech: Any, build: Any, time: Any) -> None:
    """Measured by the service's clock, so that ours may be wrong by years."""
    later = format_datetime(SENT + timedelta(seconds=9), usegmt=True)
    answer = busy(503, Retry_After=later, Date=format_datetime(SENT, usegmt=True))
    service.says("GET", "datasets/d1", answer, build.dataset())
    await speech.datasets.get("d1")
    assert time.sleeps == [9.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("1e9", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        (format_datetime(SENT - timedelta(days=1), usegmt=True), 0.0),
        (format_datetime(SENT.replace(tzinfo=None) + timedelta(seconds=3)), 3.0),
    ],
)
def test_odd_retry_after_values_do_no_harm(header: str, seconds: float | None) -> None:
    """Unreadable is as good as absent; the past is now."""
    assert retry_after_of(busy(Retry_After=header, Date=format_datetime(SENT, usegmt=True))) == seconds


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_no_retry_after_value_can_break_us(header: str) -> None:
    """The header comes from the network."""
    seconds = retry_after_of(busy(Retry_After=header))
    assert seconds is None or seconds >= 0


async def test_pauses_grow_and_attempts_end(service: Any, connect: Any, time: Any) -> None:
    """Exponential with jitter, then the last error as it was."""
    service.says("GET", "datasets/d1", 503)
    policy = RetryPolicy(attempts=4, first_pause=1.0, longest_pause=3.0, total_pause=100.0)
    async with connect(retry=policy) as speech:
        with pytest.raises(TransientError, match="503") as caught:
            await speech.datasets.get("d1")

    assert len(service.requests) == 4
    assert all(low <= pause <= high for pause, (low, high) in zip(time.sleeps, [(1, 2), (2, 3), (3, 3)], strict=True))
    assert not caught.value.ambiguous


async def test_a_pause_beyond_our_budget_is_left_to_the_caller(service: Any, speech: Any, time: Any) -> None:
    """An hour of Retry-After is a matter for the task, not for a request; the error says how long."""
    service.says("GET", "datasets/d1", busy(429, Retry_After="3600"))
    with pytest.raises(TransientError) as caught:
        await speech.datasets.get("d1")
    assert (caught.value.retry_after, time.sleeps, len(service.requests)) == (3600.0, [], 1)


async def test_pauses_add_up_to_the_budget_at_most(service: Any, connect: Any, time: Any) -> None:
    """A service that always says 20 seconds does not hold us for ever."""
    service.says("GET", "datasets/d1", busy(429, Retry_After="20"))
    async with connect(retry=RetryPolicy(attempts=100, total_pause=60.0)) as speech:
        with pytest.raises(TransientError):
            await speech.datasets.get("d1")
    assert time.sleeps == [20.0, 20.0, 20.0]


async def test_a_refusal_is_not_repeated(service: Any, speech: Any, build: Any) -> None:
    """Asking again does not help."""
    service.says("GET", "datasets/d1", (400, build.error()))
    with pytest.raises(RequestRejected):
        await speech.datasets.get("d1")
    assert len(service.requests) == 1


async def test_a_lost_change_is_ambiguous_in_the_end(service: Any, connect: Any) -> None:
    """PATCH may have taken effect although no answer ever came."""
    service.says("PATCH", "endpoints/e1", httpx.ReadTimeout("slow"))
    async with connect(retry=RetryPolicy(attempts=2)) as speech:
        with pytest.raises(TransientError) as caught:
            await speech.endpoints.update("e1", EndpointUpdate(description="x"))
    assert caught.value.ambiguous


async def test_a_service_that_never_listens_is_unreachable(service: Any, speech: Any, build: Any) -> None:
    """The endpoint is in the message."""
    service.says("GET", "datasets/d1", httpx.ConnectError("refused"))
    with pytest.raises(Unreachable, match=build.host):
        await speech.datasets.get("d1")
    assert len(service.requests) == 5


async def test_repetitions_are_logged(service: Any, speech: Any, build: Any, caplog: Any) -> None:
    """Whoever is on call sees why a request took long."""
    service.says("GET", "datasets/d1", busy(429, Retry_After="7"), build.dataset())
    await speech.datasets.get("d1")
    assert "429" in caplog.text
    assert "Trying again in 7.0 s." in caplog.text
