"""Each delivery has its effect on Prefect, once: by an automation when there is one, otherwise by the dispatcher."""

import asyncio
import logging
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.events import event_id
from deployments.receiver.app import create_app
from deployments.receiver.dispatcher import UNKNOWN
from deployments.receiver.reconciling import Patience
from deployments.receiver.settings import ReceiverSettings
from domain.mistakes import Mistake
from domain.pushes import PushRules
from tests.deployments.receiver.dispatch_kit import (
    ADDRESS,
    CALLS,
    MAPS,
    Dispatching,
    FakeSource,
    blob,
    job,
    pull_request,
    push,
)
from tests.deployments.receiver.hook_kit import SECRET, FakeClock, Receiver, github, payload

GRACE = 20


@pytest.fixture
def at(tmp_path: Path, clock: FakeClock) -> Dispatching:
    """With one source in git and one in blobs."""
    return Dispatching(tmp_path, clock, MAPS, CALLS)


async def test_a_push_becomes_an_event_at_once(at: Dispatching) -> None:
    """It names the source, not the address; and nothing is started before the automation had its time."""
    (delivery,) = at.take(push())
    await at.after()

    ((identity, event),) = at.prefect.events.items()
    assert identity == str(event_id(delivery.id, "maps"))
    assert event["event"] == "speechops.data.changed"
    assert event["resource"] == {
        "prefect.resource.id": "speechops.source.maps",
        "prefect.resource.name": "maps",
        "speechops.kind": "git",
    }
    assert event["payload"] == {"ref": "refs/heads/main", "delivery": delivery.id}
    assert (at.prefect.runs, at.state(delivery)) == ([], "waits")


async def test_what_no_automation_started_is_started_after_the_grace_time(at: Dispatching) -> None:
    """Once, however often one looks, and it is done when the run is."""
    (delivery,) = at.take(push())
    await at.after()
    await at.after(GRACE - 1)
    assert at.prefect.runs == []
    for _ in range(3):
        await at.after(10)
    (run,) = at.prefect.runs
    assert run["parameters"] == {"source": "maps", "ref": "refs/heads/main", "delivery": delivery.id}
    assert run["tags"] == [f"delivery:{delivery.id}", "source:maps"]
    assert at.state(delivery) == "waits"

    at.prefect.ends_as = lambda _: "COMPLETED"
    await at.after(10)
    assert at.state(delivery) == f"flow run {run['id']}"


async def test_what_an_automation_started_is_not_started_again(at: Dispatching) -> None:
    """Also while no worker has begun it, so that it could not tag itself yet."""
    at.prefect.automates = lambda _: True
    (delivery,) = at.take(push())
    await at.after()
    at.prefect.runs[0]["tags"] = []
    await at.after(1000)
    assert len(at.prefect.runs) == 1

    at.prefect.runs[0]["tags"] = [f"delivery:{delivery.id}"]
    at.prefect.ends_as = lambda _: "COMPLETED"
    await at.after(10)
    assert len(at.prefect.runs) == 1
    assert at.state(delivery).startswith("flow run")


async def test_an_event_comes_again_after_a_restart_and_is_the_same(at: Dispatching) -> None:
    """The server knows it by its id; within one life it is sent once."""
    at.take(push())
    await at.after()
    await at.after(5)
    assert at.prefect.requests.count("POST /events") == 1
    at.restart()
    await at.after()

    assert at.prefect.requests.count("POST /events") == 2
    assert len(at.prefect.events) == 1


async def test_a_run_whose_start_was_not_answered_is_not_started_twice(at: Dispatching) -> None:
    """Nor by a new process, even if the server does not show the run yet."""
    lost: list[str] = []
    at.prefect.loses = lambda key: not lost and not lost.append(key)
    at.prefect.is_blind = True
    at.take(push())
    await at.after()
    await at.after(GRACE)
    at.restart()
    await at.after()
    await at.after(GRACE)

    assert (len(lost), len(at.prefect.runs)) == (1, 1)


