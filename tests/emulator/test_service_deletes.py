"""What may be deleted: nothing that is under way, and nothing that something else still uses."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.emulator.service_kit import Caller, held, in_process, judge, lines, path_of, recordings, settings_for


async def refused_with(speech: Caller, entity: dict, code: str) -> None:
    answer = await speech.call("DELETE", path_of(entity))
    judge(answer)
    assert (answer.status_code, answer.json()["innerError"]["code"]) == (409, code), answer.text


async def deleted(speech: Caller, entity: dict) -> None:
    assert (await speech.call("DELETE", path_of(entity))).status_code == 204


@contextlib.asynccontextmanager
async def at_work(data: Path) -> AsyncIterator[tuple[Caller, dict]]:
    """An emulator with a dataset, whose trainer and decoder wait until the block ends."""
    async with in_process(settings_for(data)) as speech:
        text = await speech.dataset("Language", lines("hello"))
        with held(data, "training"), held(data, "decoding"):
            yield speech, text


async def test_a_dataset_that_is_being_imported_stays(tmp_path: Path, shelf) -> None:
    """DeleteNotAllowed, until it has ended; one that still waits for its blocks may go."""
    async with in_process(settings_for(tmp_path, download_seconds=0.2)) as speech:
        body = {"displayName": "x", "locale": "en-US", "kind": "Language"}
        waiting = await speech.post("/datasets", **body)
        importing = await speech.post("/datasets", **body, contentUrl=shelf.stall("endless.txt"))
        await refused_with(speech, importing, "DeleteNotAllowed")
        await deleted(speech, waiting)
        await deleted(speech, await speech.final(importing))


async def test_a_model_that_is_being_trained_stays(tmp_path: Path) -> None:
    """And so do its datasets: InUseViolation, while and after."""
    async with at_work(tmp_path) as (speech, text):
        model = await speech.post("/models", displayName="m", locale="en-US", datasets=[{"self": text["self"]}])
        await refused_with(speech, model, "DeleteNotAllowed")
        await refused_with(speech, text, "InUseViolation")


async def test_an_evaluation_that_is_running_stays(tmp_path: Path) -> None:
    """With its dataset."""
    async with at_work(tmp_path) as (speech, _):
        test, base = await speech.dataset("Acoustic", recordings("hello")), await speech.base_model()
        evaluation = await speech.start_evaluation(base, base, test)
        await refused_with(speech, evaluation, "DeleteNotAllowed")
        await refused_with(speech, test, "InUseViolation")


async def test_an_endpoint_that_is_being_made_stays(tmp_path: Path) -> None:
    """It can be deleted once it answers, or has failed."""
    async with in_process(settings_for(tmp_path, speed="poll")) as speech:
        endpoint = await speech.post("/endpoints", displayName="e", locale="en-US")
        await refused_with(speech, endpoint, "DeleteNotAllowed")
        await deleted(speech, await speech.final(endpoint))


@pytest.mark.parametrize("user", ["evaluation", "endpoint"])
async def test_a_model_in_use_stays(speech: Caller, user: str) -> None:
    """By an evaluation or an endpoint, finished or not; delete that first."""
    model = await speech.model(await speech.dataset("Language", lines("hello")))
    if user == "evaluation":
        test = await speech.dataset("Acoustic", recordings("hello"))
        using = await speech.evaluation(await speech.base_model(), model, test)
    else:
        body = {"displayName": "e", "locale": "en-US", "model": {"self": model["self"]}}
        using = await speech.final(await speech.post("/endpoints", **body))

    await refused_with(speech, model, "InUseViolation")
    await deleted(speech, using)
    await deleted(speech, model)


async def test_what_failed_can_be_deleted(speech: Caller) -> None:
    """Failed is a terminal state."""
    broken = await speech.model(await speech.dataset("Language", lines("123")))
    failed = await speech.dataset("Language", b"")

    assert (broken["status"], failed["status"]) == ("Failed", "Failed")
    await deleted(speech, broken)
    await deleted(speech, failed)
