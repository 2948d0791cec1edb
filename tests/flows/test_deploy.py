"""Deploying: only what passed, only where it still applies, and the old model comes back when anything is wrong."""

import pytest

from domain.mistakes import Mistake
from domain.ruling import Report
from flows.deploy import deploy
from flows.training_update import training_update
from speech_client import JobFailed
from tasks.endpoints import ReleaseFailed
from tests.flows.conftest import DINOSAURS, NAMES, World

RECOGNITION = "/speech/recognition"


async def released(world: World, text: str = NAMES) -> Report:
    """Run a training update on this text."""
    world.write_track(text)
    return await training_update(**world.arguments)


async def live_model(world: World) -> str:
    """The id of the model behind the live endpoint."""
    (endpoint,) = await world.entities("endpoints")
    return str(endpoint["model"]["self"]).partition("?")[0].rpartition("/")[2]


async def test_a_model_that_did_not_pass_is_refused(world: World) -> None:
    """Nobody can deploy around the gate; the message gives the reasons."""
    report = await released(world, DINOSAURS)
    verdict = report.decision.ruling.verdict

    with pytest.raises(Mistake, match=r"must not go live: its verdict is FAIL \(WER stayed"):
        await deploy(world.track, verdict.candidate, report.decision.digest)
    assert await world.entities("endpoints") == []


async def test_a_verdict_about_another_model_is_refused(world: World) -> None:
    """A verdict lets one model go live, not any."""
    report = await released(world)

    with pytest.raises(Mistake, match="not 'places-model-other'"):
        await deploy(world.track, "places-model-other", report.decision.digest)


async def test_a_verdict_against_a_former_benchmark_is_refused(world: World) -> None:
    """It was better than a model that is no longer live: that says nothing about the one that is."""
    first = await released(world, "xanadu is a place\n")
    await released(world, NAMES)

    with pytest.raises(Mistake, match="out of date"):
        await deploy(world.track, first.decision.ruling.verdict.candidate, first.decision.digest)


async def test_changed_evidence_is_refused(world: World) -> None:
    """A forged verdict deploys nothing."""
    report = await released(world, DINOSAURS)
    key = f"evidence/{report.decision.digest}/ruling.json"
    forged = (await world.store.read(key)).data.replace(b'"FAIL"', b'"PASS"')
    await world.store.write(key, forged)

    with pytest.raises(Mistake, match="not what was stored"):
        await deploy(world.track, report.decision.ruling.verdict.candidate, report.decision.digest)


async def test_deploying_again_changes_nothing(world: World) -> None:
    """The same release is recorded once."""
    report = await released(world)

    again = await deploy(world.track, report.decision.ruling.verdict.candidate, report.decision.digest)

    assert again.number == 1
    assert [entry.kind for entry in await world.ledger.history()] == ["training-update", "release"]


async def test_a_model_that_is_wrong_on_staging_never_meets_clients(world: World) -> None:
    """The staging endpoint does not say what the evaluation heard: nothing changes, and it is removed."""
    await world.fault(method="POST", path=RECOGNITION, kind="deaf", times=3)

    with pytest.raises(ReleaseFailed, match="Nothing has changed for clients"):
        await released(world)

    assert await world.entities("endpoints") == []
    assert (await world.ledger.state()).release is None


async def test_the_former_model_comes_back_when_the_new_one_is_wrong_live(world: World) -> None:
    """Verification on the live id fails: the endpoint has its former model again, and the ledger never says otherwise."""
    first = await released(world, "xanadu is a place\n")
    before = await live_model(world)
    world.write_track(NAMES, settings='locale = "en-US"\n[release]\nstaging = false\n')
    await world.fault(method="POST", path=RECOGNITION, kind="deaf", times=3)

    with pytest.raises(ReleaseFailed, match="is back"):
        await training_update(**world.arguments)

    assert await live_model(world) == before
    state = await world.ledger.state()
    assert state.release.model_name == first.decision.ruling.verdict.candidate


async def test_a_release_that_failed_is_tried_again(world: World) -> None:
    """The next run finds the verdict, trains nothing, and releases."""
    await world.fault(job="endpoint")
    with pytest.raises(JobFailed):
        await released(world)

    report = await released(world)

    assert report.released
    assert (await world.speech.state())["trainings"] == 1