async def test_a_hundred_blobs_are_one_run(at: Dispatching) -> None:
    """Each has its event, for the automation's window; the reconciler waits until they have come to rest."""
    deliveries = [*at.take(*(blob(f"{number}.wav") for number in range(60)))]
    await at.after(9)
    deliveries += at.take(*(blob(f"late {number}.wav") for number in range(40)))
    await at.after()
    await at.after(GRACE + 9)
    assert (len(at.prefect.events), at.prefect.runs) == (100, [])
    await at.after(5)
    at.prefect.ends_as = lambda _: "COMPLETED"
    await at.after(5)

    (run,) = at.prefect.runs
    assert {at.state(delivery) for delivery in deliveries} == {f"flow run {run['id']}"}


async def test_a_run_that_began_before_a_blob_came_has_not_seen_it(at: Dispatching) -> None:
    """One that begins later has, whoever started it."""
    at.prefect.run("calls", state="COMPLETED")
    at.clock.move(seconds=3)
    (delivery,) = at.take(blob())
    await at.after()
    await at.after(5)
    assert at.state(delivery) == "waits"

    at.clock.move(seconds=5)
    at.prefect.run("calls", state="COMPLETED")
    await at.after(5)
    assert at.state(delivery).startswith("flow run")


async def test_blobs_that_never_cease_are_looked_at_all_the_same(at: Dispatching) -> None:
    """The automation would wait for ever; after ten minutes the dispatcher does not."""
    for _ in range(80):
        at.take(blob())
        await at.after(8)

    assert len(at.prefect.runs) == 1


async def test_a_run_that_fails_is_started_again_with_growing_gaps(
    at: Dispatching, caplog: pytest.LogCaptureFixture
) -> None:
    """Three times; then it is given up, counted and told."""
    at.prefect.ends_as = lambda _: "FAILED"
    (delivery,) = at.take(push())
    await at.after()
    started: list[float] = []
    for second in range(0, 1200, 5):
        await at.after(5)
        started += [second] * (len(at.prefect.runs) - len(started))
        if at.state(delivery) != "waits":
            break
    gaps = [later - earlier for earlier, later in pairwise(started)]

    assert len(started) == 4
    assert [30 <= gaps[0] < 45, 120 <= gaps[1] < 135, 480 <= gaps[2] < 495] == [True] * 3
    assert at.state(delivery) == "given up: 4 flow runs ended unsuccessfully, the last as Failed"
    assert at.dispatcher.tally.given_up == 1
    assert "given up" in caplog.text


async def test_attempts_are_counted_on_the_server(at: Dispatching) -> None:
    """So a receiver that is restarted again and again does not try for ever."""
    at.prefect.ends_as = lambda _: "CRASHED"
    (delivery,) = at.take(push())
    for _ in range(40):
        at.restart()
        await at.after()
        await at.after(600)

    assert len(at.prefect.runs) == 4
    assert at.state(delivery).startswith("given up")


async def test_a_crashed_run_that_goes_on_is_waited_for(at: Dispatching) -> None:
    """The automation that begins it again was faster."""
    (delivery,) = at.take(push())
    run = at.prefect.run("maps", delivery.id, "CRASHED")
    await at.after()
    run["state_type"] = "SCHEDULED"
    await at.after(1000)

    assert at.prefect.runs == [run]


@pytest.mark.parametrize(
    ("subject", "note"),
    [
        (push(address="https://h/o/other.git"), UNKNOWN),
        (push("refs/heads/topic"), "maps: branch 'topic' is not watched (watched: main)"),
    ],
)
async def test_what_concerns_no_source_is_done(at: Dispatching, subject: Any, note: str) -> None:
    """With a reason, and nobody is told."""
    (delivery,) = at.take(subject)
    await at.after()

    assert at.state(delivery) == note
    assert at.prefect.requests == []


async def test_a_source_that_was_just_made_is_found(at: Dispatching) -> None:
    """Sources are kept for a minute; a delivery that none knows of lets them be read again, but not at every turn."""
    at.sources = [CALLS]
    at.take(blob())
    await at.after()
    at.sources = [MAPS, CALLS]
    at.clock.move(seconds=1)
    (delivery,) = at.take(push())
    for _ in range(3):
        await at.after(1)
    assert (at.loaded, at.state(delivery)) == (1, "waits")
    await at.after(3)

    assert (at.loaded, len(at.prefect.events)) == (2, 2)


