"""Every answer of the emulator is one that Microsoft's specification declares, with nothing undeclared in it."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import jsonschema
import pytest

from emulator.app import create_app
from emulator.settings import RESOURCE_ID
from tests.contract.emulator_spec import FOLDER, PROJECT, check, operation_of, operations, require_spec, spec, validate
from tests.emulator.fake_engine import wav
from tests.emulator.receiver import Receiver
from tests.emulator.service_kit import Caller, in_process, lines, path_of, recordings, served, settings_for

require_spec()
NOBODY = "00000000-0000-0000-0000-000000000000"
JSON = {"Content-Type": "application/json"}
WRONG_KEY = {"Ocp-Apim-Subscription-Key": "wrong"}


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

    async with served(settings_for(tmp_path, retry_after=0)) as caller:
        caller.http.event_hooks["response"].append(judge)
        yield caller, seen


@pytest.fixture
async def speech(tmp_path: Path) -> AsyncIterator[tuple[Caller, dict[str, str]]]:
    """An emulator, and the ids of what is in it."""
    async with in_process(settings_for(tmp_path)) as caller:
        found = {"DATASET": await caller.post("/datasets", **DATASET), "BASE": await caller.base_model()}
        yield caller, {name: path_of(entity).rsplit("/", 1)[-1] for name, entity in found.items()}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of web hooks."""
    receiver = Receiver()
    yield receiver
    receiver.close()


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


async def copy_to_itself(speech: Caller, model: dict) -> dict:
    """The copy of a model, from the resource to itself."""
    source = {"sourceResourceId": RESOURCE_ID}
    allowed = (await speech.call("POST", "/models:authorizecopy", json=source)).json()
    operation = await speech.call("POST", f"{path_of(model)}:copy", json=allowed)
    assert operation.status_code == 202, operation.text
    done = await speech.final(operation.json())
    assert done["status"] == "Succeeded", done
    return await speech.get(path_of({"self": done["result"]["link"]}))


async def transcribe(speech: Caller, dataset: dict, model: dict) -> dict:
    """A batch transcription, and one at once."""
    source = {"dataset": {"self": dataset["self"]}, "model": {"self": model["self"]}}
    options = {"properties": {"timeToLiveHours": 48, "wordLevelTimestampsEnabled": True}}
    wanted = {"displayName": "batch", "locale": "en-US", **source, **options}
    batch = await speech.final(await speech.post("/transcriptions:submit", **wanted))
    assert batch["status"] == "Succeeded", batch
    form = {"files": {"audio": ("a.wav", wav("good morning"))}, "data": {"definition": '{"locales": ["en-US"]}'}}
    assert (await speech.call("POST", "/transcriptions:transcribe", **form)).status_code == 200
    return batch


async def hook(speech: Caller, receiver: Receiver) -> dict:
    """A web hook that was pinged and tested."""
    events = {"events": {"modelDeletion": True, "endpointDeletion": True}}
    made = await speech.post("/webhooks", displayName="h", webUrl=receiver.url, properties={"secret": "s"}, **events)
    made = await speech.final(made)
    assert (await speech.call("POST", f"{path_of(made)}:test")).status_code == 204
    assert (await speech.call("POST", f"{path_of(made)}:ping")).status_code == 202
    return made


async def test_every_answer_in_the_life_of_a_model_is_as_declared(
    judged: tuple[Caller, set[str]], receiver: Receiver
) -> None:
    """Create, read, list, files, change, copy, hook, delete: status, headers, each property; no operation left out."""
    speech, seen = judged
    entities = await train_and_evaluate(speech)
    entities.insert(0, await transcribe(speech, entities[-2], entities[3]))
    entities.insert(0, await copy_to_itself(speech, entities[4]))
    entities.insert(0, await hook(speech, receiver))
    for noun in ("datasets", "models", "evaluations", "endpoints", "transcriptions"):
        await speech.get(f"/{noun}/locales")
        await speech.get(f"/{noun}", top=1)
    await speech.get("/webhooks")
    for path in (path_of(await speech.base_model()), path_of(entities[1])):
        await speech.get(path)
        await speech.get(f"{path}/manifest", sasLifetimeMinutes=5)
    for entity in entities:
        path = path_of(entity)
        await speech.get(path)
        if "files" in entity["links"]:
            for file in (await speech.get(f"{path}/files", top=1000))["values"]:
                await speech.get(path_of(file))
        change = {"displayName": "new", "customProperties": {"a": "b"}}
        assert (await speech.call("PATCH", path, json=change)).status_code == 200
    await speech.get(f"{path_of(entities[-2])}/blocks")
    for entity in entities:
        assert (await speech.call("DELETE", path_of(entity))).status_code == 204

    assert {operation.name for operation in operations()} == seen


