"""Every answer of the emulator is one that Microsoft's specification declares, with nothing undeclared in it."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jsonschema
import pytest

from tests.contract.emulator_spec import FOLDER, PROJECT, check, operations, spec, validate
from tests.emulator.service_kit import Caller, in_process, lines, path_of, recordings, settings_for

pytestmark = pytest.mark.skipif(
    not (FOLDER / "speechtotext.json").exists(),
    reason="needs Microsoft's speechtotext.json: set SPEECH_SPEC to its folder",
)

TO_BE_BUILT = {
    "Models_Copy",
    "Models_AuthorizeCopy",
    "Models_GetCustomModelManifest",
    "Models_GetBaseModelManifest",
    "Operations_GetModelCopy",
    "Transcriptions_Submit",
    "Transcriptions_Transcribe",
    "WebHooks_List",
    "WebHooks_Create",
    "WebHooks_Get",
    "WebHooks_Update",
    "WebHooks_Delete",
    "WebHooks_Ping",
    "WebHooks_Test",
}
"""Operations that the emulator does not have; it answers 404."""


@pytest.fixture
async def judged(tmp_path: Path) -> AsyncIterator[tuple[Caller, set[str]]]:
    """A caller whose every answer is checked, and the names of the operations that succeeded."""
    seen: set[str] = set()

    async def judge(response: httpx.Response) -> None:
        if response.request.url.path.startswith("/speechtotext"):
            await response.aread()
            operation = check(response)
            if response.status_code < 400:
                seen.add(operation.name)

    async with in_process(settings_for(tmp_path, retry_after=2)) as caller:
        caller.http.event_hooks["response"].append(judge)
        yield caller, seen


async def train_and_evaluate(speech: Caller) -> list[dict]:
    """The whole life of a model; the result is what can be deleted, in this order."""
    described = {"description": "d", "customProperties": {"run": "1"}}
    text = await speech.dataset("Language", lines("xanadu", "http://no.text"), **described)
    sounds = await speech.dataset("Pronunciation", b"Xeres\tsherry\n", properties={"textNormalizationKind": "None"})
    test = await speech.dataset("Acoustic", recordings("we went to xanadu", "good morning"))
    audio = await speech.dataset("AudioFiles", recordings("good morning"))
    failed = await speech.dataset("Language", b"", **described)
    model = await speech.model(text, sounds, properties={"customModelWeightPercent": 30}, **described)
    broken = await speech.model(await speech.dataset("Language", lines("123")))
    evaluation = await speech.evaluation(await speech.base_model(), model, test)
    reference = {"model": {"self": model["self"]}, "properties": {"loggingEnabled": True}}
    endpoint = await speech.final(await speech.post("/endpoints", displayName="e", locale="en-US", **reference))
    transcription = await speech.get(path_of(evaluation["transcription1"]))
    return [endpoint, transcription, evaluation, model, broken, failed, text, sounds, test, audio]


async def test_every_answer_in_the_life_of_a_model_is_as_declared(judged: tuple[Caller, set[str]]) -> None:
    """Create, read, list, files, change, delete: status, headers and each property; and no operation is left out."""
    speech, seen = judged
    entities = await train_and_evaluate(speech)
    for noun in ("datasets", "models", "evaluations", "endpoints", "transcriptions"):
        await speech.get(f"/{noun}", top=1)
        await speech.get(f"/{noun}/locales")
    for entity in entities:
        path = path_of(entity)
        await speech.get(path)
        if "files" in entity["links"]:
            for file in (await speech.get(f"{path}/files", top=1000))["values"]:
                await speech.get(path_of(file))
        change = {"displayName": "new", "customProperties": {"a": "b"}}
        assert (await speech.call("PATCH", path, json=change)).status_code == 200
    await speech.get(f"{path_of(entities[-2])}/blocks")
    await speech.get(path_of(await speech.base_model()))
    for entity in entities:
        assert (await speech.call("DELETE", path_of(entity))).status_code == 204

    assert {operation.name for operation in operations()} - seen == TO_BE_BUILT


async def test_every_refusal_is_as_declared(judged: tuple[Caller, set[str]]) -> None:
    """Wrong bodies, versions, filters, ids and states."""
    speech, _ = judged
    dataset = await speech.post("/datasets", displayName="x", locale="en-US", kind="Language")
    for method, path, kwargs in (
        ("POST", "/datasets", {"json": {}}),
        ("POST", "/datasets", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        ("POST", "/models", {"json": {"displayName": "x", "locale": "xx-XX"}}),
        ("POST", "/models", {"json": {"displayName": "x", "locale": "en-US", "datasets": [{"self": dataset["self"]}]}}),
        ("GET", "/datasets", {"query": {"api-version": "1"}}),
        ("GET", "/models", {"query": {"filter": "kind eq 'x'"}}),
        ("GET", "/endpoints", {"query": {"skip": -1}}),
        ("GET", f"{path_of(dataset)}/files", {"query": {"sasLifetimeMinutes": 0}}),
        ("GET", "/evaluations/00000000-0000-0000-0000-000000000000", {}),
        ("DELETE", "/endpoints/00000000-0000-0000-0000-000000000000", {}),
        ("GET", "/transcriptions", {"headers": {"Ocp-Apim-Subscription-Key": "wrong"}}),
    ):
        assert (await speech.call(method, path, **kwargs)).status_code >= 400


def test_every_detailed_code_is_one_of_azures() -> None:
    """A made-up code would be handled by clients that never meet it."""
    source = "".join(path.read_text() for path in (PROJECT / "emulator").glob("*.py"))
    used = set(re.findall(r'(?:invalid|conflict)\(\s*"(\w+)"|detail="(\w+)"', source))
    codes = {code for pair in used for code in pair if code}

    assert len(codes) > 20
    assert codes <= set(spec()["definitions"]["DetailedErrorCode"]["enum"])


async def test_transcription_results_have_the_published_schema(tmp_path: Path) -> None:
    """Its parent schema (v3.2) is not published with it and is left out."""
    schema = json.loads((FOLDER.parent / "transcriptionresult.schema.json").read_text(encoding="utf-8-sig"))
    del schema["allOf"]
    async with in_process(settings_for(tmp_path)) as speech:
        test = await speech.dataset("Acoustic", recordings("good morning", "x"))
        base = await speech.base_model()
        evaluation = await speech.evaluation(base, base, test)
        files = await speech.contents(await speech.get(path_of(evaluation["transcription2"])))

    for name in ("0.wav.json", "1.wav.json"):
        jsonschema.Draft7Validator(schema).validate(json.loads(files[name]))


def test_the_judge_is_not_asleep() -> None:
    """An undeclared property, a wrong type, a missing one and a wrong date are found."""
    examples = json.loads((FOLDER / "examples/get_dataset.json").read_text(encoding="utf-8-sig"))
    good, schema = examples["responses"]["200"]["body"], {"$ref": "#/definitions/Dataset"}
    validate(good, schema)
    for change in ({"extra": 1}, {"kind": "Poems"}, {"createdDateTime": "yesterday"}, {"properties": {"odd": 1}}):
        with pytest.raises(jsonschema.ValidationError):
            validate({**good, **change}, schema)
    with pytest.raises(jsonschema.ValidationError):
        validate({name: value for name, value in good.items() if name != "locale"}, schema)