async def test_two_sources_in_one_repository_each_have_their_run(at: Dispatching) -> None:
    """A delivery is done when both are."""
    at.sources = [MAPS, FakeSource("taxi", ADDRESS), FakeSource("quiet", ADDRESS, rules=PushRules(("release",)))]
    (delivery,) = at.take(push())
    await at.after()
    await at.after(GRACE)
    assert len(at.prefect.events) == len(at.prefect.runs) == 2
    at.prefect.ends_as = lambda run: "COMPLETED" if run["parameters"]["source"] == "taxi" else ""
    await at.after(5)
    assert at.state(delivery) == "waits"
    at.prefect.ends_as = lambda _: "COMPLETED"
    await at.after(5)

    assert at.state(delivery) == "; ".join(f"flow run {run['id']}" for run in at.prefect.runs)


async def test_a_job_is_done_as_soon_as_prefect_was_told(at: Dispatching) -> None:
    """No flow is started for it: whoever waits for it listens."""
    (delivery,) = at.take(job())
    await at.after()

    (event,) = at.prefect.events.values()
    assert event["resource"]["prefect.resource.id"] == "speechops.job.models.1"
    assert event["payload"] == {"entity": "models/1", "event": "ModelCompletion", "delivery": delivery.id}
    assert at.state(delivery) == "told Prefect"


async def test_a_pull_request_starts_its_own_flow(at: Dispatching) -> None:
    """With what the event told; not in the queue of the source, for a model may be in training for hours."""
    (delivery,) = at.take(pull_request())
    await at.after()
    await at.after(GRACE)

    (event,) = at.prefect.events.values()
    (run,) = at.prefect.runs
    assert event["event"] == "speechops.pull-request.changed"
    asked = {"number": 7, "wanted": "checks", "head": delivery.subject.head, "delivery": delivery.id}
    assert run["parameters"] == {"source": "maps", **asked}
    assert run["tags"] == [f"delivery:{delivery.id}"]


async def test_while_prefect_is_away_deliveries_wait(at: Dispatching) -> None:
    """And the grace time counts from when the automation was told."""
    at.prefect.is_away = True
    (delivery,) = at.take(push())
    assert await at.dispatcher.turn() is False
    assert at.dispatcher.trouble == "the Prefect server answered with 401"
    at.prefect.is_away = False
    await at.after(1000)
    assert len(at.prefect.events) == 1
    assert at.prefect.runs == []
    await at.after(GRACE)

    assert (len(at.prefect.runs), at.state(delivery)) == (1, "waits")


async def test_without_the_deployment_deliveries_wait_and_somebody_is_told(
    at: Dispatching, caplog: pytest.LogCaptureFixture
) -> None:
    """What to do, once a minute and not at every turn; afterwards all goes on."""
    at.prefect.deployed = False
    (delivery,) = at.take(push())
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            await at.after(GRACE)
    assert caplog.text.count("run `speechops deploy`") == 1
    at.prefect.deployed = True
    await at.after(GRACE)

    assert (len(at.prefect.runs), at.state(delivery)) == (1, "waits")


async def test_a_start_that_is_refused_keeps_no_other_back(at: Dispatching) -> None:
    """The server does not like one of three; the others run, and it is tried again."""
    deliveries = at.take(push(), push(), push())
    at.prefect.refuses = lambda asked: asked["parameters"]["delivery"] == deliveries[0].id
    await at.after()
    await at.after(GRACE)
    assert at.dispatcher.trouble == "the Prefect server answered with 409"
    assert len(at.prefect.runs) == 2
    at.prefect.refuses = lambda _: False
    await at.after(GRACE)

    assert len(at.prefect.runs) == 3