def test_the_emulator_has_no_operation_that_azure_lacks(tmp_path: Path) -> None:
    """Its own routes are elsewhere; what stands under /speechtotext is Microsoft's, with its method."""
    paths = create_app(settings_for(tmp_path)).openapi()["paths"]
    routes = {
        (method.upper(), path) for path, methods in paths.items() for method in methods if "/speechtotext" in path
    }
    requests = [httpx.Request(method, f"http://host{re.sub('{[^}]+}', 'x', path)}") for method, path in routes]

    assert {operation_of(request).name for request in requests} == {operation.name for operation in operations()}
    assert len(routes) == len(operations())


DATASET = {"displayName": "x", "locale": "en-US", "kind": "Language"}
BATCH = {"displayName": "x", "locale": "en-US", "properties": {"timeToLiveHours": 48}}
HOOK = {"displayName": "x", "webUrl": "http://127.0.0.1:9/", "events": {"ping": True}}


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "status", "code"),
    [
        ("POST", "/datasets", {"json": {}}, 400, "InvalidPayload"),
        ("POST", "/datasets", {"content": b"{", "headers": JSON}, 400, "InvalidRequestBodyFormat"),
        ("POST", "/datasets", {"json": {**DATASET, "kind": "Poems"}}, 400, "InvalidPayload"),
        ("POST", "/models", {"json": {"displayName": "x", "locale": "xx-XX"}}, 400, "InvalidLocale"),
        ("POST", f"/models/{NOBODY}:copy", {"json": {}}, 400, "InvalidPayload"),
        ("POST", "/models:authorizecopy", {"json": {"sourceResourceId": "x"}}, 400, "InvalidSourceAzureResourceId"),
        ("GET", "/models/base/BASE/manifest", {}, 400, "InvalidParameterValue"),
        ("GET", "/datasets", {"query": {"api-version": "1"}}, 400, None),
        ("GET", "/models", {"query": {"filter": "kind eq 'x'"}}, 400, "UnsupportedFilter"),
        ("GET", "/endpoints", {"query": {"skip": -1}}, 400, "UnsupportedPagination"),
        ("GET", "/datasets/DATASET/files", {"query": {"sasLifetimeMinutes": 0}}, 400, "InvalidSasValidityDuration"),
        ("GET", f"/evaluations/{NOBODY}", {}, 404, None),
        ("GET", f"/operations/models/copy/{NOBODY}", {}, 404, None),
        ("POST", f"/webhooks/{NOBODY}:ping", {}, 404, None),
        ("DELETE", f"/endpoints/{NOBODY}", {}, 404, None),
        ("GET", "/transcriptions", {"headers": WRONG_KEY}, 401, None),
        ("POST", "/transcriptions:submit", {"json": BATCH}, 400, "OnlyOneOfUrlsOrContainerOrDataset"),
        ("POST", "/transcriptions:transcribe", {"json": {}}, None, None),
        ("POST", "/webhooks", {"json": {**HOOK, "webUrl": "gopher://x"}}, 400, "InvalidCallbackUri"),
        ("POST", "/webhooks", {"json": {**HOOK, "events": {"rain": True}}}, 400, "InvalidWebHookEventKind"),
    ],
)
async def test_every_refusal_is_as_declared(
    speech: tuple[Caller, dict[str, str]],
    method: str,
    path: str,
    kwargs: dict,
    status: int | None,
    code: str | None,
) -> None:
    """Wrong bodies, versions, filters, ids and states, with Azure's own reason in them."""
    caller, ids = speech
    for name, found in ids.items():
        path = path.replace(name, found)
    answer = await caller.call(method, path, **kwargs)
    check(answer)

    assert answer.status_code == status or (status is None and answer.status_code >= 400)
    assert code is None or answer.json()["innerError"]["code"] == code


async def test_a_job_under_way_says_when_to_ask_again(tmp_path: Path) -> None:
    """Retry-After on entities and lists that are not final, and only there."""
    async with in_process(settings_for(tmp_path, retry_after=7)) as speech:
        dataset = await speech.post("/datasets", **DATASET)
        for path in (path_of(dataset), "/datasets"):
            waiting = await speech.call("GET", path)
            assert waiting.headers["Retry-After"] == "7"
            check(waiting)
        await speech.upload(dataset, lines("hello"))
        await speech.final(dataset)
        for path in (path_of(dataset), "/datasets"):
            assert "Retry-After" not in (await speech.call("GET", path)).headers


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
