"""Microsoft's specification as a judge: which operation a request is, and whether an answer is as declared."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema

PROJECT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("SPEECH_SPEC", PROJECT.parent / "shared/azure/2024-11-15"))
DATE_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"


@dataclass(frozen=True)
class Operation:
    """One operation of the specification."""

    name: str
    method: str
    path: re.Pattern[str]
    responses: Mapping[str, Mapping[str, Any]]

    def is_of(self, request: httpx.Request) -> bool:
        """Whether a request is for it."""
        path = request.url.path.removeprefix("/speechtotext")
        return request.method == self.method and self.path.fullmatch(path) is not None


@cache
def spec() -> dict[str, Any]:
    """The specification, with its definitions made strict."""
    content = json.loads((FOLDER / "speechtotext.json").read_text(encoding="utf-8-sig"))
    content["definitions"] = {name: _strict(shape, content) for name, shape in content["definitions"].items()}
    return content


@cache
def operations() -> list[Operation]:
    """All operations; literal paths (`/models/base`) before those with parameters."""
    found = []
    for path in sorted(spec()["paths"], key=lambda path: path.replace("{", "~")):
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/:]+", re.escape(path)))
        for method, operation in spec()["paths"][path].items():
            found.append(Operation(operation["operationId"], method.upper(), pattern, operation["responses"]))
    return found


def operation_of(request: httpx.Request) -> Operation:
    """The operation that a request is."""
    return next(operation for operation in operations() if operation.is_of(request))


def check(response: httpx.Response) -> Operation:
    """Assert that an answer is declared: its status, its headers, its body with every property of it."""
    operation = operation_of(response.request)
    error = {"schema": {"$ref": "#/definitions/Error"}}
    declared = operation.responses.get(str(response.status_code), error if response.status_code >= 400 else None)
    assert declared is not None, f"{operation.name}: status {response.status_code} is not declared"
    if response.status_code == 201 and "headers" in declared:
        assert response.headers["Location"] == response.json()["self"]
    if "Retry-After" in response.headers:
        assert "Retry-After" in declared.get("headers", {}), operation.name
        int(response.headers["Retry-After"])
    if "schema" in declared:
        validate(response.json(), declared["schema"])
    else:
        assert not response.content, f"{operation.name}: a body is not declared"
    return operation


def validate(body: object, schema: Mapping[str, Any]) -> None:
    """Assert that a body is as declared and has nothing undeclared."""
    jsonschema.Draft4Validator({**schema, "definitions": spec()["definitions"]}).validate(body)


def _strict(shape: Any, content: Mapping[str, Any]) -> Any:
    """A definition with what it inherits, dates checked, and no room for undeclared properties."""
    if isinstance(shape, list):
        return [_strict(one, content) for one in shape]
    if not isinstance(shape, dict):
        return shape
    strict = {name: _strict(value, content) for name, value in shape.items() if name != "allOf"}
    for parent in shape.get("allOf", ()):
        inherited = _strict(content["definitions"][parent["$ref"].rsplit("/", 1)[-1]], content)
        strict["properties"] = {**inherited.get("properties", {}), **strict.get("properties", {})}
        strict["required"] = sorted({*inherited.get("required", ()), *strict.get("required", ())})
    if strict.get("format") == "date-time" and strict.get("type") == "string":
        strict["pattern"] = DATE_TIME
    if isinstance(strict.get("properties"), dict) and strict.get("type") == "object":
        strict.setdefault("additionalProperties", False)
    return strict
