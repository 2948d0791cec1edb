"""Copying a model between two emulated resources: authorised at the target, ordered at the source, made once."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from emulator import copy_job, recipes
from emulator.recipes import ModelRecipe
from tests.emulator.service_kit import (
    Caller,
    held,
    id_of,
    in_process,
    judge,
    lines,
    path_of,
    recordings,
    running,
    served,
    settings_for,
)

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/"
SOURCE, TARGET = f"{ACCOUNT}source", f"{ACCOUNT}target"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


@contextlib.asynccontextmanager
async def two_resources(data: Path, **changes) -> AsyncIterator[tuple[Caller, Caller]]:
    """A source in this process, and a target that it reaches by HTTP; every answer is judged by the specification."""
    target_settings = settings_for(data / "target", resource_id=TARGET, region="eastus")
    source_settings = settings_for(data / "source", resource_id=SOURCE, **changes)
    async with served(target_settings) as target, in_process(source_settings) as source:
        for caller in (source, target):
            caller.http.event_hooks["response"].append(judge_answer)
        yield source, target


async def judge_answer(response: httpx.Response) -> None:
    if response.request.url.path.startswith("/speechtotext"):
        await response.aread()
        judge(response)


async def authorization(target: Caller, source_id: str = SOURCE) -> dict:
    answer = await target.call("POST", "/models:authorizecopy", json={"sourceResourceId": source_id})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def start_copy(source: Caller, model: dict, allowed: dict) -> dict:
    answer = await source.call("POST", f"{path_of(model)}:copy", json=allowed)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Operation-Location"] == answer.json()["self"]
    assert "Retry-After" in answer.headers
    return answer.json()


async def copied(source: Caller, model: dict, allowed: dict) -> dict:
    return await source.final(await start_copy(source, model, allowed))


async def trained(speech: Caller, *texts: str, **body) -> dict:
    return await speech.model(await speech.dataset("Language", lines(*texts)), **body)


async def models_of(speech: Caller) -> list[dict]:
    return (await speech.get("/models"))["values"]


async def test_a_copied_model_recognises_at_the_target(tmp_path: Path) -> None:
    """The word that only the custom model knows is heard there; datasets and endpoints stay behind."""
    async with two_resources(tmp_path) as (source, target):
        described = {"description": "d", "customProperties": {"run": "1"}}
        weight = {"properties": {"customModelWeightPercent": 42}}
        model = await trained(source, "we went to xanadu", **described, **weight)
        operation = await copied(source, model, await authorization(target))
        assert operation["status"] == "Succeeded", operation["error"]
        copy = await target.get(path_of({"self": operation["result"]["link"]}))
        test = await target.dataset("Acoustic", recordings("we went to xanadu"))
        evaluation = await target.evaluation(copy, await target.base_model(), test)

    assert evaluation["properties"]["wordErrorRate1"] == 0
    assert evaluation["properties"]["wordErrorRate2"] == 0.25
    assert copy["self"] == operation["result"]["link"]
    assert (copy["status"], copy["datasets"]) == ("Succeeded", [])
    for name in ("displayName", "locale", "description", "customProperties", "properties"):
        assert copy[name] == model[name]
    assert path_of(copy["baseModel"]) == path_of(model["baseModel"])


async def test_an_authorization_names_both_resources_and_its_end(tmp_path: Path) -> None:
    """Region, resource ids, the target's endpoint, and an id that nobody can guess."""
    async with two_resources(tmp_path) as (_, target):
        first, second = await authorization(target), await authorization(target)

    assert first["targetResourceRegion"] == "eastus"
    assert (first["targetResourceId"], first["sourceResourceId"]) == (TARGET, SOURCE)
    assert first["targetResourceEndpoint"] == str(target.http.base_url).rstrip("/")
    assert datetime.fromisoformat(first["expirationDateTime"]) > datetime.now(UTC)
    assert first["id"] != second["id"]


@pytest.mark.parametrize("source_id", ["source", "/subscriptions/s/resourceGroups/g", f"{ACCOUNT}a/b"])
async def test_an_authorization_needs_the_azure_resource_id_of_the_source(speech: Caller, source_id: str) -> None:
    """InvalidSourceAzureResourceId."""
    body = {"sourceResourceId": source_id}
    error = await speech.refused("POST", "/models:authorizecopy", 400, json=body)

    assert error["innerError"]["code"] == "InvalidSourceAzureResourceId"


