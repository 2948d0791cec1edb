"""A training update: only a model that is really better goes live, and nothing is done twice."""

import shutil
from collections.abc import Callable
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client

from flows.testing_update import testing_update
from flows.training_update import training_update
from tasks import pages
from tests.emulator.service_kit import zipped
from tests.flows.conftest import DINOSAURS, NAMES, SPOKEN, UNKNOWN, WORDS, World

RATE = len(UNKNOWN) / len(WORDS)
"""The base model's WER."""


async def test_a_better_model_goes_live(world: World) -> None:
    """Trained, compared, staged, released, verified; the ledger tells it and the endpoint answers with it."""
    report = await training_update(**world.arguments)

    assert report.decision.ruling.verdict.outcome == "PASS"
    assert report.released
    assert (report.benchmark_wer, report.candidate_wer) == (RATE, 0.0)
    state = await world.ledger.state()
    assert state.release.model_name == report.decision.ruling.verdict.candidate
    assert state.benchmark.wer == 0.0
    assert "PASS" in (world.store.folder / report.page).read_text("utf-8")
    kinds = [entry.kind for entry in await world.ledger.history()]
    assert kinds == ["training-update", "release-started", "release"]
    wav = (world.data / world.track / "testing" / "1.wav").read_bytes()
    heard = await world.speech.http.post(report.address, content=wav, headers={"Content-Type": "audio/wav"})
    assert heard.json()["NBest"][0]["Lexical"] == SPOKEN["1.wav"]
    assert [endpoint["displayName"] for endpoint in await world.entities("endpoints")] == ["places-live"]