async def test_a_delivery_of_another_version_keeps_no_other_back(
    at: Dispatching, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits for that version, and is told of once."""
    other, delivery = at.take(push(), push())
    at.outbox._db.execute("UPDATE deliveries SET document = '{}' WHERE id = ?", (other.id,))
    for _ in range(3):
        await at.after(5)

    assert [event["payload"]["delivery"] for event in at.prefect.events.values()] == [delivery.id]
    assert caplog.text.count(f"{other.id} was stored by another version") == 1
    assert at.outbox.count_pending() == 2


async def test_a_trouble_that_lasts_does_not_keep_new_deliveries_waiting(
    at: Dispatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pauses grow with each failure, but whatever is stored ends them."""
    monkeypatch.setattr("deployments.receiver.dispatcher._TROUBLE_PAUSE_SECONDS", 0)
    monkeypatch.setattr("deployments.receiver.dispatcher._LONGEST_PAUSE_SECONDS", 1e6)
    pausing = asyncio.create_task(at.dispatcher._pause(failures=10))
    at.dispatcher.wake()

    await asyncio.wait_for(pausing, 60)


async def test_a_deployment_that_was_made_anew_is_found(at: Dispatching) -> None:
    """Its id is another one then; the old id is not asked for for ever."""
    at.take(push())
    await at.after()
    await at.after(GRACE)
    at.take(push())
    await at.after()
    at.prefect.deployed = False
    await at.after(GRACE)
    at.prefect.deployed = True
    await at.after(GRACE)

    assert len(at.prefect.runs) == 2


async def test_a_block_that_is_wrong_stops_nothing_else(at: Dispatching, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken up before goes on; the new ones wait, and the trouble is told."""
    (delivery,) = at.take(push())
    await at.after()

    async def fails() -> None:
        raise Mistake("the block 'maps' is wrong")

    monkeypatch.setattr(at.dispatcher._sources, "_load", fails)
    at.clock.move(minutes=2)
    at.take(push())
    at.prefect.ends_as = lambda _: "COMPLETED"
    await at.after()
    await at.after(5)

    assert at.dispatcher.trouble == "the block 'maps' is wrong"
    assert at.state(delivery).startswith("flow run")


async def test_a_delivery_that_another_process_did_is_forgotten(at: Dispatching) -> None:
    """Two receivers share one outbox."""
    (delivery,) = at.take(push())
    await at.after()
    at.outbox.mark_done({delivery.id: "flow run 1"})
    await at.after(1000)

    assert at.prefect.runs == []


async def test_looking_costs_few_requests_however_many_wait(at: Dispatching) -> None:
    """A hundred deliveries are named at once."""
    at.take(*[push()] * 100)
    await at.after()
    at.prefect.requests.clear()
    await at.after(6)

    assert at.prefect.requests == ["POST /flow_runs/filter"] * 2


async def test_the_receiver_wakes_the_dispatcher_and_shows_its_figures(at: Dispatching, tmp_path: Path) -> None:
    """As soon as the push is stored, and not at the next look; and what is wrong is told, though the receiver is ready."""
    told = asyncio.Event()
    at.prefect.on_event = lambda _: told.set()
    at.sources = [MAPS, FakeSource("speech", "https://github.com/example-org/speech-data.git")]
    at.restart(Patience(look=timedelta(days=1)))
    at.take(push())
    app = create_app(ReceiverSettings(data=tmp_path, github_secret=SECRET), at.outbox, at.dispatcher)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")
    async with app.router.lifespan_context(app):
        await told.wait()  # the first turn
        told.clear()
        receiver = Receiver(at.outbox, client)
        assert (await receiver.take(github(payload("github-push")))).status_code == 202
        await told.wait()
    await at.after()
    at.clock.move(days=1)
    await at.after()
    at.prefect.is_away = True
    at.clock.move(days=1)
    await at.after()

    assert await receiver.figure("speechops_receiver_emitted_total") == 2
    assert await receiver.figure("speechops_receiver_started_total") == 2
    assert await receiver.figure("speechops_receiver_given_up_total") == 0
    assert await receiver.figure("speechops_receiver_oldest_pending_seconds") == 2 * 24 * 3600
    assert (await client.get("/readyz")).json() == {
        "message": "ready",
        "dispatching": "the Prefect server answered with 401",
    }