async def test_only_a_trained_custom_model_can_be_copied(tmp_path: Path) -> None:
    """A base model, a failed one and an unknown one are refused."""
    async with two_resources(tmp_path) as (source, target):
        allowed = await authorization(target)
        base, broken = id_of(await source.base_model()), id_of(await trained(source, "123"))
        for model in (base, broken):
            error = await source.refused("POST", f"/models/{model}:copy", 400, json=allowed)
            assert error["innerError"]["code"] == "InvalidModel"
        await source.refused("POST", f"/models/{UNKNOWN}:copy", 404, json=allowed)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sourceResourceId": TARGET}, "InvalidSourceAzureResourceId"),
        ({"expirationDateTime": "2019-01-07T11:34:12Z"}, "ModelCopyAuthorizationExpired"),
        ({"expirationDateTime": "soon"}, "InvalidPayload"),
        ({"targetResourceEndpoint": "file:///etc/passwd"}, "InvalidPayload"),
        ({"targetResourceEndpoint": "http://user:secret@host/"}, "InvalidPayload"),
        ({"targetResourceEndpoint": "http://[::1"}, "InvalidPayload"),
        ({"id": ""}, "InvalidPayload"),
    ],
)
async def test_a_wrong_authorization_is_refused_at_once(tmp_path: Path, change: dict, code: str) -> None:
    """Another source's, an expired one, and one that leads nowhere."""
    async with in_process(settings_for(tmp_path, resource_id=SOURCE)) as source:
        allowed = await authorization(source)
        model = await trained(source, "hello")
        error = await source.refused("POST", f"{path_of(model)}:copy", 400, json={**allowed, **change})

    assert error["innerError"]["code"] == code


async def test_an_authorization_is_good_for_one_model(tmp_path: Path) -> None:
    """The second copy fails with ModelExists, and makes nothing."""
    async with two_resources(tmp_path) as (source, target):
        allowed, model = await authorization(target), await trained(source, "hello")
        first = await copied(source, model, allowed)
        second = await copied(source, model, allowed)

        assert (first["status"], second["status"]) == ("Succeeded", "Failed")
        assert second["error"]["code"] == "ModelExists"
        assert "result" not in second
        assert len(await models_of(target)) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [({"id": UNKNOWN}, "InvalidPermissions"), ({"expirationDateTime": "2099-01-01T00:00:00Z"}, "Expired")],
)
async def test_a_forged_authorization_copies_nothing(tmp_path: Path, change: dict, code: str) -> None:
    """An invented id, and a postponed end: the target believes only its own record."""
    async with two_resources(tmp_path) as (source, target):
        model, allowed = await trained(source, "hello"), await authorization(target)
        await target.http.post("/_emulator/clock", json={"advance_seconds": 25 * 3600})
        operation = await copied(source, model, {**allowed, **change})

        assert operation["status"] == "Failed"
        assert code in operation["error"]["code"]
        assert await models_of(target) == []


async def test_an_authorization_is_for_the_source_that_it_names(tmp_path: Path) -> None:
    """Whoever intercepts it cannot use it from another resource."""
    async with two_resources(tmp_path) as (source, target):
        stolen = {**await authorization(target, f"{ACCOUNT}other"), "sourceResourceId": SOURCE}
        operation = await copied(source, await trained(source, "hello"), stolen)

    assert operation["error"]["code"] == "InvalidSourceAzureResourceId"


async def test_a_model_stays_while_it_is_copied(tmp_path: Path) -> None:
    """InUseViolation until the operation has ended; Retry-After while it runs."""
    async with two_resources(tmp_path, retry_after=3) as (source, target):
        model, allowed = await trained(source, "hello"), await authorization(target)
        with held(tmp_path / "target", "training"):
            operation = await start_copy(source, model, allowed)
            while (answer := await source.http.get(operation["self"])).json()["status"] == "NotStarted":
                pass
            assert (answer.json()["status"], answer.headers["Retry-After"]) == ("Running", "3")
            error = await source.refused("DELETE", path_of(model), 409)
            assert error["innerError"]["code"] == "InUseViolation"
        assert (await source.final(operation))["status"] == "Succeeded"
        assert (await source.call("DELETE", path_of(model))).status_code == 204


async def test_a_target_that_nobody_answers_at_fails_the_copy(tmp_path: Path, monkeypatch) -> None:
    """In its time, with the kind of the problem; the address's host is not asked for anything else."""
    monkeypatch.setattr(copy_job, "RETRY_SECONDS", 0.0)
    async with in_process(settings_for(tmp_path, resource_id=SOURCE)) as source:
        allowed = {**await authorization(source), "targetResourceEndpoint": "http://127.0.0.1:1"}
        operation = await copied(source, await trained(source, "hello"), allowed)

    message = "The target resource cannot be reached: ConnectError."
    assert operation["error"] == {"code": "InternalCommunicationFailed", "message": message}


