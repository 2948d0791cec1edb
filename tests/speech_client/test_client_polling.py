"""Waiting keeps the service's pace, ends in time, and survives moments without it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from speech_client import Dataset, JobFailed, JobTimedOut, NotFound, RetryPolicy, Status, Unauthorized
from speech_client.polling import PATIENCE, PAUSE, patience_for


def paced(body: dict[str, Any], seconds: int) -> httpx.Response:
    return httpx.Response(200, json=body, headers={"Retry-After": str(seconds)})


async def test_the_finished_entity_is_returned(service: Any, speech: Any, build: Any, time: Any) -> None:
    """Retry-After paces the looks, and progress is told after each."""
    service.says(
        "GET",
        "datasets/d1",
        paced(build.dataset(), 3),
        paced(build.dataset(status="Running"), 5),
        build.dataset(status="Succeeded", properties={"acceptedLineCount": 9}),
    )
    told: list[Any] = []
    dataset = await speech.wait_until_final(build.a_dataset(), on_poll=lambda seen: told.append(seen.status))

    assert dataset.properties.accepted_line_count == 9
    assert time.sleeps == [3.0, 5.0]
    assert told == ["NotStarted", "Running", "Succeeded"]


async def test_progress_may_be_told_asynchronously(service: Any, speech: Any, build: Any) -> None:
    """Prefect's artifacts are written with await."""
    service.says("GET", "datasets/d1", build.dataset(status="Succeeded"))
    told: list[str] = []

    async def tell(dataset: Dataset) -> None:
        told.append(dataset.id)

    await speech.wait_until_final(build.a_dataset(), on_poll=tell)
    assert told == ["d1"]


async def test_without_retry_after_there_is_a_default_pause(service: Any, speech: Any, build: Any, time: Any) -> None:
    """Never a busy loop."""
    service.says("GET", "datasets/d1", build.dataset(), paced(build.dataset(), 0), build.dataset(status="Succeeded"))
    await speech.wait_until_final(build.a_dataset())
    assert time.sleeps == pytest.approx([PAUSE, 0.2])


async def test_a_finished_entity_is_not_asked_for_again(service: Any, speech: Any, build: Any) -> None:
    """It cannot change any more."""
    done = build.a_dataset(status="Succeeded")
    assert await speech.wait_until_final(done) is done
    assert service.requests == []


async def test_a_failed_job_says_why_and_what_to_do(service: Any, speech: Any, build: Any) -> None:
    """With Azure's code as data, and no signature in the text."""
    reason = {"code": "InvalidData", "message": "Could not read https://store/a?sig=canary-sig."}
    service.says("GET", "datasets/d1", build.dataset(status="Failed", properties={"error": reason}))
    with pytest.raises(JobFailed, match=r"InvalidData: Could not read .*report file says") as caught:
        await speech.wait_until_final(build.a_dataset())
    error = caught.value.entity.error
    assert error
    assert error.code == "InvalidData"
    assert "canary" not in str(caught.value)


async def test_a_failure_without_reason_is_still_told(speech: Any, build: Any) -> None:
    """Azure sometimes gives none."""
    with pytest.raises(JobFailed, match="gives no reason"):
        await speech.wait_until_final(build.a_dataset(status="Failed"))


async def test_patience_ends(service: Any, speech: Any, build: Any, time: Any) -> None:
    """On the monotonic clock; the entity comes with the error, so waiting can be taken up again."""
    service.says("GET", "datasets/d1", paced(build.dataset(status="Running"), 10))
    with pytest.raises(JobTimedOut, match=r"0:00:30.*still Running.*wait again") as caught:
        await speech.wait_until_final(build.a_dataset(), patience=timedelta(seconds=30))
    assert time.sleeps == [10.0, 10.0, 10.0]
    assert caught.value.entity.status == Status.RUNNING


async def test_no_look_comes_before_its_time(service: Any, speech: Any, build: Any, time: Any) -> None:
    """When the service names a time after our deadline, the wait ends instead of asking early."""
    service.says("GET", "datasets/d1", paced(build.dataset(status="Running"), 60))
    with pytest.raises(TimeoutError):
        await speech.wait_until_final(build.a_dataset(), patience=timedelta(seconds=30))
    assert (time.sleeps, len(service.requests)) == ([], 1)


@pytest.mark.parametrize("trouble", [503, httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
async def test_a_moment_without_the_service_does_not_end_the_wait(
    service: Any, connect: Any, build: Any, trouble: Any
) -> None:
    """Even when it lasts longer than the retries of a single request."""
    service.says("GET", "datasets/d1", *[trouble] * 7, build.dataset(status="Succeeded"))
    async with connect(retry=RetryPolicy(attempts=2)) as speech:
        assert (await speech.wait_until_final(build.a_dataset())).status == Status.SUCCEEDED


async def test_a_service_that_stays_away_ends_in_a_time_out(service: Any, speech: Any, build: Any) -> None:
    """And the message says what the last look met."""
    service.says("GET", "datasets/d1", httpx.ConnectError("refused"))
    with pytest.raises(JobTimedOut, match=r"last look failed: Cannot reach https://westus"):
        await speech.wait_until_final(build.a_dataset(), patience=timedelta(minutes=2))


@pytest.mark.parametrize(("status", "expected"), [(401, Unauthorized), (404, NotFound)])
async def test_a_refusal_ends_the_wait(
    service: Any, speech: Any, build: Any, status: int, expected: type[Exception]
) -> None:
    """A wrong key or a deleted entity does not get better."""
    service.says("GET", "datasets/d1", status)
    with pytest.raises(expected):
        await speech.wait_until_final(build.a_dataset())


async def test_an_unknown_status_is_waited_out_and_logged(service: Any, speech: Any, build: Any, caplog: Any) -> None:
    """A new word of Azure's is neither success nor failure."""
    service.says("GET", "datasets/d1", build.dataset(status="Paused"), build.dataset(status="Succeeded"))
    await speech.wait_until_final(build.a_dataset())
    assert "datasets d1: NotStarted -> Paused (unknown to us" in caplog.text


async def test_changes_are_logged_and_repetitions_are_not(service: Any, speech: Any, build: Any, caplog: Any) -> None:
    """One line when a status changes, with the id."""
    caplog.set_level("INFO", logger="speech_client")
    running = build.dataset(status="Running")
    service.says("GET", "datasets/d1", running, running, running, build.dataset(status="Succeeded"))
    await speech.wait_until_final(build.a_dataset())
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("speech_client")]
    assert lines == ["datasets d1: NotStarted -> Running", "datasets d1: Running -> Succeeded"]


async def test_many_jobs_wait_side_by_side(service: Any, speech: Any, build: Any) -> None:
    """Each at its own address, as its own kind."""
    service.says("GET", "datasets/d1", build.dataset(status="Running"), build.dataset(status="Succeeded"))
    service.says("GET", "datasets/d2", build.dataset("d2", status="Succeeded"))
    done = await asyncio.gather(*(speech.wait_until_final(build.a_dataset(name)) for name in ("d1", "d2")))
    assert [(type(dataset), dataset.id) for dataset in done] == [(Dataset, "d1"), (Dataset, "d2")]


def test_every_kind_of_job_has_its_patience(build: Any) -> None:
    """A training may take a week, an import may not."""
    assert set(PATIENCE) == {"datasets", "models", "evaluations", "endpoints", "transcriptions"}
    assert patience_for(build.a_dataset()) == PATIENCE["datasets"] < PATIENCE["models"]
