"""Bodies that our classes accept, made from what the classes say of themselves."""

import string
from collections.abc import Callable
from typing import Any

import pydantic
from hypothesis import strategies as st

ADDRESSES = st.sampled_from(
    [
        "https://host/speechtotext/models/827712a5-f942-4997-91c3-7c6cde35600b?api-version=2024-11-15",
        "http://a.test/b?c",
    ]
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=80) | st.text(string.printable, max_size=300)
ADDRESSED = ("url", "urls", "self", "models", "link")
"""Endings of the names of members that hold addresses: our classes take any text there, Azure does not."""
OF_LATER_VERSIONS = {"project"}


def bodies(shape: type[pydantic.BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Values for the members of a class, by their names in Azure; some of them the class may yet refuse."""
    schema = shape.model_json_schema(by_alias=True)
    return _values(schema, "", schema.get("$defs", {}))


def _values(schema: dict[str, Any], name: str, defs: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _values(defs[schema["$ref"].rsplit("/", 1)[-1]], name, defs)
    if "anyOf" in schema:
        return st.one_of([_values(one, name, defs) for one in _known(schema["anyOf"])])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    made: st.SearchStrategy[Any] = _KINDS[schema.get("type", "object")](schema, name, defs)
    return made


def _known(options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the free text beside an enum: it stands for what Azure may add later."""
    is_open = any("$ref" in one for one in options)
    return [one for one in options if not (is_open and one.get("type") == "string")]


def _texts(schema: dict[str, Any], name: str, _: dict[str, Any]) -> st.SearchStrategy[str]:
    if name.lower().endswith(ADDRESSED):
        return ADDRESSES
    if schema.get("format") == "date-time":
        return st.just("2026-01-01T00:00:00Z")
    least, most = schema.get("minLength", 0), schema.get("maxLength", 300)
    return TEXT.filter(lambda text: least <= len(text) <= most)


def _numbers(schema: dict[str, Any], *_: Any) -> st.SearchStrategy[int]:
    return st.integers(schema.get("minimum", 0), schema.get("maximum", 100))


def _lists(schema: dict[str, Any], name: str, defs: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", 4), least + 4)
    return st.lists(_values(schema["items"], name, defs), min_size=least, max_size=most)


def _objects(schema: dict[str, Any], name: str, defs: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:
        value = schema.get("additionalProperties")
        values = _values(value, name, defs) if isinstance(value, dict) else TEXT
        return st.dictionaries(st.text(min_size=1, max_size=64), values, max_size=3)
    known = {key: _values(one, key, defs) for key, one in schema["properties"].items() if key not in OF_LATER_VERSIONS}
    required = {key: known.pop(key) for key in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=known)


_KINDS: dict[str, Callable[..., st.SearchStrategy[Any]]] = {
    "array": _lists,
    "boolean": lambda *_: st.booleans(),
    "integer": _numbers,
    "null": lambda *_: st.none(),
    "object": _objects,
    "string": _texts,
}