@pytest.mark.parametrize(
    ("status", "answer"),
    [(200, b""), (200, b"[" * 60_000), (200, b"[]"), (200, b"{}"), (200, b'{"model": "../x"}'), (200, b"x" * 70_000)],
)
async def test_a_target_that_talks_nonsense_fails_the_copy(status: int, answer: bytes) -> None:
    """Whoever answers there is a stranger: nothing of it is believed."""
    with pytest.raises(ValueError):  # noqa: PT011  which `_send` takes for "out of reach"
        copy_job._created(status, await copy_job._beginning(httpx.Response(status, content=answer)))


async def test_a_redirect_is_not_followed_with_the_authorization(tmp_path: Path, monkeypatch) -> None:
    """A server that sends the copy elsewhere gets a Failed operation."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(307, headers={"Location": "http://elsewhere.test/"})

    def client(_, **options) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(answer), **options)

    monkeypatch.setattr(copy_job, "open_client", client)
    async with in_process(settings_for(tmp_path, resource_id=SOURCE)) as source:
        operation = await copied(source, await trained(source, "hello"), await authorization(source))

    assert operation["error"]["message"] == "The target resource refuses the copy: it answers 307."
    assert len(sent) == 1


async def test_a_copy_leads_nowhere_inside_when_others_can_ask(tmp_path: Path, shelf) -> None:
    """targetResourceEndpoint is a caller's, so the rules for contentUrl hold for it."""
    exposed = settings_for(tmp_path, resource_id=SOURCE, host="0.0.0.0")  # noqa: S104
    async with in_process(exposed) as source:
        allowed = {**await authorization(source), "targetResourceEndpoint": shelf.address_of("")}
        operation = await copied(source, await trained(source, "hello"), allowed)

    assert operation["error"]["code"] == "InvalidPermissions"
    assert "not public" in operation["error"]["message"]
    assert shelf.asked == []


@pytest.mark.parametrize(
    "parcel",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"model": {}, "recipe": {}}',
        b"\xff\xfe",
        json.dumps(
            {
                "model": {
                    "displayName": "x",
                    "locale": "en-US",
                    "baseModel": f"/speechtotext/models/base/{UNKNOWN}",
                    "recipeKey": "0" * 64,
                },
                "recipe": {"sentences": ["not what the key says"]},
            }
        ).encode(),
    ],
)
async def test_a_parcel_that_is_no_model_is_refused(tmp_path: Path, parcel: bytes) -> None:
    """Shape, and the recipe's hash; nothing of it stays on the disk."""
    async with in_process(settings_for(tmp_path)) as target:
        headers = {"Copy-Authorization": (await authorization(target))["id"]}
        url = f"/_emulator/copied-models/{UNKNOWN}?sourceResourceId={SOURCE}"
        answer = await target.http.put(url, content=parcel, headers=headers)

        assert answer.status_code == 400, answer.text
        assert answer.json()["innerError"]["code"] == "InvalidPayload"
        assert await models_of(target) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file() and "emulator.sqlite3" not in path.name] == []


@pytest.mark.parametrize("spelled", ["", "K\nword B", "Q", "K  AE", "k"])
def test_sounds_of_a_copied_model_are_those_of_the_recogniser(spelled: str) -> None:
    """They go into its dictionary as they are."""
    with pytest.raises(ValidationError):
        recipes.of({"sentences": ["a"], "phones": [["a", spelled]]})


async def test_without_an_authorization_nothing_is_received(tmp_path: Path) -> None:
    """Also on loopback, where the emulator's other routes are open."""
    async with in_process(settings_for(tmp_path)) as target:
        for headers in ({}, {"Copy-Authorization": ""}, {"Copy-Authorization": UNKNOWN}):
            answer = await target.http.put(f"/_emulator/copied-models/{UNKNOWN}", content=b"x", headers=headers)
            assert (answer.status_code, answer.json()["innerError"]["code"]) == (403, "InvalidPermissions")


async def test_a_parcel_has_a_largest_size(tmp_path: Path, monkeypatch) -> None:
    """The disk is not for whoever has an authorization to fill."""
    monkeypatch.setattr("emulator.copy_target.MAX_BYTES", 1000)
    async with in_process(settings_for(tmp_path, resource_id=SOURCE)) as both:
        both.http.event_hooks["response"].append(judge_answer)
        headers = {"Copy-Authorization": (await authorization(both))["id"]}
        url = f"/_emulator/copied-models/{UNKNOWN}?sourceResourceId={SOURCE}"
        answer = await both.http.put(url, content=b"x" * 1001, headers=headers)

        assert (answer.status_code, "at most" in answer.json()["message"]) == (400, True)
    assert [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()] == []


