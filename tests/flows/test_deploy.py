"""Deploying: only what passed, only where it still applies, and the old model comes back when anything is wrong."""

import pytest

from domain.mistakes import Mistake
from domain.ruling import Report
from flows.deploy import deploy
from flows.testing_update import testing_update
from flows.training_update import training_update
from speech_client import JobFailed
from tasks.endpoints import ReleaseFailed
from tests.flows.conftest import DINOSAURS, NAMES, SPOKEN, World

RECOGNITION = "/speech/recognition"
NO_STAGING = 'locale = "en-US"\n[release]\nstaging = false\n'


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


@pytest.mark.slow
async def test_a_verdict_about_another_model_is_refused(world: World) -> None:
    """A verdict lets one model go live, not any."""
    report = await released(world)

    with pytest.raises(Mistake, match="not 'places-model-other'"):
        await deploy(world.track, "places-model-other", report.decision.digest)


@pytest.mark.slow
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
    before = await world.ledger.state()

    again = await deploy(world.track, report.decision.ruling.verdict.candidate, report.decision.digest)

    assert again.number == 1
    assert await world.ledger.state() == before


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
    world.write_track(NAMES, settings=NO_STAGING)
    await world.fault(method="POST", path=RECOGNITION, kind="deaf", times=3)

    with pytest.raises(ReleaseFailed, match="is back"):
        await training_update(**world.arguments)

    assert await live_model(world) == before
    state = await world.ledger.state()
    assert state.release.model_name == first.decision.ruling.verdict.candidate


@pytest.mark.slow
async def test_the_former_model_comes_back_when_the_new_one_cannot_be_asked(world: World) -> None:
    """An error during verification is no verification: clients must not keep a model that nobody has heard."""
    await released(world, "xanadu is a place\n")
    before = await live_model(world)
    world.write_track(NAMES, settings=NO_STAGING)
    await world.fault(method="POST", path=RECOGNITION, kind="404")

    with pytest.raises(ReleaseFailed, match=r"404.*is back"):
        await training_update(**world.arguments)

    assert await live_model(world) == before
    assert [entry.kind for entry in await world.ledger.history()][-2:] == ["release-started", "release-failed"]


@pytest.mark.slow
async def test_a_live_endpoint_whose_update_failed_recovers(world: World) -> None:
    """The former model is back at once, and the next run releases after all."""
    await released(world, "xanadu is a place\n")
    before = await live_model(world)
    world.write_track(NAMES, settings=NO_STAGING)
    await world.fault(job="endpoint")

    with pytest.raises(ReleaseFailed, match="is back"):
        await training_update(**world.arguments)
    assert await live_model(world) == before

    assert (await training_update(**world.arguments)).released


async def test_a_verdict_on_former_testing_data_is_refused(world: World) -> None:
    """It passed on data that are no longer what counts."""
    await world.fault(method="POST", path=RECOGNITION, kind="deaf", times=3)
    with pytest.raises(ReleaseFailed):
        await released(world)
    facts = (await world.ledger.history())[-1].facts
    world.write_track(spoken={**SPOKEN, "9.wav": "xylon xenon xeric"})
    await testing_update(**world.arguments)

    with pytest.raises(Mistake, match="the testing data have changed"):
        await deploy(world.track, facts["candidate"], facts["ruling"])


@pytest.mark.slow
async def test_staging_endpoints_of_a_crash_are_removed(world: World) -> None:
    """Hosting is charged by the hour; only this track's are touched."""
    report = await released(world, "xanadu is a place\n")
    model = {"self": (await world.entities("models"))[0]["self"]}
    for name, track in (("places-staging-0123456789ab", "places"), ("places-staging-x-live", "places-staging-x")):
        body = {"displayName": name, "locale": "en-US", "model": model, "customProperties": {"track": track}}
        await world.speech.final(await world.speech.post("/endpoints", **body))

    await released(world, NAMES)

    names = sorted(str(endpoint["displayName"]) for endpoint in await world.entities("endpoints"))
    assert names == ["places-live", "places-staging-x-live"]
    assert report.released


async def test_a_release_that_failed_is_tried_again(world: World) -> None:
    """The next run finds the verdict, trains nothing, and releases."""
    await world.fault(job="endpoint")
    with pytest.raises(JobFailed):
        await released(world)

    report = await released(world)

    assert report.released
    assert (await world.speech.state())["trainings"] == 1
