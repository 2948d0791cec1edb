"""The watch: silent fallback, decay, newer base models, dates; each is found by one watch, and told with what to do."""

import json
import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prefect.cli._utilities import load_json_key_values
from prefect.client.orchestration import get_client
from prefect.events.filters import EventFilter, EventNameFilter

from domain.watch.findings import Finding, WatchReport
from flows.deploy import deploy
from flows.training_update import training_update
from flows.watch import watch
from tasks.ledger import Ledger
from tests.emulator.service_kit import path_of, served, settings_for
from tests.flows.conftest import DINOSAURS, NAMES, SPOKEN, World

MOVED = {name: said.replace("xanadu", "xylon") for name, said in SPOKEN.items()}
"""What people say has moved on: a place that the live model has not learnt."""
YEARS = 3 * 365 * 24 * 3600
POLICY = 'locale = "en-US"\n[watch]\nrollback = "worse-than-previous"\n'


def world_in(folder: Path, speech: Any) -> World:
    """A world whose track is this file's own."""
    world = World(folder, speech)
    world.track = "watched"
    world.ledger = Ledger(world.store, world.track)
    return world


@pytest.fixture
async def live(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A track with a model live: released once, and copied for every test."""
    made = tmp_path_factory.getbasetemp() / "live"
    if not made.exists():
        async with served(settings_for(made / "emulator")) as speech:
            world = world_in(made, speech)
            world.write_track()
            await world.save_blocks()
            assert (await training_update(**world.arguments)).released
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    async with served(settings_for(tmp_path / "emulator")) as speech:
        world = world_in(tmp_path, speech)
        await world.save_blocks()
        yield world


def kinds(report: WatchReport) -> list[str]:
    """What was found."""
    return [finding.kind for finding in report.findings]


async def told(world: World, count: int) -> list[dict[str, Any]]:
    """The findings' events of the track since it was made, the oldest first, once the server has so many."""
    wanted = EventFilter(event=EventNameFilter(name=["speechops.track.finding"]))
    async with get_client() as client:
        while True:
            query = {"filter": wanted.model_dump(mode="json"), "limit": 50}
            found = (await client._client.post("/events/filter", json=query)).json()["events"]
            mine = [one for one in found if str(world.data) in json.dumps(one["payload"])]
            if len(mine) >= count:
                return sorted(mine, key=lambda one: one["occurred"])


def parameters(command: str) -> dict[str, Any]:
    """What Prefect takes from a command as it was typed."""
    words = shlex.split(command)
    return load_json_key_values([word for word in words if "=" in word], "parameter")


def command_in(finding: Finding) -> str:
    """The first command that a finding proposes."""
    return finding.what_to_do.split("`")[1]


async def test_all_is_well(live: World) -> None:
    """Every look says what it saw; the history has one line of it, and the service no evaluation more."""
    evaluations = await live.entities("evaluations")

    first = await watch(**live.arguments, return_state=True)
    second = await watch(**live.arguments, return_state=True)

    report = await first.aresult()
    assert (first.name, second.name, kinds(report)) == ("All well", "All well", [])
    assert all("could not" not in look.told for look in report.looks)
    (drift,) = report.drifts
    assert (drift.method, drift.now.wer, drift.rise) == ("same recordings", 0.0, 0.0)
    assert {row.what for row in report.expiry} >= {
        "transcription with the live model",
        "adaptation with the base model",
    }
    assert await live.entities("evaluations") == evaluations
    assert (await live.speech.state())["evaluations"] == len(evaluations) + 2
    entries = [entry for entry in await live.ledger.history() if entry.kind == "watch"]
    assert [entry.facts["wer"] for entry in entries] == [0.0]
    kept = await live.store.read("tracks/watched/watch.json")
    assert WatchReport.model_validate_json(kept.data) == await second.aresult()


async def test_decay_is_found_once_it_is_more_than_chance(live: World) -> None:
    """People say other things now: WER then and now with intervals, the base model beside it, and how to train."""
    live.write_track(spoken=MOVED)

    state = await watch(**live.arguments, return_state=True)

    (finding,) = (await state.aresult()).findings
    assert (state.name, finding.kind, finding.severity, finding.new) == ("Findings", "accuracy", "warning", True)
    assert "other recordings" in finding.detail
    assert "the recordings are no harder for it" in finding.detail
    assert finding.facts["interval"][0] > 0.01
    assert parameters(command_in(finding)) == {"track": "watched", "data": str(live.data)}
    text = json.dumps([finding.model_dump(mode="json"), await told(live, 1)])
    assert not any(name in text for name in ("xylon", "xanadu", "xystus"))


async def test_a_finding_that_is_known_is_not_news_again(live: World) -> None:
    """Nobody is woken every night for the same thing: the event says whether it is new, the report since when it is known."""
    live.write_track(spoken=MOVED)

    first = await watch(**live.arguments)
    again = await watch(**live.arguments)

    assert (again.findings[0].new, again.findings[0].since) == (False, first.findings[0].since)
    events = await told(live, 2)
    assert [event["resource"]["speechops.new"] for event in events] == ["true", "false"]
    assert len([entry for entry in await live.ledger.history() if entry.kind == "watch"]) == 1


async def test_silent_fallback_is_found(live: World) -> None:
    """The model has expired by the service's clock: the endpoint goes on answering, with the base model, and says nothing."""
    await live.speech.http.post("/_emulator/clock", json={"advance_seconds": YEARS})

    report = await watch(**live.arguments)

    assert report.findings[0].kind == "silent-fallback"
    assert report.findings[0].severity == "critical"
    assert parameters(command_in(report.findings[0]))["base"] == "newest"
    assert "unchecked" in kinds(report)  # an expired model cannot be evaluated, and that is told as well


async def test_a_newer_base_model_is_found_and_the_command_works_as_typed(live: World) -> None:
    """Figures on the testing data, and a retraining that may go live without being better than what is live."""
    await live.speech.http.post("/_emulator/base-models", json={"name": "20270115"})

    (finding,) = (await watch(**live.arguments)).findings
    typed = parameters(command_in(finding))
    unchanged = await training_update(**live.arguments)
    report = await training_update(**typed, revision="abc123")

    assert (finding.kind, finding.severity) == ("newer-base-model", "info")
    assert (finding.facts["live_wer"], finding.facts["base"], typed["base"]) == (0.0, "20270115", "20270115")
    assert unchanged.decision.settled
    verdict = report.decision.ruling.verdict
    assert (verdict.outcome, report.released) == ("PASS", True)
    assert (verdict.benchmark_wer, verdict.candidate_wer) == (0.0, 0.0)
    assert "20270115" in (await live.ledger.state()).release.model_name
    assert kinds(await watch(**live.arguments)) == []


async def test_a_retraining_that_fails_changes_no_base_model(live: World) -> None:
    """It was a try: the next push is trained from the base model of what is live."""
    await live.speech.http.post("/_emulator/base-models", json={"name": "20270115"})
    live.write_track(DINOSAURS)
    before = await live.ledger.state()

    report = await training_update(**live.arguments, base="newest")

    assert "20270115" in report.decision.ruling.verdict.candidate
    assert report.decision.ruling.verdict.outcome == "FAIL"
    assert (await live.ledger.state()).base_model == before.base_model


@pytest.mark.slow
async def test_the_watch_goes_back_when_the_release_before_is_better(live: World) -> None:
    """By policy only, after one evaluation of both on what people say now; the reason stands in the history."""
    live.write_track(NAMES.replace("xanadu", "xylon"), MOVED, POLICY)
    assert (await training_update(**live.arguments)).released
    live.write_track(NAMES.replace("xanadu", "xylon"), SPOKEN)
    only_told = await watch(**live.arguments)
    before = await live.ledger.state()
    live.write_track(NAMES.replace("xanadu", "xylon"), SPOKEN, POLICY)

    report = await watch(**live.arguments)

    assert (kinds(only_told), before.release.number) == (["accuracy"], 2)
    assert kinds(report) == ["previous-is-better", "accuracy"]
    state = await live.ledger.state()
    assert (state.release.kind, state.release.by, state.release.number) == ("rollback", "watch", 3)
    assert state.release.model == state.previous_releases[-1].model
    assert "rose from" in state.release.reason
    assert report.rolled_back_to


async def test_an_endpoint_that_somebody_changed_is_found(live: World) -> None:
    """By hand, in Speech Studio: another model, then no endpoint at all. The command makes it good, and the ledger follows."""
    (endpoint,) = await live.entities("endpoints")
    base = await live.speech.base_model()
    await live.speech.call("PATCH", path_of(endpoint), json={"model": {"self": base["self"]}})
    changed = (await watch(**live.arguments)).findings[0]
    await live.speech.final(endpoint)
    await live.speech.call("DELETE", path_of(endpoint))

    gone = (await watch(**live.arguments)).findings[0]
    await deploy(**parameters(command_in(gone)))

    assert (changed.kind, changed.severity) == ("other-model", "critical")
    assert (gone.kind, gone.severity) == ("endpoint-gone", "critical")
    assert command_in(changed) == command_in(gone)
    head, (new,) = await live.ledger.state(), await live.entities("endpoints")
    assert (head.release.number, head.endpoint) == (1, path_of(new).removeprefix("/"))
    assert head.release.endpoint == head.endpoint


async def test_what_cannot_be_looked_at_is_told_and_the_rest_is_looked_at(live: World) -> None:
    """Broken testing data hide no fallback: silence must not pass for health."""
    (live.data / live.track / "testing" / "trans.txt").write_text("1.wav\n")
    await live.speech.http.post("/_emulator/clock", json={"advance_seconds": YEARS})

    report = await watch(**live.arguments)

    assert kinds(report)[0] == "silent-fallback"
    assert [one.facts["part"] for one in report.findings if one.kind == "unchecked"] == ["accuracy"]
    assert "trans.txt" in next(one.detail for one in report.findings if one.kind == "unchecked")


async def test_a_track_without_a_release_has_nothing_to_watch(live: World) -> None:
    """It is no failure, and says so."""
    live.track = "unborn"

    state = await watch(**live.arguments, return_state=True)

    assert (state.name, kinds(await state.aresult())) == ("Nothing live", [])