async def test_the_authorization_is_in_no_answer_and_no_log(tmp_path: Path, caplog) -> None:
    """Whoever has its id may copy."""
    with caplog.at_level("DEBUG", logger="emulator"):
        async with two_resources(tmp_path) as (source, target):
            allowed = await authorization(target)
            operation = await copied(source, await trained(source, "hello"), allowed)
            state = (await source.http.get("/_emulator/state")).text

    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("emulator"))
    assert "Succeeded" in ours
    assert allowed["id"] not in ours + state + json.dumps(operation)


async def trainings(data: Path, count: int) -> None:
    """Wait until so many trainings have begun."""
    log = data / "cache" / "trainings.log"
    while not log.exists() or len(log.read_text().splitlines()) < count:  # noqa: ASYNC110  another process decides
        await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_copy_survives_the_death_of_both_sides(tmp_path: Path) -> None:
    """The target is killed while it builds and comes back, then the source is: in the end there is one model."""
    source_data, target_data = tmp_path / "source", tmp_path / "target"
    async with contextlib.AsyncExitStack() as stack:
        first, target = await stack.enter_async_context(running(target_data, "--resource-id", TARGET, workers=0))
        process, source = await stack.enter_async_context(running(source_data, "--resource-id", SOURCE, workers=0))
        model, allowed = await trained(source, "hello xanadu"), await authorization(target)
        with held(target_data, "training"):
            operation = await start_copy(source, model, allowed)
            await trainings(target_data, 1)
            first.kill()
            again = running(target_data, "--resource-id", TARGET, workers=0, port=httpx.URL(first.url).port)
            await stack.enter_async_context(again)
            await trainings(target_data, 2)
            process.kill()
        _, source = await stack.enter_async_context(running(source_data, "--resource-id", SOURCE, workers=0))
        operation = await source.final(await source.get(path_of(operation)))
        copies = await models_of(target)

    assert operation["status"] == "Succeeded"
    assert [copy["self"] for copy in copies] == [operation["result"]["link"]]


async def test_the_same_delivery_again_makes_the_same_model(tmp_path: Path) -> None:
    """When the answer to the first one was lost, or both arrive at once; deleted means deleted."""
    async with two_resources(tmp_path) as (source, target):
        operation = await copied(source, await trained(source, "hello"), allowed := await authorization(target))
        url = f"/_emulator/copied-models/{operation['id']}?sourceResourceId={SOURCE}"
        headers = {"Copy-Authorization": allowed["id"]}
        answers = await asyncio.gather(*(target.http.put(url, headers=headers) for _ in range(4)))
        [model] = await models_of(target)

        assert {answer.json()["model"] for answer in answers} == {id_of(model)}
        await target.call("DELETE", path_of(model))
        assert (await target.http.put(url, headers=headers)).status_code == 409
        assert await models_of(target) == []


async def test_two_deliveries_at_a_time_make_one_model(tmp_path: Path) -> None:
    """A source that gave up waiting sends again while the first one is still being built."""
    recipe = ModelRecipe(sentences=("hello",))
    async with in_process(settings_for(tmp_path, resource_id=SOURCE)) as target:
        model = {"displayName": "x", "locale": "en-US", "recipeKey": recipe.key}
        base = str(httpx.URL((await target.base_model())["self"]).path)
        parcel = {"model": {**model, "baseModel": base}, "recipe": asdict(recipe)}
        headers = {"Copy-Authorization": (await authorization(target))["id"]}
        url = f"/_emulator/copied-models/{UNKNOWN}?sourceResourceId={SOURCE}"
        answers = await asyncio.gather(*(target.http.put(url, json=parcel, headers=headers) for _ in range(3)))
        [made] = await models_of(target)

    assert [answer.json() for answer in answers] == [{"model": id_of(made)}] * 3


async def test_what_belongs_to_another_resource_cannot_be_referred_to(tmp_path: Path) -> None:
    """A model or dataset must be of the same resource: elsewhere its id means nothing."""
    async with two_resources(tmp_path) as (source, target):
        dataset = await source.dataset("Language", lines("hello"))
        model = await source.model(dataset)
        body = {"displayName": "x", "locale": "en-US"}
        endpoint = {**body, "model": {"self": model["self"]}}
        training = {**body, "datasets": [{"self": dataset["self"]}]}

        assert (await target.refused("POST", "/endpoints", 400, json=endpoint))["innerError"]["code"] == "InvalidModel"
        assert (await target.refused("POST", "/models", 400, json=training))["innerError"]["code"] == "InvalidDataset"
