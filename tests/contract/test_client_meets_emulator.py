"""Our client and our emulator, two readings of one specification, over real HTTP."""

from pathlib import Path

import pytest

from speech_client import (
    EndpointUpdate,
    F,
    JobFailed,
    KeyCredential,
    NewDataset,
    NewEndpoint,
    NewEvaluation,
    NewModel,
    NotFound,
    RequestRejected,
    SpeechClient,
    Unauthorized,
)
from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import KEY, lines, recordings, served, settings_for


@pytest.fixture
async def speech(tmp_path: Path):
    """The client, connected to a running emulator."""
    async with (
        served(settings_for(tmp_path)) as caller,
        SpeechClient(str(caller.http.base_url), KeyCredential(KEY)) as client,
    ):
        yield client


async def dataset(speech: SpeechClient, folder: Path, kind: str, content: bytes):
    path = folder / f"{kind}.data"
    path.write_bytes(content)
    created = await speech.datasets.create(NewDataset(display_name=kind, locale="en-US", kind=kind))
    await speech.datasets.upload(created, path)
    return await speech.wait_until_final(await speech.datasets.get(created))


async def test_the_whole_loop(speech: SpeechClient, tmp_path: Path) -> None:
    """Upload in blocks, train, evaluate, read the results, deploy, recognise, swap, delete."""
    text = await dataset(speech, tmp_path, "Language", lines("xanadu"))
    test = await dataset(speech, tmp_path, "Acoustic", recordings("we went to xanadu", "good morning"))
    base = max([model async for model in speech.base_models.list()], key=lambda model: model.created_date_time)
    wanted = NewModel(display_name="m", locale="en-US", base_model=base.reference, datasets=(text.reference,))
    model = await speech.wait_until_final(await speech.models.create(wanted))
    trial = NewEvaluation(
        display_name="e", locale="en-US", model1=base.reference, model2=model.reference, dataset=test.reference
    )
    evaluation = await speech.wait_until_final(await speech.evaluations.create(trial))
    assert (evaluation.properties.word_error_rate1, evaluation.properties.word_error_rate2) == (0.1667, 0.0)

    files = {file.name: file async for file in speech.transcriptions.files(evaluation.transcription2)}
    assert b"we went to xanadu" in await speech.download(files["0.wav.json"])

    endpoint = await speech.endpoints.create(NewEndpoint(display_name="e", locale="en-US"))
    endpoint = await speech.wait_until_final(endpoint)
    assert (await speech.recognise(endpoint, wav("xanadu"), locale="en-US")).lexical == "uh"
    endpoint = await speech.endpoints.update(endpoint, EndpointUpdate(model=model.reference))
    endpoint = await speech.wait_until_final(endpoint)
    assert (await speech.recognise(endpoint, wav("xanadu"), locale="en-US")).lexical == "xanadu"

    with pytest.raises(RequestRejected) as refused:
        await speech.models.delete(model)
    assert refused.value.inner_code == "InUseViolation"
    for resource, entity in (
        (speech.endpoints, endpoint),
        (speech.evaluations, evaluation),
        (speech.models, model),
        (speech.datasets, text),
        (speech.datasets, test),
    ):
        await resource.delete(entity)
    with pytest.raises(NotFound):
        await speech.models.get(model)


async def test_the_client_filters_and_pages(speech: SpeechClient) -> None:
    """By name, over several pages, also with a quote in the name."""
    for number in range(5):
        name = "it's mine" if number % 2 else "other"
        await speech.datasets.create(NewDataset(display_name=name, locale="en-US", kind="Language"))

    found = [one async for one in speech.datasets.list(filter=F.display_name == "it's mine", top=1)]
    assert [one.display_name for one in found] == ["it's mine"] * 2


async def test_the_client_understands_failures(speech: SpeechClient, tmp_path: Path) -> None:
    """A failed job has its reason, a wrong key its own error."""
    with pytest.raises(JobFailed) as failed:
        await dataset(speech, tmp_path, "Language", lines("http://no.text"))
    assert "a URI is not text" in str(failed.value)

    async with SpeechClient(speech.endpoint, KeyCredential("wrong")) as stranger:
        with pytest.raises(Unauthorized):
            [one async for one in stranger.datasets.list()]
