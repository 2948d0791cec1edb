"""Tracks with equal data: each ends with a model, a history and an endpoint of its own, whoever runs first."""

import asyncio
import contextvars
import shutil
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import pytest
from prefect import flow
from prefect.logging import disable_run_logger

from domain.ledger import State
from domain.normalise import normaliser_for
from domain.ruling import Report
from flows.testing_update import testing_update
from flows.training_update import training_update
from tasks import evidence
from tasks.acting import ForeignTrack, act_on, refuse_foreign
from tasks.endpoints import put_back, start_live_endpoint
from tasks.evaluations import find_measurement
from tasks.ledger import Ledger
from tasks.rulings import find_ruling, record_ruling
from tasks.turns import take_turn
from tests.flows.conftest import World


def copy_track(world: World, *names: str) -> None:
    """The same files under other names."""
    for name in names:
        shutil.copytree(world.data / world.track, world.data / name)


def path_of(entity: Mapping[str, object]) -> str:
    """Its path, as the ledger has it."""
    return "/".join(urlsplit(str(entity["self"])).path.split("/")[-2:])


async def head_of(world: World, track: str) -> State:
    """What the ledger says of a track."""
    return await Ledger(world.store, track).state()


async def check_released(world: World, reports: Iterable[tuple[str, Report]]) -> None:
    """Each track has released a model of its own, once, on an endpoint of its own, and its history is whole."""
    endpoints = {path_of(one): one for one in await world.entities("endpoints")}
    served = []
    for track, report in reports:
        head = await head_of(world, track)
        assert report.released
        assert report.decision.ruling.subject.track.name == track
        assert head.release.model_name.startswith(f"{track}-model-")
        assert head.release.number == 1
        kinds = [entry.kind for entry in await Ledger(world.store, track).history()]
        assert kinds == ["training-update", "release-started", "release"]
        endpoint = endpoints[head.endpoint]
        assert endpoint["displayName"] == f"{track}-live"
        assert path_of(endpoint["model"]) == head.release.model
        served.append(head.release.model)
    assert len(set(served)) == len(endpoints) == len(served)


async def test_a_second_track_with_equal_data_releases_its_own_model(world: World) -> None:
    """`cp -r data/places data/second`: it is tested, trained and released, and the first track's history stays as it is."""
    first = await training_update(**world.arguments)
    before = await world.ledger.state()
    copy_track(world, "second")

    arguments = {**world.arguments, "track": "second"}
    measured = await testing_update(**arguments)
    second = await training_update(**arguments)

    assert measured.decision.ruling.subject.track.name == "second"
    assert await world.ledger.state() == before
    assert next(entry.kind for entry in await Ledger(world.store, "second").history()) == "testing-update"
    head = await head_of(world, "second")
    assert (second.released, head.release.number) == (True, 1)
    assert head.release.model_name.startswith("second-model-")
    assert head.release.model != before.release.model
    assert first.decision.digest != second.decision.digest
    models = sorted(str(one["displayName"]) for one in await world.entities("models"))
    assert [name.partition("-model-")[0] for name in models] == ["places", "second"]


@pytest.mark.slow
async def test_equal_tracks_at_the_same_moment_end_as_many_right_releases(world: World) -> None:
    """Three teams push the same sample at once."""
    names = ("places", "second", "third")
    copy_track(world, *names[1:])

    reports = await asyncio.gather(*(training_update(**{**world.arguments, "track": name}) for name in names))

    await check_released(world, zip(names, reports, strict=True))


async def test_what_one_track_knows_answers_for_no_other(world: World) -> None:
    """Neither a verdict nor a measurement; and evidence about another track is refused, even when the index leads to it."""
    report = await training_update(**world.arguments)
    subject = report.decision.ruling.subject
    other = subject.model_copy(update={"track": subject.track.model_copy(update={"name": "second"})})

    with disable_run_logger():
        assert await find_measurement.fn("speechops", subject) is not None
        assert await find_measurement.fn("speechops", other) is None
        assert await find_ruling.fn("speechops", other, State(track="second")) is None
        identity = other.ruling_identity(normaliser_for(other.track.locale).fingerprint)
        await evidence.index(world.store, identity, report.decision.digest)
        with pytest.raises(ForeignTrack):
            await find_ruling.fn("speechops", other, State(track="second"))


@flow
async def working_on(track: str, report: Report, deed: str) -> None:
    """A run that holds the turn of a track and is given the verdict of another one."""
    await take_turn(f"track:{track}")
    ruling = report.decision.ruling
    if deed == "ledger":
        await record_ruling("speechops", report.decision)
    elif deed == "endpoint":
        await start_live_endpoint("speechops", ruling, report.endpoint)
    elif deed == "put back":
        await put_back("speechops", ruling.subject.track, report.endpoint, ruling.subject.candidate)


async def test_a_run_changes_no_track_but_its_own(world: World) -> None:
    """Whatever it has read: ledger and endpoint of another track are closed to it, by the turn and by what Azure says of them."""
    copy_track(world, "second")
    first, second = [
        await asyncio.create_task(training_update(**{**world.arguments, "track": track}))
        for track in ("places", "second")
    ]
    before, served = await world.ledger.state(), await serving(world)

    for deed in ("ledger", "endpoint", "put back"):
        with pytest.raises(ForeignTrack):
            await asyncio.create_task(working_on("second", first, deed))
    subject = second.decision.ruling.subject
    stolen = subject.model_copy(update={"candidate": first.decision.ruling.subject.candidate})
    for changes, endpoint in (({}, first.endpoint), ({"subject": stolen}, second.endpoint)):
        with disable_run_logger(), pytest.raises(ForeignTrack):
            await start_live_endpoint.fn("speechops", second.decision.ruling.model_copy(update=changes), endpoint)

    with disable_run_logger(), pytest.raises(ForeignTrack):
        await put_back.fn("speechops", subject.track, first.endpoint, subject.candidate)

    assert await world.ledger.state() == before
    assert served == {"places-live": before.release.model, "second-live": subject.candidate.path}
    assert await serving(world) == served


async def serving(world: World) -> dict[object, str]:
    """Which model each endpoint has."""
    return {one["displayName"]: path_of(one["model"]) for one in await world.entities("endpoints")}


def test_a_run_of_a_pull_request_may_change_no_track() -> None:
    """It has a turn, but none of a track."""
    with pytest.raises(ForeignTrack, match="no track"):
        contextvars.copy_context().run(_as_a_pull_request)


def _as_a_pull_request() -> None:
    act_on()
    refuse_foreign("places")
