"""Runs that overlap, processes that die in between, and things that people delete: the ledger and the endpoint agree."""

import shutil
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest

import flows.deploy
import flows.going_live
import flows.testing_update
import flows.training_update
import tasks.evaluations
from domain.mistakes import Mistake
from flows.testing_update import testing_update
from flows.training_update import training_update
from tests.flows.conftest import DINOSAURS, NAMES, World

WEAK = "xanadu is a place\n"
DISCARD = 'locale = "en-US"\n[release]\nrefused_candidates = "discard"\n'
NO_STAGING = 'locale = "en-US"\n[release]\nstaging = false\n'


def then(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, happens: Callable[[], Awaitable[object]]
) -> None:
    """Let something happen once, right after a step of a flow."""
    step, left = getattr(module, name), [happens]

    async def followed(*arguments: Any) -> Any:
        result = await step(*arguments)
        if left:
            await left.pop()()
        return result

    monkeypatch.setattr(module, name, followed)


async def crash() -> None:
    """The process dies here."""
    raise KeyboardInterrupt


async def live_model(world: World) -> str:
    """The id of the model behind the live endpoint."""
    (endpoint,) = await world.entities("endpoints")
    return str(endpoint["model"]["self"]).partition("?")[0].rpartition("/")[2]


@pytest.mark.slow
async def test_a_slow_run_does_not_replace_a_better_model(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it evaluated, another run released: its verdict compares with a model that is no longer live."""
    world.write_track(WEAK)

    async def another_run() -> None:
        world.write_track(NAMES)
        assert (await training_update(**world.arguments)).released

    then(monkeypatch, flows.training_update, "measure", another_run)
    with pytest.raises(Mistake, match="out of date"):
        await training_update(**world.arguments)

    state = await world.ledger.state()
    assert (state.release.number, state.benchmark.wer) == (1, 0.0)
    assert state.release.model.endswith(await live_model(world))


@pytest.mark.slow
async def test_a_slow_measurement_does_not_replace_the_benchmark(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured is no longer the benchmark."""

    async def another_run() -> None:
        assert (await training_update(**world.arguments)).released

    then(monkeypatch, flows.testing_update, "measure", another_run)
    await testing_update(**world.arguments)

    state = await world.ledger.state()
    assert state.benchmark.model == state.release.model


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("claim_release", marks=pytest.mark.slow),
        pytest.param("start_live_endpoint", marks=pytest.mark.slow),
        "await_endpoint",
        pytest.param("listen", marks=pytest.mark.slow),
    ],
)
async def test_an_interrupted_release_is_finished_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The process dies between the first change for clients and the record; even when other data are pushed next."""
    world.write_track(WEAK)
    await training_update(**world.arguments)
    world.write_track(NAMES, settings=NO_STAGING)
    with monkeypatch.context() as patch:
        then(patch, flows.deploy if step == "claim_release" else flows.going_live, step, crash)
        with pytest.raises(KeyboardInterrupt):
            await training_update(**world.arguments)
    world.write_track(DINOSAURS)

    report = await training_update(**world.arguments)

    assert not report.released
    state = await world.ledger.state()
    assert (state.release.number, state.pending) == (2, None)
    assert state.release.model.endswith(await live_model(world))
    assert state.benchmark.wer == 0.0


async def test_a_claim_whose_answer_was_lost_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store took it, and the task asks again: this run's own claim is nobody else's."""
    claim = flows.deploy.claim_release

    async def twice(*arguments: Any) -> None:
        await claim(*arguments)
        await claim(*arguments)

    monkeypatch.setattr(flows.deploy, "claim_release", twice)

    assert (await training_update(**world.arguments)).released
    assert [one.kind for one in await world.ledger.history()] == ["training-update", "release-started", "release"]


@pytest.mark.slow
async def test_invalid_evidence_is_no_answer_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One transcript was missing once: the run is Invalid, nothing is deleted, and the next run decides."""
    world.write_track(settings=DISCARD)
    read = tasks.evaluations._transcripts

    async def without_one(*arguments: Any) -> Any:
        return (await read(*arguments))[1:]

    with monkeypatch.context() as patch:
        patch.setattr(tasks.evaluations, "_transcripts", without_one)
        state = await training_update(**world.arguments, return_state=True)
    assert state.name == "Invalid"
    assert "no transcript of" in state.message
    assert (await world.ledger.state()).release is None

    assert (await training_update(**world.arguments)).released
    assert (await world.speech.state())["trainings"] == 1


async def test_lost_evidence_is_made_anew(world: World) -> None:
    """Somebody deleted it: the run scores again, and evaluates nothing again."""
    report = await testing_update(**world.arguments)
    shutil.rmtree(world.store.folder / "evidence" / report.decision.ruling.measurement)

    again = await testing_update(**world.arguments)

    assert again.benchmark_wer == report.benchmark_wer
    assert again.decision.work.evaluated == 0


@pytest.mark.slow
async def test_a_model_that_was_deleted_is_trained_again(world: World) -> None:
    """It had passed, its release failed, and then somebody cleaned up in Speech Studio."""
    await world.fault(method="POST", path="/speech/recognition", kind="deaf", times=3)
    with pytest.raises(Mistake):
        await training_update(**world.arguments)
    for kind in ("evaluations", "models"):
        for entity in await world.entities(kind):
            path = str(entity["self"]).partition("?")[0].partition("/speechtotext")[2]
            assert (await world.speech.call("DELETE", path)).status_code == 204

    assert (await training_update(**world.arguments)).released


async def test_a_candidate_is_discarded_with_all_its_evaluations(world: World) -> None:
    """Also with the one that Failed."""
    world.write_track(DINOSAURS, settings=DISCARD)
    await world.fault(job="evaluation")
    with pytest.raises(Exception, match="failed"):
        await training_update(**world.arguments)

    report = await training_update(**world.arguments)

    assert report.decision.ruling.verdict.outcome == "FAIL"
    assert await world.entities("models") == []


async def test_what_a_crash_did_not_discard_the_next_run_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict is known, the candidate is still there."""
    world.write_track(DINOSAURS, settings=DISCARD)
    with monkeypatch.context() as patch:
        then(patch, flows.training_update, "record_ruling", crash)
        with pytest.raises(KeyboardInterrupt):
            await training_update(**world.arguments)
    assert len(await world.entities("models")) == 1

    await training_update(**world.arguments)

    assert await world.entities("models") == []


@pytest.mark.slow
async def test_a_former_release_is_never_discarded(world: World) -> None:
    """After a revert the former model is a refused candidate, but it is what a rollback needs."""
    world.write_track(WEAK)
    await training_update(**world.arguments)
    world.write_track(NAMES)
    await training_update(**world.arguments)
    world.write_track(WEAK, settings=DISCARD)

    report = await training_update(**world.arguments)

    assert report.decision.ruling.verdict.outcome == "FAIL"
    assert len(await world.entities("models")) == 2
