"""Testing data in the training data: told with file and line before anything is uploaded, or left out."""

import shutil

import pytest

from domain.problems import DataRejected
from flows.testing_update import testing_update
from flows.training_update import training_update
from tasks.vault import read_comparison
from tests.flows.conftest import NAMES, SPOKEN, World

COPIED = NAMES + SPOKEN["3.wav"] + "\n"


async def test_a_copied_sentence_stops_the_run_before_anything_is_uploaded(world: World) -> None:
    """File, line and recording, and a page to send to whoever did it."""
    world.write_track(COPIED)

    with pytest.raises(DataRejected) as refused:
        await training_update(**world.arguments)

    message = str(refused.value)
    assert "places/training/plain_text.txt:2: the line is word for word what is said in" in message
    assert "'3.wav'" in message
    assert SPOKEN["3.wav"] not in message
    page = world.store.folder / message.rpartition("Report: ")[2]
    assert "BLOCKED" in page.read_text("utf-8")
    assert await world.entities("datasets") == []


async def test_testing_recordings_as_training_data_are_refused(world: World) -> None:
    """Every figure would be worthless."""
    folder = world.data / world.track
    shutil.copytree(folder / "testing", folder / "training" / "audio")

    with pytest.raises(DataRejected, match=r"training/audio/1\.wav"):
        await training_update(**world.arguments)
    assert await world.entities("datasets") == []


async def test_a_track_may_leave_leaked_recordings_out_instead(world: World) -> None:
    """They are in no count, and the verdict names how many."""
    world.write_track(COPIED, settings='locale = "en-US"\n[gate]\nleaks = "exclude"\n')

    report = await training_update(**world.arguments)

    verdict = report.decision.ruling.verdict
    assert verdict.excluded == ("3.wav",)
    assert verdict.words == sum(len(said.split()) for name, said in SPOKEN.items() if name != "3.wav")


async def test_new_testing_data_that_the_live_model_has_read_are_told(world: World) -> None:
    """Its WER on them flatters it."""
    await training_update(**world.arguments)
    world.write_track(spoken={**SPOKEN, "9.wav": NAMES.strip()})

    report = await testing_update(**world.arguments)

    leaks = (await read_comparison(world.store, report.decision.ruling.comparison)).leaks
    assert leaks is not None
    assert [(leak.utterance, leak.blocks) for leak in leaks.leaks if leak.utterance] == [("9.wav", False)]
    assert report.benchmark_wer == 0.0
