"""All requests of a client share one pace, below Azure's quota."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from speech_client import File, TransientError
from speech_client.pacing import BURST, LONGEST_HOLD, PER_SECOND, Pace


class Turns:
    """Notes when each turn was given."""

    def __init__(self, time: Any, **options: Any) -> None:
        self.time, self.given = time, []
        self.pace = Pace(clock=time.clock, sleep=self.sleep, **options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)  # others have their turn meanwhile, as in real life
        await self.time.sleep(seconds)

    async def take(self, name: str = "") -> None:
        await self.pace.turn()
        self.given.append((self.time.now, name))

    @property
    def times(self) -> list[float]:
        return [when for when, _ in self.given]


def test_the_pace_is_below_both_of_azures_quotas() -> None:
    """100 in any 10 s, says the quotas page; an older one says 300 per minute."""
    assert BURST + 10 * PER_SECOND < 100
    assert BURST + 60 * PER_SECOND < 300


async def test_a_small_burst_does_not_wait(time: Any) -> None:
    """A person does not notice that there is a pace."""
    turns = Turns(time)
    for _ in range(BURST):
        await turns.take()
    assert time.sleeps == []


async def test_no_window_of_ten_seconds_holds_more_than_the_quota(time: Any) -> None:
    """Also not right after a rest."""
    turns = Turns(time)
    for number in range(400):
        await turns.take()
        if number == 200:
            time.now += 60
    assert max(sum(start <= when < start + 10 for when in turns.times) for start in turns.times) <= 90
    assert turns.times[-1] - turns.times[0] < 60 + 400 / PER_SECOND


async def test_who_comes_first_goes_first(time: Any) -> None:
    """And who gives up takes nobody's turn."""
    turns = Turns(time, burst=1, per_second=1.0)
    waits = [asyncio.create_task(turns.take(name)) for name in "abcde"]
    await asyncio.sleep(0)
    waits[2].cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert turns.given == [(1000.0, "a"), (1001.0, "b"), (1002.0, "d"), (1003.0, "e")]


async def test_a_throttled_answer_holds_back_all_requests(service: Any, speech: Any, build: Any, time: Any) -> None:
    """The quota is the resource's, so who asks for something else would be refused too."""
    service.says("POST", "datasets", httpx.Response(429, headers={"Retry-After": "7"}))
    service.says("GET", "models/m1", build.entity("models", "m1"))
    with pytest.raises(TransientError):
        await speech._connection.post("datasets")
    await speech.models.get("m1")
    assert time.sleeps == [7.0]


async def test_nobody_is_held_back_for_hours(time: Any) -> None:
    """The request that was refused hears of it; the others try again after a minute."""
    turns = Turns(time)
    turns.pace.hold(7200)
    await turns.take()
    assert time.sleeps == [LONGEST_HOLD]


async def test_repetitions_count_too(service: Any, connect: Any, time: Any, build: Any) -> None:
    """A retry is a request like any other."""
    service.says("GET", "datasets/d1", 503, 503, build.dataset())
    async with connect(pace=Pace(1.0, 1, clock=time.clock, sleep=time.sleep)) as speech:
        await speech.datasets.get("d1")
    assert time.now >= 1002.0


async def test_storage_has_a_quota_of_its_own(service: Any, connect: Any, time: Any, build: Any) -> None:
    """A thousand result files are not downloaded at four per second."""
    file = File.model_validate(build.file())
    service.says("GET", "https://store.blob.core.windows.net/f.json", httpx.Response(200, content=b"{}"))
    async with connect(pace=Pace(1.0, 1, clock=time.clock, sleep=time.sleep)) as speech:
        for _ in range(5):
            await speech.download(file)
    assert time.sleeps == []


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (1, 0), (float("nan"), 1)])
def test_a_pace_that_never_goes_is_refused(per_second: float, burst: int) -> None:
    """Else the first request would hang."""
    with pytest.raises(ValueError, match="above 0"):
        Pace(per_second, burst)
