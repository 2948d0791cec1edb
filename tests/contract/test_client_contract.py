"""Our client against Microsoft's examples: what it sends is declared, what it is sent is understood without loss."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pydantic
import pytest

import speech_client as sc
from tests.contract.client_calls import HOST, METHODS, NOUNS, Rehearsal, call, public_methods
from tests.contract.emulator_spec import FOLDER, Operation, example, named, operations, require_spec
from tests.contract.request_judge import check_request

require_spec()
CASES = [(operation.name, name) for operation in operations() for name in operation.examples]
NOT_OF_THIS_VERSION = {"projects"}
"""Nouns of API version 2025-10-15; tests/speech_client/test_client_projects.py tries them."""


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A file to send; the service is a rehearsal, so it need not sound."""
    path = tmp_path / "audio.wav"
    path.write_bytes(b"RIFF")
    return path


def written(result: Any) -> Any:
    """What our client read, written again."""
    match result:
        case sc.AzureObject():
            return result.to_azure()
        case pydantic.BaseModel():
            return result.model_dump(mode="json")
        case list() | tuple():
            return [written(value) for value in result]
        case _:
            return result


def unknown_members(value: object) -> list[str]:
    """Members, at any depth, that our classes do not declare."""
    if isinstance(value, pydantic.BaseModel):
        inside = [name for field in type(value).model_fields for name in unknown_members(getattr(value, field))]
        return list(value.model_extra or {}) + inside
    return [name for one in value for name in unknown_members(one)] if isinstance(value, list | tuple) else []


def expected(operation: Operation, name: str) -> Any:
    """What the client returns for an example: its body, or each value of a page once (two examples repeat one)."""
    body = next(iter(example(name)["responses"].values())).get("body")
    if operation.name == "WebHooks_Test":
        return True
    if isinstance(body, dict) and "values" in body:
        return list({value["self"]: value for value in reversed(body["values"])}.values())[::-1]
    return body


@pytest.mark.parametrize(("operation_name", "name"), CASES)
def test_a_call_with_an_examples_values_is_declared_and_its_answer_survives(
    operation_name: str, name: str, audio: Path
) -> None:
    """The request validates, and what came is what Microsoft's example shows, each member of it known."""
    operation = named(operation_name)
    rehearsal = Rehearsal({"Datasets_Get": "create_dataset_with_blocks", operation.name: name})
    result = call(operation, example(name)["parameters"], rehearsal, audio)

    assert operation.name in rehearsal.seen
    if METHODS[operation.name] != "datasets.upload":
        assert written(result) == expected(operation, name)
        assert unknown_members(result) == []


@pytest.mark.parametrize(("operation_name", "name"), [case for case in CASES if named(case[0]).parameters_in("body")])
def test_a_request_says_what_the_example_says(operation_name: str, name: str, audio: Path) -> None:
    """Values given to our classes arrive as Microsoft writes them."""
    operation = named(operation_name)
    (parameter,) = operation.parameters_in("body")
    wanted = example(name)["parameters"][parameter]
    if METHODS[operation.name] == "datasets.upload":
        return  # the blocks are ours: see test_blocks_are_sent_as_declared
    rehearsal = Rehearsal({operation.name: name})
    call(operation, example(name)["parameters"], rehearsal, audio)

    assert json.loads(rehearsal.bodies[0]) == wanted


def test_every_example_is_tried() -> None:
    """None of Microsoft's files is left out."""
    assert {name for _, name in CASES} == {path.stem for path in (FOLDER / "examples").glob("*.json")}


def test_every_operation_has_a_method_and_every_method_an_operation() -> None:
    """Neither side of the table has something that the other lacks."""
    client = sc.SpeechClient(HOST, sc.KeyCredential("a-key"))
    nouns = {name for name, value in vars(client).items() if hasattr(value, "_connection") and not name.startswith("_")}
    asyncio.run(client.aclose())

    assert set(METHODS) == {operation.name for operation in operations()}
    assert set(METHODS.values()) == public_methods(client)
    assert nouns == set(NOUNS) | NOT_OF_THIS_VERSION


def test_blocks_are_sent_as_declared(audio: Path) -> None:
    """Ids as Azure wants them, and a list of blocks that names what was sent."""
    rehearsal = Rehearsal({"Datasets_Get": "create_dataset_with_blocks"})
    call(named("Datasets_UploadBlock"), example("upload_block")["parameters"], rehearsal, audio)
    (commit,) = [body for name, body in zip(rehearsal.seen, rehearsal.bodies, strict=True) if "Commit" in name]

    assert rehearsal.seen.count("Datasets_UploadBlock") == 1
    assert [entry["kind"] for entry in json.loads(commit)] == ["Latest"]


@pytest.mark.parametrize(
    ("method", "path", "kwargs"),
    [
        ("GET", "/datasets", {"params": {"api-version": None}}),
        ("GET", "/datasets", {"params": {"api-version": "2023-01-01"}}),
        ("GET", "/datasets", {"params": {"orderby": "name"}}),
        ("GET", "/datasets", {"params": {"top": "ten"}}),
        ("GET", "/datasets", {"params": {"top": str(2**31)}}),
        ("GET", "/datasets/1", {}),
        ("GET", "/poems", {}),
        ("GET", "/models/9d5f4100-5f8e-4dd6-bd83-9bbbf50d57f1/manifest", {}),
        ("POST", "/datasets", {"json": {"displayName": "x", "locale": "en-US"}}),
        ("POST", "/datasets", {"json": {"displayName": "x", "locale": "en-US", "kind": "Language", "more": 1}}),
        (
            "POST",
            "/datasets",
            {"json": {"displayName": "x", "locale": "en-US", "kind": "Language", "status": "Failed"}},
        ),
        ("POST", "/datasets", {"json": {"displayName": None, "locale": "en-US", "kind": "Language"}}),
        ("POST", "/datasets", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
        ("DELETE", "/datasets/9d5f4100-5f8e-4dd6-bd83-9bbbf50d57f1", {"json": {}}),
    ],
)
def test_the_judge_of_requests_is_not_asleep(method: str, path: str, kwargs: dict[str, Any]) -> None:
    """What the specification does not declare is found."""
    query = {"api-version": "2024-11-15", **kwargs.get("params", {})}
    given = {name: value for name, value in query.items() if value is not None}
    request = httpx.Request(method, f"{HOST}/speechtotext{path}", **{**kwargs, "params": given})
    with pytest.raises((AssertionError, ValueError, jsonschema.ValidationError)):
        check_request(request)
