"""Models: training, what it needs, and that it happens once."""

import json

import pytest

from tests.emulator.service_kit import Caller, in_process, lines, path_of, recordings, settings_for


async def test_a_model_learns_from_all_its_datasets(speech: Caller) -> None:
    """Plain text, transcripts of audio, and pronunciations; the report is a file of the model."""
    text = await speech.dataset("Language", lines("we went to xanadu", "good morning"))
    audio = await speech.dataset("Acoustic", recordings("xylophones play"))
    sounds = await speech.dataset("Pronunciation", b"Xeres\tsherry\n")
    model = await speech.model(text, audio, sounds)

    assert model["status"] == "Succeeded"
    assert json.loads((await speech.contents(model))["report.json"]) == {"sentences": 3, "pronunciations": 1}


async def test_pronunciations_alone_are_enough(speech: Caller) -> None:
    """Azure trains with any kind that the base model supports."""
    model = await speech.model(await speech.dataset("Pronunciation", b"Xeres\tsherry\n"))

    assert model["status"] == "Succeeded"


async def test_the_same_data_are_trained_once(speech: Caller) -> None:
    """A second model with the same recipe is there at once."""
    dataset = await speech.dataset("Language", lines("hello"))
    await speech.model(dataset)
    await speech.model(dataset)
    await speech.model(dataset, properties={"customModelWeightPercent": 42})

    state = await speech.state()
    assert (state["trainings"], state["training_cache_hits"]) == (2, 1)


async def test_without_base_model_the_newest_is_taken(speech: Caller) -> None:
    """And the answer says which."""
    model = await speech.model(await speech.dataset("Language", lines("hello")))

    assert model["baseModel"]["self"] == (await speech.base_model())["self"]


async def test_training_that_fails_says_why(speech: Caller) -> None:
    """Failed, with the trainer's message."""
    model = await speech.model(await speech.dataset("Language", lines("123 456")))

    assert model["status"] == "Failed"
    assert model["properties"]["error"]["code"] == "InvalidTrainingData"
    assert "add sentences" in model["properties"]["error"]["message"]


async def create(speech: Caller, **changes) -> dict:
    body = {"displayName": "m", "locale": "en-US", "datasets": [], **changes}
    return await speech.refused("POST", "/models", 400, json=body)


async def test_a_model_needs_data_that_were_imported(speech: Caller) -> None:
    """Nothing, an unknown, a failed, an unfinished or an unfit dataset is refused, each with its own code."""
    failed = await speech.dataset("Language", b"")
    waiting = await speech.post("/datasets", displayName="x", locale="en-US", kind="Language")
    sounds = await speech.dataset("AudioFiles", recordings("hello"))
    unknown = {"self": waiting["self"].replace("datasets/", "datasets/0")}

    assert (await create(speech))["innerError"]["code"] == "MissingInputRecords"
    for dataset, code in (
        (failed, "FailedDataset"),
        (waiting, "InvalidDataset"),
        (unknown, "InvalidDataset"),
        (sounds, "InvalidAdaptationMapping"),
    ):
        error = await create(speech, datasets=[{"self": dataset["self"]}])
        assert error["innerError"]["code"] == code


async def test_a_base_model_past_its_adaptation_date_cannot_be_trained(speech: Caller) -> None:
    """As when a pinned base model has expired; Azure's own words."""
    dataset = await speech.dataset("Language", lines("hello"))
    models = (await speech.get("/models/base"))["values"]
    old = min(models, key=lambda model: model["properties"]["deprecationDates"]["adaptationDateTime"])

    error = await create(speech, datasets=[{"self": dataset["self"]}], baseModel={"self": old["self"]})
    assert error["innerError"]["code"] == "ModelDeprecated"
    assert error["message"] == "The specified model is deprecated and cannot be used for this operation."


async def test_a_custom_model_is_no_base_model(speech: Caller) -> None:
    """Models cannot be stacked."""
    dataset = await speech.dataset("Language", lines("hello"))
    model = await speech.model(dataset)
    reference = {"self": model["self"]}

    error = await create(speech, datasets=[{"self": dataset["self"]}], baseModel=reference)
    assert error["innerError"]["code"] == "InvalidBaseModel"


async def test_base_models_can_be_listed_and_read(speech: Caller) -> None:
    """At least two that can be adapted; the ids are the same on every machine."""
    models = (await speech.get("/models/base", filter="locale eq 'en-US'"))["values"]

    assert len(models) >= 3
    for model in models:
        assert await speech.get(path_of(model)) == model
        assert model["properties"]["features"]["supportsAdaptationsWith"][:3] == [
            "Language",
            "Acoustic",
            "Pronunciation",
        ]
    newest = await speech.base_model()
    assert path_of(newest) == "/models/base/96a68c97-bb4e-52a9-8eaf-c3a80a6f2cb2"


@pytest.mark.parametrize("workers", [0, 1])
async def test_a_job_fault_fails_the_next_training_only(tmp_path, workers: int) -> None:
    """So that a flow's answer to a failed training can be tested."""
    async with in_process(settings_for(tmp_path, workers=workers)) as speech:
        dataset = await speech.dataset("Language", lines("hello"))
        fault = {"job": "training", "code": "OutOfCapacity", "message": "No machine is free."}
        await speech.http.post("/_emulator/faults", json=fault)
        first, second = await speech.model(dataset), await speech.model(dataset)

        assert first["properties"]["error"] == {"code": "OutOfCapacity", "message": "No machine is free."}
        assert second["status"] == "Succeeded"
        assert (await speech.http.get("/_emulator/faults")).json()[0]["fired"] == 1
