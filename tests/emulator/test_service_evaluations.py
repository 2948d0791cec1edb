"""Evaluations: the numbers, the files, the cache."""

import json

import pytest

from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import Caller, held, in_process, lines, path_of, recordings, settings_for, zipped


@pytest.fixture
async def evaluated(speech: Caller):
    """Base model against a model that knows xanadu, on two recordings."""
    test = await speech.dataset("Acoustic", recordings("we went to xanadu", "good morning to you"))
    model = await speech.model(await speech.dataset("Language", lines("xanadu")))
    base = await speech.base_model()
    return test, base, model, await speech.evaluation(base, model, test)


async def test_both_models_are_measured_on_the_same_recordings(evaluated) -> None:
    """One of eight words is wrong for the base model, none for the custom one; rates are fractions."""
    properties = evaluated[-1]["properties"]

    assert (properties["wordErrorRate1"], properties["wordErrorRate2"]) == (0.125, 0.0)
    assert properties["wordCount1"] == properties["wordCount2"] == 8
    assert properties["correctWordCount1"] + properties["wordSubstitutionCount1"] == 8
    assert (properties["sentenceErrorRate1"], properties["sentenceCount1"]) == (0.5, 2)


async def test_numbers_are_minus_one_until_the_evaluation_has_succeeded(speech: Caller, evaluated) -> None:
    """Whoever reads too early must not read a perfect score."""
    test, base, model, _ = evaluated
    evaluation = await speech.start_evaluation(model, base, test)

    numbers = {name: value for name, value in evaluation["properties"].items() if isinstance(value, int | float)}
    assert len(numbers) == 28
    assert set(numbers.values()) == {-1}
    await speech.http.post("/_emulator/faults", json={"job": "evaluation"})
    failed = await speech.evaluation(base, model, test)
    assert failed["status"] == "Failed"
    assert failed["properties"]["wordErrorRate1"] == -1


async def test_the_transcriptions_show_what_each_model_heard(speech: Caller, evaluated) -> None:
    """One result file per recording and model, and a report."""
    for number, heard in ((1, "we went to uh"), (2, "we went to xanadu")):
        transcription = await speech.get(path_of(evaluated[-1][f"transcription{number}"]))
        assert transcription["status"] == "Succeeded"
        files = await speech.contents(transcription)
        assert set(files) == {"0.wav.json", "1.wav.json", "report.json"}
        result = json.loads(files["0.wav.json"])
        assert result["combinedRecognizedPhrases"][0]["lexical"] == heard
        assert result["recognizedPhrases"][0]["nBest"][0]["words"][3]["word"] == heard.split()[-1]


async def test_score_files_are_named_by_recording_and_model(speech: Caller, evaluated) -> None:
    """`<audio>.model1_score.json`, as in Microsoft's example."""
    names = set(await speech.contents(evaluated[-1]))

    assert names == {f"{audio}.wav.model{number}_score.json" for audio in (0, 1) for number in (1, 2)}


async def test_no_recording_is_decoded_twice_by_one_model(speech: Caller, evaluated) -> None:
    """Another evaluation of the same models and audio only counts; and a single model needs half."""
    test, base, model, first = evaluated
    assert (await speech.state())["decodes"] == 4
    again = await speech.evaluation(base, model, test)
    await speech.evaluation(base, base, test)

    state = await speech.state()
    assert (state["decodes"], state["decode_cache_hits"]) == (4, 6)
    assert again["properties"] == first["properties"]


async def test_silence_is_a_result(speech: Caller) -> None:
    """A recording without words costs its words as deletions; no phrase in its file."""
    test = await speech.dataset("Acoustic", zipped({"s.wav": wav(""), "trans.txt": b"s.wav\ttwo words"}))
    base = await speech.base_model()
    evaluation = await speech.evaluation(base, base, test)

    assert evaluation["properties"]["wordDeletionCount1"] == 2
    files = await speech.contents(await speech.get(path_of(evaluation["transcription1"])))
    assert json.loads(files["s.wav.json"])["recognizedPhrases"] == []


async def test_an_evaluation_needs_models_and_recordings_that_are_ready(speech: Caller, evaluated) -> None:
    """Each refusal has its own code."""
    test, base, model, _ = evaluated
    text = await speech.dataset("Language", lines("hello"))
    failed = await speech.model(await speech.dataset("Language", lines("123")))
    for model1, dataset, code in (
        (base, text, "InvalidDataset"),
        (failed, test, "InvalidModel"),
        (text, test, "InvalidModel"),
        (base, model, "InvalidDataset"),
    ):
        references = {"model1": {"self": model1["self"]}, "model2": {"self": base["self"]}}
        body = {"displayName": "e", "locale": "en-US", **references, "dataset": {"self": dataset["self"]}}
        assert (await speech.refused("POST", "/evaluations", 400, json=body))["innerError"]["code"] == code


async def test_deleting_an_evaluation_frees_its_model_and_data(speech: Caller, evaluated) -> None:
    """Its transcriptions go with it."""
    test, _, model, evaluation = evaluated
    for path in (path_of(model), path_of(test)):
        assert (await speech.refused("DELETE", path, 409))["innerError"]["code"] == "InUseViolation"

    for entity in (evaluation, model, test):
        assert (await speech.call("DELETE", path_of(entity))).status_code == 204
    assert (await speech.get("/transcriptions"))["values"] == []


async def test_a_running_evaluation_cannot_be_deleted_and_says_when_to_ask_again(tmp_path) -> None:
    """Retry-After stands on GET and on the list, until the end."""
    async with in_process(settings_for(tmp_path, retry_after=7)) as speech:
        test = await speech.dataset("Acoustic", recordings("hello"))
        base = await speech.base_model()
        with held(tmp_path, "decoding"):
            evaluation = await speech.start_evaluation(base, base, test)
            path = path_of(evaluation)
            error = await speech.refused("DELETE", path, 409)
            assert error["innerError"]["code"] == "DeleteNotAllowed"
            for open_path in (path, f"{path}/files", "/evaluations"):
                assert (await speech.call("GET", open_path)).headers["Retry-After"] == "7"
        await speech.final(evaluation)
        assert "Retry-After" not in (await speech.call("GET", path)).headers
