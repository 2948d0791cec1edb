"""Whether a request is one that Microsoft's specification declares: its address, its query, its body."""

import email
import email.message
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
import jsonschema

from tests.contract.emulator_spec import FORMATS, Operation, operation_of, spec

MERGE_PATCH = "application/merge-patch+json"


def check_request(request: httpx.Request) -> Operation:
    """Assert that a request is declared: method, path, each parameter, content type, body; the result is what it is."""
    operation = operation_of(request)
    _check_path(request, operation)
    _check_query(request, operation)
    if "body" in {one["in"] for one in operation.parameters}:
        _check_body(request, operation)
    elif operation.parameters_in("formData"):
        _check_form(request, operation)
    else:
        assert not request.content, f"{operation.name}: a body is not declared"
        assert "Content-Type" not in request.headers, f"{operation.name}: a body is not declared, nor its type"
    return operation


def _check_path(request: httpx.Request, operation: Operation) -> None:
    path = request.url.path
    assert path.startswith("/speechtotext/"), f"{operation.name}: {path} is not below the base path"
    literal = {part for part in operation.path.pattern.replace("\\", "").split("/") if "[^" not in part}
    for part in set(path.removeprefix("/speechtotext").split("/")) - literal:
        _judge(part.partition(":")[0], {"type": "string", **FORMATS["uuid"]})


def _check_query(request: httpx.Request, operation: Operation) -> None:
    declared = operation.parameters_in("query")
    given = request.url.params.multi_items()
    names = [name for name, _ in given]
    assert set(names) <= set(declared), f"{operation.name}: {set(names) - set(declared)} is not declared"
    assert len(names) == len(set(names)), f"{operation.name}: a parameter is there twice"
    for name, parameter in declared.items():
        assert name in names or not parameter.get("required"), f"{operation.name}: {name} is required"
    for name, value in given:
        typed = int(value) if declared[name]["type"] == "integer" else value
        _judge(typed, {"type": declared[name]["type"], **FORMATS.get(declared[name].get("format", ""), {})})
    assert request.url.params["api-version"] == spec()["info"]["version"], operation.name


def _check_body(request: httpx.Request, operation: Operation) -> None:
    kind = request.headers["Content-Type"]
    assert kind in operation.consumes, f"{operation.name}: {kind} is not among {operation.consumes}"
    (body,) = operation.parameters_in("body").values()
    if body["schema"].get("format") == "binary":
        assert request.content
        return
    sent = json.loads(request.content)
    if kind == MERGE_PATCH:
        sent = without_nulls(sent)
    validate_sent(sent, body["schema"])


def _check_form(request: httpx.Request, operation: Operation) -> None:
    declared = operation.parameters_in("formData")
    kind = request.headers["Content-Type"]
    assert kind.partition(";")[0] in operation.consumes, f"{operation.name}: {kind}"
    whole = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.content)
    parts = {_name_of(part): _bytes_of(part) for part in whole.walk() if not part.is_multipart()}
    assert {name for name, one in declared.items() if one.get("required")} <= set(parts) <= set(declared)
    assert parts["audio"]
    validate_sent(
        json.loads(str(parts.get("definition", b"{}"), "utf-8")), {"$ref": "#/definitions/TranscribeDefinition"}
    )


def _name_of(part: email.message.Message) -> str:
    return str(part.get_param("name", header="Content-Disposition"))


def _bytes_of(part: email.message.Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def without_nulls(body: Any) -> Any:
    """A merge patch (RFC 7396) without what it removes: a null is no value of the definition."""
    if not isinstance(body, dict):
        return body
    return {name: without_nulls(value) for name, value in body.items() if value is not None}


def validate_sent(body: object, schema: Mapping[str, Any]) -> None:
    """Assert that what is sent is declared, and that the service may be told it: no property of it is read-only."""
    jsonschema.Draft4Validator({**schema, "definitions": _sendable()}).validate(body)


@cache
def _sendable() -> dict[str, Any]:
    """The definitions without the properties that only the service writes."""
    definitions = spec()["definitions"]
    return {name: _writable(shape, definitions) for name, shape in definitions.items()}


def _writable(shape: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(shape.get("properties"), dict):
        return dict(shape)
    kept = {name: one for name, one in shape["properties"].items() if not _is_read_only(one, definitions)}
    required = [name for name in shape.get("required", ()) if name in kept]
    pruned = {**shape, "properties": kept}
    return {**pruned, "required": required} if required else {k: v for k, v in pruned.items() if k != "required"}


def _is_read_only(shape: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
    """By its own word, or because all of what it refers to is."""
    if shape.get("readOnly"):
        return True
    target = definitions.get(shape.get("$ref", "").rsplit("/", 1)[-1], {})
    inside = target.get("properties", {})
    return bool(target.get("readOnly")) or (
        bool(inside) and all(_is_read_only(x, definitions) for x in inside.values())
    )


def _judge(value: object, schema: Mapping[str, Any]) -> None:
    jsonschema.Draft4Validator(schema).validate(value)