@pytest.mark.slow
async def test_a_report_that_cannot_be_made_holds_no_release_up(
    world: World, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    """At night a picture matters less than the better model; the log tells what went wrong."""

    def broken(*_: object, **__: object) -> bytes:
        raise RuntimeError("no ink")

    monkeypatch.setattr(pages, "charts_png", broken)
    report = await training_update(**world.arguments)

    assert report.released
    assert report.page == ""
    assert "The report could not be made" in logged()


async def test_an_equal_model_does_not_go_live(world: World) -> None:
    """Microsoft's template would release it; ours gives the figures why not, and keeps the candidate for review."""
    world.write_track(DINOSAURS)

    report = await training_update(**world.arguments)

    assert report.decision.ruling.verdict.outcome == "FAIL"
    assert not report.released
    assert "WER stayed at 27.4%" in report.decision.ruling.verdict.reasons[0]
    assert await world.entities("endpoints") == []
    assert len(await world.entities("models")) == 1


async def test_a_refused_candidate_is_deleted_when_the_track_says_so(world: World) -> None:
    """And the ledger remembers the verdict, so that it is not trained again."""
    world.write_track(DINOSAURS, settings='locale = "en-US"\n[release]\nrefused_candidates = "discard"\n')

    await training_update(**world.arguments)
    again = await training_update(**world.arguments)

    assert again.decision.settled
    assert await world.entities("models") == []
    assert (await world.speech.state())["trainings"] == 1


async def test_a_second_run_does_nothing_again(world: World) -> None:
    """The same data: the same result, without an upload, a training or an evaluation."""
    first = await training_update(**world.arguments)
    done = await world.speech.state()

    second = await training_update(**world.arguments)

    assert second.decision.settled
    assert second.released
    assert second.decision.digest == first.decision.digest
    assert str(second.decision.work) == str(
        first.decision.work.model_copy(update={"uploaded": 0, "trained": 0, "evaluated": 0})
    )
    assert await world.speech.state() == done
    assert len(await world.ledger.history()) == 3


@pytest.mark.slow
async def test_the_endpoint_keeps_its_id_when_the_model_changes(world: World) -> None:
    """Clients never have to change anything."""
    world.write_track("xanadu is a place\n")
    first = await training_update(**world.arguments)
    world.write_track(NAMES)

    second = await training_update(**world.arguments)

    assert second.released
    assert second.endpoint == first.endpoint
    state = await world.ledger.state()
    assert (state.release.number, len(state.previous_releases)) == (2, 1)
    assert second.benchmark_wer == first.candidate_wer


@pytest.mark.slow
async def test_the_benchmark_is_the_model_that_is_live(world: World) -> None:
    """After a release the next candidate must beat that model, not the base model."""
    await training_update(**world.arguments)
    world.write_track("xanadu is a place\n")

    report = await training_update(**world.arguments)

    assert report.decision.ruling.verdict.outcome == "FAIL"
    assert (report.benchmark_wer, report.candidate_wer) == (0.0, (len(UNKNOWN) - UNKNOWN.count("xanadu")) / len(WORDS))


@pytest.mark.slow
async def test_going_back_to_earlier_data_trains_nothing(world: World) -> None:
    """A revert finds the model of the earlier data by its recipe."""
    world.write_track("xanadu is a place\n")
    await training_update(**world.arguments)
    world.write_track(NAMES)
    await training_update(**world.arguments)
    world.write_track("xanadu is a place\n")

    report = await training_update(**world.arguments)

    assert report.decision.work.trained == 0
    assert (await world.speech.state())["trainings"] == 2


async def test_assets_trace_to_the_commit(world: World) -> None:
    """Name and custom properties say track, content and revision."""
    await training_update(**world.arguments)

    for kind in ("datasets", "models", "evaluations", "endpoints"):
        for entity in await world.entities(kind):
            assert str(entity["displayName"]).startswith("places-")
            assert entity["customProperties"]["revision"] == "abc123"
            assert len(entity["customProperties"]["contentHash"]) == 64


async def test_a_run_is_named_by_the_commit_of_its_data(world: World) -> None:
    """Operators find the run of a commit in the list."""
    revision = world.commit()

    report = await testing_update(**world.arguments | {"revision": ""})

    assert report.decision.ruling.subject.revision == revision
    async with get_client() as client:
        assert (await client.read_flow_run(UUID(report.flow_run))).name == f"places @ {revision}"


async def test_a_testing_update_records_and_never_deploys(world: World) -> None:
    """With no benchmark yet, the base model is the benchmark."""
    report = await testing_update(**world.arguments)

    assert (report.base_wer, report.benchmark_wer) == (RATE, RATE)
    state = await world.ledger.state()
    assert state.benchmark.model.startswith("models/base/")
    assert await world.entities("models") == []
    assert await world.entities("endpoints") == []


async def test_new_testing_data_move_the_benchmark_wer(world: World) -> None:
    """The live model is measured on them; the release stays as it is."""
    await training_update(**world.arguments)
    world.write_track(spoken={"1.wav": "xanadu is near xylon", "2.wav": "we go home now"})

    report = await testing_update(**world.arguments)

    state = await world.ledger.state()
    assert report.benchmark_wer == state.benchmark.wer == 1 / 8
    assert report.base_wer == 2 / 8
    assert state.release.number == 1


async def test_a_zip_in_microsofts_format_is_taken_as_it_is(world: World) -> None:
    """Flat, trans.txt with BOM, as in Microsoft's samples: the same dataset as the folder that it was made from."""
    raw = await testing_update(**world.arguments)
    folder = world.data / world.track / "testing"
    archive = zipped(
        {name: (folder / name).read_bytes() for name in SPOKEN}
        | {"trans.txt": b"\xef\xbb\xbf" + "\r\n".join(f"{name}\t{said}" for name, said in SPOKEN.items()).encode()}
    )
    shutil.rmtree(folder)
    (world.data / world.track / "testing.zip").write_bytes(archive)

    report = await testing_update(**world.arguments)

    assert report.decision.settled
    assert report.decision.ruling.subject.testing_hash == raw.decision.ruling.subject.testing_hash
    assert len(await world.entities("datasets")) == 1
