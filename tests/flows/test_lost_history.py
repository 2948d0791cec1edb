"""The Speech service knows what clients use; a store that does not is no new store."""

import shutil

import pytest

from flows.deploy import deploy
from flows.testing_update import testing_update
from flows.training_update import training_update
from tasks.lost_history import begin_anew
from tasks.reached import LostHistory
from tests.flows.conftest import World


async def test_a_store_that_was_deleted_releases_nothing_until_somebody_says_so(world: World) -> None:
    """The endpoint of the lost history is neither adopted nor changed, and nothing is tested or trained."""
    world.write_track()
    first = await training_update(**world.arguments)
    assert first.released
    models, (live,) = len(await world.entities("models")), await world.entities("endpoints")
    shutil.rmtree(world.store.folder)

    for flow in (training_update, testing_update):
        with pytest.raises(
            LostHistory, match=r"knows of no release, but the endpoint 'places-live' .* begin-anew places"
        ):
            await flow(**world.arguments)
    assert len(await world.entities("models")) == models
    assert (await world.entities("endpoints"))[0]["model"] == live["model"]
    assert not world.store.folder.exists() or await world.store.keys("tracks/") == []

    await begin_anew(world.store, "places", by="Grace Hopper", reason="the disk is gone")
    again = await training_update(**world.arguments)
    assert again.released
    assert again.endpoint == first.endpoint


async def test_a_store_from_an_old_backup_releases_nothing(world: World) -> None:
    """Store and note agree, but clients use what came after."""
    world.track = "restored"
    world.write_track()
    await testing_update(**world.arguments)
    backup = world.folder / "backup"
    shutil.copytree(world.store.folder, backup)
    report = await training_update(**world.arguments)
    assert report.released
    shutil.rmtree(world.store.folder / "tracks")
    shutil.rmtree(world.store.folder / "reached")
    for name in ("tracks", "reached"):
        shutil.copytree(backup / name, world.store.folder / name)

    ruling = report.decision
    with pytest.raises(LostHistory, match="knows of no release"):
        await deploy(
            world.track, ruling.ruling.subject.candidate.name, ruling.digest, speech="speechops", store="speechops"
        )
    with pytest.raises(LostHistory, match="knows of no release"):
        await training_update(**world.arguments)
