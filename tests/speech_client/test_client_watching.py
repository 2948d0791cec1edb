"""A thousand waits cost what a few do, and nobody is forgotten, whatever the lists say."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from speech_client import (
    BadInput,
    Dataset,
    Endpoint,
    JobFailed,
    JobTimedOut,
    KeyCredential,
    NotFound,
    SpeechClient,
    Status,
    Unauthorized,
)
from speech_client.notifications import EventKind, Notification
from speech_client.sweeping import MOST_GETS
from speech_client.watching import FEW, MOST_CALLS

HOST = "https://westus.api.cognitive.microsoft.com"
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def moment(seconds: float) -> str:
    return (DAY + timedelta(seconds=int(seconds))).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Crowd:
    """A service with many jobs that end at given times of the fake clock; it keeps what it was asked, and when."""

    time: Any
    kind: str = "datasets"
    ends: dict[str, float] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    retry_after: int = 30
    lag: float = 0.0
    unlisted: set[str] = field(default_factory=set)
    trouble: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
    asked: list[tuple[float, str]] = field(default_factory=list)
    _listed: tuple[float, list[dict[str, Any]]] | None = None

    def body(self, name: str, at: float) -> dict[str, Any]:
        end = self.ends[name]
        status = self.results.get(name, "Succeeded") if end <= at else "Running"
        return {
            "self": f"{HOST}/speechtotext/{self.kind}/{name}?api-version=2024-11-15",
            "displayName": name,
            "locale": "en-US",
            "kind": "Language",
            "status": status,
            "createdDateTime": moment(0),
            "lastActionDateTime": moment(end if end <= at else 0),
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        is_list = name == self.kind
        self.asked.append((self.time.now, "list" if is_list else name))
        if answer := self.trouble(request):
            return answer
        if is_list:
            return self._page(request)
        if name not in self.ends:
            return httpx.Response(404, json={"code": "NotFound", "message": "There is none."})
        return self._answer(self.body(name, self.time.now), self.ends[name] > self.time.now)

    def _page(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params
        start, size = int(query.get("skip", 0)), int(query["top"])
        chosen = self._chosen(query["filter"])
        body: dict[str, Any] = {"values": chosen[start : start + size]}
        if len(chosen) > start + size:
            body["@nextLink"] = str(request.url.copy_set_param("skip", start + size))
        return self._answer(body, any(one["status"] == "Running" for one in chosen))

    def _chosen(self, condition: str) -> list[dict[str, Any]]:
        at = self.time.now - self.lag
        if self._listed is None or self._listed[0] != at:
            self._listed = at, [self.body(name, at) for name in self.ends if name not in self.unlisted]
        bodies = self._listed[1]
        if condition.startswith("not"):
            return [body for body in bodies if body["status"] not in ("Succeeded", "Failed")]
        since = re.search(r"lastActionDateTime ge (\S+?)\)*$", condition)
        assert since
        final = [body for body in bodies if body["status"] in ("Succeeded", "Failed")]
        return [body for body in final if body["lastActionDateTime"] >= since[1]]

    def _answer(self, body: dict[str, Any], is_open: bool) -> httpx.Response:
        return httpx.Response(200, json=body, headers={"Retry-After": str(self.retry_after)} if is_open else {})

    def jobs(self, kind: type[Any] = Dataset) -> list[Any]:
        return [kind.model_validate(self.body(name, -1)) for name in self.ends]

    def at(self, what: str) -> list[float]:
        return [when for when, asked in self.asked if asked == what]

    @property
    def gets(self) -> list[str]:
        return [asked for _, asked in self.asked if asked != "list"]

    def most_in_a_minute(self) -> int:
        times = [when for when, _ in self.asked]
        return max(sum(start <= when < start + 60 for when in times) for start in times)


@pytest.fixture
def crowd(time: Any) -> Crowd:
    time.now = 0.0
    return Crowd(time)


@pytest.fixture
async def speech(crowd: Crowd, time: Any) -> AsyncIterator[SpeechClient]:
    async with client_of(crowd, time) as client:
        yield client


def client_of(crowd: Crowd, time: Any) -> SpeechClient:
    transport = httpx.MockTransport(crowd)
    return SpeechClient(HOST, KeyCredential("k"), transport=transport, sleep=time.sleep, clock=time.clock)


async def noticed(speech: SpeechClient, crowd: Crowd, **options: Any) -> dict[str, float]:
    """When each wait ended."""
    ended: dict[str, float] = {}

    async def wait(job: Dataset) -> None:
        await speech.wait_until_final(job, **options)
        ended[job.id] = crowd.time.now

    await asyncio.gather(*(wait(job) for job in crowd.jobs()))
    return ended


async def test_a_thousand_jobs_stay_within_a_hundred_requests_a_minute(crowd: Crowd, speech: SpeechClient) -> None:
    """Each end is noticed at the next look, and no look comes before the time that the service named."""
    crowd.ends = {f"d{number}": number * 0.15 for number in range(1000)}
    ended = await noticed(speech, crowd)

    assert crowd.most_in_a_minute() <= 100
    assert all(0 <= ended[name] - end <= crowd.retry_after for name, end in crowd.ends.items())
    rounds = sorted(set(crowd.at("list")))
    assert all(later - earlier >= crowd.retry_after for earlier, later in itertools.pairwise(rounds))


async def test_a_thousand_jobs_that_end_at_once_do_not_cause_a_thousand_requests(
    crowd: Crowd, speech: SpeechClient
) -> None:
    """What vanished from the list of open jobs is found in the list of those that ended since."""
    crowd.ends = {f"d{number}": 45.0 for number in range(1000)}
    ended = await noticed(speech, crowd)
    assert set(ended.values()) == {60.0}
    assert len(crowd.asked) <= 40
    assert crowd.gets == []


async def test_a_service_in_a_hurry_is_not_asked_more_often(crowd: Crowd, speech: SpeechClient) -> None:
    """Retry-After 0 is a permission, not a wish."""
    crowd.retry_after = 0
    crowd.ends = {f"d{number}": 60.0 + number * 0.1 for number in range(300)}
    await noticed(speech, crowd)
    assert crowd.most_in_a_minute() <= 100


async def test_few_jobs_are_asked_for_one_by_one(crowd: Crowd, speech: SpeechClient) -> None:
    """A list would only cost more."""
    crowd.ends = {f"d{number}": 50.0 for number in range(FEW)}
    await noticed(speech, crowd)
    assert crowd.at("list") == []
    assert crowd.at("d0") == [0.0, 30.0, 60.0]


async def test_throttling_is_waited_out(crowd: Crowd, speech: SpeechClient) -> None:
    """Ten minutes of 429: every job is still noticed, and nothing is sent before its time."""
    busy = httpx.Response(429, headers={"Retry-After": "90"})
    crowd.ends = {f"d{number}": 60.0 for number in range(500)}
    crowd.trouble = lambda _: httpx.Response(429, headers=busy.headers) if crowd.time.now < 600 else None
    assert len(await noticed(speech, crowd)) == 500
    storm = [when for when, _ in crowd.asked if when < 600]
    assert all(later - earlier >= 90 for earlier, later in itertools.pairwise(storm))


async def test_what_a_list_does_not_show_is_asked_for(crowd: Crowd, speech: SpeechClient) -> None:
    """Being absent proves nothing: an entity may be skipped between pages, or be too new for the list."""
    crowd.ends = {f"d{number}": 20.0 for number in range(10)}
    crowd.unlisted = {"d3", "d4"}
    assert len(await noticed(speech, crowd)) == 10
    assert set(crowd.gets) >= {"d3", "d4"}


async def test_a_list_that_lags_only_delays(crowd: Crowd, speech: SpeechClient) -> None:
    """A job that is still shown as running is found when the list has caught up."""
    crowd.ends = {f"d{number}": 29.0 for number in range(10)}
    crowd.lag = 5.0
    assert set((await noticed(speech, crowd)).values()) == {60.0}


async def test_many_that_no_list_shows_take_turns(crowd: Crowd, speech: SpeechClient) -> None:
    """Within the hundred requests a minute, and nobody waits for ever."""
    crowd.ends = {f"d{number}": 1.0 for number in range(200)}
    crowd.unlisted = set(crowd.ends)
    assert len(await noticed(speech, crowd)) == 200
    assert crowd.most_in_a_minute() <= 100


async def test_a_list_that_is_refused_is_done_without(crowd: Crowd, speech: SpeechClient) -> None:
    """Should Azure not know our filter, each job is asked for by itself."""
    crowd.ends = {f"d{number}": 40.0 for number in range(8)}
    refusal = httpx.Response(400, json={"code": "InvalidRequest", "message": "UnsupportedFilter"})
    crowd.trouble = lambda request: refusal if request.url.path.endswith("/datasets") else None
    assert set((await noticed(speech, crowd)).values()) == {60.0}


async def test_failed_and_deleted_jobs_end_only_their_own_wait(crowd: Crowd, speech: SpeechClient) -> None:
    """With the error that a single wait has; the others go on."""
    crowd.ends = {f"d{number}": 20.0 for number in range(6)}
    crowd.results["d1"] = "Failed"
    jobs = crowd.jobs()
    del crowd.ends["d2"]
    ended = await asyncio.gather(*map(speech.wait_until_final, jobs), return_exceptions=True)
    assert [type(one) for one in ended] == [Dataset, JobFailed, NotFound, Dataset, Dataset, Dataset]


async def test_an_unknown_status_is_not_final_in_a_crowd_either(crowd: Crowd, speech: SpeechClient) -> None:
    """And progress is told from lists as from single answers."""
    crowd.ends = {f"d{number}": 20.0 for number in range(6)}
    crowd.results["d1"] = "Paused"
    told: list[tuple[str, str]] = []
    waits = [speech.wait_until_final(job, on_poll=lambda seen: told.append((seen.id, seen.status)),
             patience=timedelta(minutes=2)) for job in crowd.jobs()]  # fmt: skip
    ended = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(one) for one in ended].count(JobTimedOut) == 1
    assert ("d1", "Paused") in told
    assert told.count(("d0", "Running")) == 1
    assert told.count(("d0", "Succeeded")) == 1


async def test_every_wait_has_its_own_deadline(crowd: Crowd, speech: SpeechClient) -> None:
    """Waits of one crowd may have different patience."""
    crowd.ends = {f"d{number}": 1000.0 for number in range(6)}
    waits = [speech.wait_until_final(job, patience=timedelta(minutes=n + 1)) for n, job in enumerate(crowd.jobs())]
    with pytest.raises(JobTimedOut, match="0:01:00"):
        await waits[0]
    ended = await asyncio.gather(*waits[1:], return_exceptions=True)
    assert {type(one) for one in ended} == {JobTimedOut}
    assert crowd.time.now <= 420


async def test_a_wrong_key_ends_all_waits(crowd: Crowd, speech: SpeechClient) -> None:
    """At the first look: it does not get better, and asking for each would not help."""
    crowd.ends = {f"d{number}": 40.0 for number in range(50)}
    crowd.trouble = lambda _: httpx.Response(401)
    ended = await asyncio.gather(*map(speech.wait_until_final, crowd.jobs()), return_exceptions=True)
    assert {type(one) for one in ended} == {Unauthorized}
    assert len(crowd.asked) == 1


async def test_a_bug_while_looking_leaves_nobody_waiting(crowd: Crowd, speech: SpeechClient) -> None:
    """Whatever breaks, every caller hears of it."""
    crowd.ends = {f"d{number}": 40.0 for number in range(5)}

    def broken(_: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    crowd.trouble = broken
    ended = await asyncio.gather(*map(speech.wait_until_final, crowd.jobs()), return_exceptions=True)
    assert {type(one) for one in ended} == {ZeroDivisionError}


async def test_an_endpoint_that_a_list_shows_as_it_was_is_not_ready(crowd: Crowd, speech: SpeechClient) -> None:
    """After a PATCH a lagging list still says Succeeded, in the same second: that was the model before."""
    crowd.kind = "endpoints"
    crowd.ends = {f"e{number}": 0.0 for number in range(MOST_GETS + 5)}  # so many that lists of the final are read
    patched = [
        endpoint.model_copy(update={"status": Status.RUNNING, "last_action_date_time": DAY})
        for endpoint in crowd.jobs(Endpoint)
    ]
    crowd.retry_after = 10
    fresh = {"status": "Running", "lastActionDateTime": moment(0)}

    def swapping(request: httpx.Request) -> httpx.Response | None:
        name = request.url.path.rpartition("/")[2]
        if name == "endpoints" or crowd.time.now >= 25:
            return None
        return httpx.Response(200, json=crowd.body(name, 0) | fresh, headers={"Retry-After": "10"})

    crowd.trouble = swapping
    await asyncio.gather(*map(speech.wait_until_final, patched))
    assert crowd.time.now >= 25


# On a clock that stands still: only notifications and cancellations happen


class Still:
    """Sleeps never end by themselves; the test moves the clock."""

    now = 0.0

    def __init__(self) -> None:
        self.asleep = asyncio.Event()

    def clock(self) -> float:
        return self.now

    async def sleep(self, _: float) -> None:
        self.asleep.set()
        await asyncio.Event().wait()


@pytest.fixture
async def still(crowd: Crowd) -> AsyncIterator[tuple[SpeechClient, Still]]:
    clock = crowd.time = Still()
    async with client_of(crowd, clock) as client:
        yield client, clock


async def resting(clock: Still) -> None:
    clock.asleep.clear()
    await clock.asleep.wait()


def told(name: str) -> Notification:
    return Notification(self=f"{HOST}/speechtotext/datasets/{name}", event=EventKind.DATASET_COMPLETION)


@pytest.mark.parametrize("jobs", [1, 100])
async def test_a_notification_wakes_the_wait_at_once(
    crowd: Crowd, still: tuple[SpeechClient, Still], jobs: int
) -> None:
    """Not a second passes, alone or in a crowd, and the job is looked at again: the hook itself proves nothing."""
    speech, clock = still
    crowd.ends = {f"d{number}": 7.0 for number in range(jobs)}
    waits = [asyncio.create_task(speech.wait_until_final(job)) for job in crowd.jobs()]
    await resting(clock)
    clock.now = 8.0
    speech.notice(told("d0"))
    assert (await waits[0]).status == Status.SUCCEEDED
    assert crowd.asked[-1] == (8.0, "d0")
    assert not any(wait.done() for wait in waits[1:])
    for wait in waits[1:]:
        wait.cancel()


async def test_forged_notifications_cost_less_and_less(crowd: Crowd, still: tuple[SpeechClient, Still]) -> None:
    """One look each at first, then after 1, 2, 4 seconds: a flood of them is no flood of requests."""
    speech, clock = still
    crowd.ends = {"d0": 1000.0}
    wait = asyncio.create_task(speech.wait_until_final(crowd.jobs()[0]))
    await resting(clock)
    for tenth in range(1, 101):
        clock.now = tenth / 10
        speech.notice(told("d0"))
        speech.notice(told("unknown"))
        await resting(clock)
    assert crowd.at("d0") == [0.0, 0.1, 1.1, 3.1, 7.1]
    wait.cancel()


async def test_notifications_of_many_are_answered_by_lists(crowd: Crowd, still: tuple[SpeechClient, Still]) -> None:
    """A thousand jobs that end together tell so a thousand times."""
    speech, clock = still
    crowd.ends = {f"d{number}": 20.0 for number in range(1000)}
    waits = [asyncio.create_task(speech.wait_until_final(job)) for job in crowd.jobs()]
    await resting(clock)
    clock.now = 21.0
    for name in crowd.ends:
        speech.notice(told(name))
    await asyncio.gather(*waits)
    assert len(crowd.asked) <= 21
    assert len(crowd.ends) > MOST_CALLS


async def test_cancelling_one_wait_harms_nobody(crowd: Crowd, still: tuple[SpeechClient, Still]) -> None:
    """Not even the one that looks for all."""
    speech, clock = still
    crowd.ends = {f"d{number}": 5.0 for number in range(5)}
    first, *others = [asyncio.create_task(speech.wait_until_final(job)) for job in crowd.jobs()]
    await resting(clock)
    first.cancel()
    clock.now = 6.0
    for name in crowd.ends:
        speech.notice(told(name))
    assert len(await asyncio.gather(*others)) == 4
    assert first.cancelled()


async def test_while_nobody_waits_nothing_runs(crowd: Crowd, still: tuple[SpeechClient, Still]) -> None:
    """No request, no task."""
    speech, clock = still
    crowd.ends = {f"d{number}": 500.0 for number in range(5)}
    waits = [asyncio.create_task(speech.wait_until_final(job)) for job in crowd.jobs()]
    await resting(clock)
    count = len(crowd.asked)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if "watcher" in task.get_name()] == []
    assert len(crowd.asked) == count


async def test_closing_the_client_ends_its_waits(crowd: Crowd, still: tuple[SpeechClient, Still]) -> None:
    """With an error, instead of a wait for ever."""
    speech, clock = still
    crowd.ends = {"d0": 500.0}
    wait = asyncio.create_task(speech.wait_until_final(crowd.jobs()[0]))
    await resting(clock)
    await speech.aclose()
    with pytest.raises(BadInput, match="was closed"):
        await wait


async def test_two_waits_for_one_job_look_once(crowd: Crowd, speech: SpeechClient) -> None:
    """They share what is seen."""
    crowd.ends = {"d0": 20.0}
    await asyncio.gather(*(speech.wait_until_final(crowd.jobs()[0]) for _ in range(10)))
    assert crowd.at("d0") == [0.0, 30.0]
