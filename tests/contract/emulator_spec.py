"""Microsoft's specification as a judge: which operation a request is, and whether it and its answer are as declared.

`SPEECH_SPEC` names the folder of `speechtotext.json`; without it, it is looked for beside the project.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

PROJECT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("SPEECH_SPEC", PROJECT.parent / "shared/azure/2024-11-15"))
VERSION = "2024-11-15"
FORMATS: dict[str, dict[str, Any]] = {
    "date-time": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
    "uri": {"pattern": r"^(https?|wss?)://[^\s]+$"},
    "uuid": {"pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"minimum": -(2**63), "maximum": 2**63 - 1},
}
"""What the formats mean: jsonschema does not check them by itself."""


def is_here() -> bool:
    """Whether there is a specification to judge by."""
    return (FOLDER / "speechtotext.json").is_file()


def require_spec() -> None:
    """Skip the test module that calls it when there is no specification to judge by."""
    if not is_here():
        reason = f"Microsoft's specification is not in {FOLDER}: set SPEECH_SPEC to the folder of speechtotext.json"
        pytest.skip(reason, allow_module_level=True)


@dataclass(frozen=True)
class Operation:
    """One operation of the specification."""

    name: str
    method: str
    path: re.Pattern[str]
    consumes: tuple[str, ...]
    parameters: tuple[Mapping[str, Any], ...] = field(repr=False)
    responses: Mapping[str, Mapping[str, Any]] = field(repr=False)
    examples: tuple[str, ...] = field(repr=False)

    def is_of(self, request: httpx.Request) -> bool:
        """Whether a request is for it."""
        path = request.url.path.removeprefix("/speechtotext")
        return request.method == self.method and self.path.fullmatch(path) is not None

    def parameters_in(self, place: str) -> dict[str, Mapping[str, Any]]:
        """Its parameters by name: those in `query`, `path`, `body` or `formData`."""
        return {one["name"]: one for one in self.parameters if one["in"] == place}


@cache
def document() -> dict[str, Any]:
    """The specification as it is."""
    content: dict[str, Any] = json.loads((FOLDER / "speechtotext.json").read_text(encoding="utf-8-sig"))
    return content


@cache
def spec() -> dict[str, Any]:
    """The specification, with its definitions made strict."""
    definitions = {name: _strict(shape, document()) for name, shape in document()["definitions"].items()}
    return {**document(), "definitions": definitions}


@cache
def operations() -> list[Operation]:
    """All operations; literal paths (`/models/base`) before those with parameters."""
    return sorted(_operations(), key=lambda operation: (operation.path.pattern.count("[^"), operation.name))


def _operations() -> Iterator[Operation]:
    for path, methods in spec()["paths"].items():
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/:]+", re.escape(path)))
        for method, found in methods.items():
            yield Operation(
                found["operationId"],
                method.upper(),
                pattern,
                tuple(found.get("consumes", ())),
                tuple(_parameter(one) for one in found["parameters"]),
                found["responses"],
                tuple(Path(one["$ref"]).stem for one in found["x-ms-examples"].values()),
            )


def _parameter(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    shared: Mapping[str, Any] = spec()["parameters"].get(parameter.get("$ref", "").rsplit("/", 1)[-1], parameter)
    return shared


def named(name: str) -> Operation:
    """The operation of this `operationId`."""
    return next(operation for operation in operations() if operation.name == name)


def operation_of(request: httpx.Request) -> Operation:
    """The operation that a request is."""
    found = next((operation for operation in operations() if operation.is_of(request)), None)
    assert found is not None, f"{request.method} {request.url.path} is no operation of the specification"
    return found


def example(name: str) -> dict[str, Any]:
    """One of Microsoft's examples."""
    content: dict[str, Any] = json.loads((FOLDER / "examples" / f"{name}.json").read_text(encoding="utf-8-sig"))
    return content


def check(response: httpx.Response) -> Operation:
    """Assert that an answer is declared: its status, its headers, its body with every property of it."""
    operation = operation_of(response.request)
    error = operation.responses["default"] if response.status_code >= 400 else None
    declared = operation.responses.get(str(response.status_code), error)
    assert declared is not None, f"{operation.name}: status {response.status_code} is not declared"
    _check_headers(response, declared, operation)
    if "schema" not in declared:
        assert not response.content, f"{operation.name}: a body is not declared"
        return operation
    assert response.headers["Content-Type"].partition(";")[0] == "application/json", operation.name
    validate(response.json(), declared["schema"])
    for address in _own_addresses(response.json()):
        assert f"api-version={VERSION}" in address, f"{operation.name}: {address} names no api-version"
    return operation


def check_any(response: httpx.Response) -> None:
    """Assert that any answer of a service is declared, be it to no operation or made by a fault.

    An address that is no operation is refused in Azure's form; an injected failure may carry HTTP's Retry-After.
    """
    if response.status_code == 429 or response.status_code >= 500:
        validate(response.json(), {"$ref": "#/definitions/Error"})
    elif any(operation.is_of(response.request) for operation in operations()):
        check(response)
    else:
        assert response.status_code >= 400, f"{response.request.url.path} is no operation of the specification"
        validate(response.json(), {"$ref": "#/definitions/Error"})


def _check_headers(response: httpx.Response, declared: Mapping[str, Any], operation: Operation) -> None:
    """Location and Operation-Location are there when declared, and lead to what the body is; no other one is there."""
    headers = declared.get("headers", {})
    for name in ("Location", "Operation-Location"):
        assert (name in response.headers) == (name in headers), f"{operation.name}: {name}"
        if name in headers:
            assert response.headers[name] == response.json()["self"], f"{operation.name}: {name} is not self"
    if "Retry-After" in response.headers:
        assert "Retry-After" in headers, f"{operation.name}: Retry-After is not declared for {response.status_code}"
        assert response.headers["Retry-After"].isdigit(), f"{operation.name}: Retry-After is no number of seconds"


def _own_addresses(body: Any) -> Iterator[str]:
    """All addresses of operations in a body: `self`, `@nextLink` and links, at any depth."""
    if isinstance(body, str) and re.match(r"https?://[^/]+/speechtotext/", body):
        yield body
    values = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    for value in values:
        yield from _own_addresses(value)


def validate(body: object, schema: Mapping[str, Any]) -> None:
    """Assert that a body is as declared and has nothing undeclared."""
    jsonschema.Draft4Validator({**schema, "definitions": spec()["definitions"]}).validate(body)


def _strict(shape: Any, content: Mapping[str, Any]) -> Any:
    """A definition with what it inherits, formats checked, and no room for undeclared properties."""
    if isinstance(shape, list):
        return [_strict(one, content) for one in shape]
    if not isinstance(shape, dict):
        return shape
    strict = {name: _strict(value, content) for name, value in shape.items() if name != "allOf"}
    for parent in shape.get("allOf", ()):
        inherited = _strict(content["definitions"][parent["$ref"].rsplit("/", 1)[-1]], content)
        strict["properties"] = {**inherited.get("properties", {}), **strict.get("properties", {})}
        strict["required"] = sorted({*inherited.get("required", ()), *strict.get("required", ())})
    if isinstance(strict.get("format"), str) and strict.get("type") in ("string", "integer"):
        strict |= FORMATS.get(strict["format"], {})
    if isinstance(strict.get("properties"), dict) and strict.get("type") == "object":
        strict.setdefault("additionalProperties", False)
    return strict
