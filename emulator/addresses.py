"""Addresses in answers and requests: each one that leaves carries the caller's host and api-version."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from emulator.entities import Entity, ModelCopy, Noun

GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

LINKS: dict[str, dict[str, str]] = {
    "Dataset": {"files": "/files"},
    "CustomModel": {"manifest": "/manifest", "copy": ":copy", "files": "/files"},
    "BaseModel": {"manifest": "/manifest"},
    "Evaluation": {"files": "/files"},
    "Transcription": {"files": "/files"},
    "WebHook": {"test": ":test", "ping": ":ping"},
}
BLOCK_LINKS = {"commitBlocks": "/blocks:commit", "listBlocks": "/blocks", "uploadBlocks": "/blocks"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """How the caller reached the service."""

    base: str
    """`http://host:port`, without a slash at the end."""
    api_version: str

    def of(self, path: str, **query: object) -> str:
        """The full address of a path; the api-version comes last, as in Microsoft's examples."""
        pairs = {name: value for name, value in query.items() if value is not None}
        return f"{self.base}{path}?{urlencode({**pairs, 'api-version': self.api_version}, quote_via=quote)}"

    def body_of(self, entity: Entity) -> dict[str, Any]:
        """The entity as the specification shows it."""
        if isinstance(entity, ModelCopy):
            return self._operation(entity)
        body = entity.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=entity.hidden)
        for name in entity.references:
            alias = type(entity).model_fields[name].alias or name
            if alias in body:
                body[alias] = self._reference(body[alias])
        if not body["properties"]:
            del body["properties"]
        else:
            body["properties"] = self._resolved(body["properties"])
        return {"self": self.of(entity.path), **body, "links": self._links(entity)}

    def _operation(self, operation: ModelCopy) -> dict[str, Any]:
        """`Operation`, which has little in common with the other entities."""
        shown = {"id", "status", "created_date_time", "last_action_date_time"}
        body = {"self": self.of(operation.path), **operation.model_dump(mode="json", by_alias=True, include=shown)}
        if operation.result:
            body["result"] = {"link": operation.result}
        if "error" in operation.properties:
            body["error"] = operation.properties["error"]
        return body

    def _reference(self, path: str | list[str]) -> Any:
        if isinstance(path, list):
            return [self._reference(one) for one in path]
        return {"self": self.of(path)}

    def _resolved(self, value: Any) -> Any:
        """Properties with the references in them (`speechModelMapping`) as addresses."""
        if not isinstance(value, dict):
            return value
        if list(value) == ["self"]:
            return self._reference(value["self"])
        return {name: self._resolved(one) for name, one in value.items()}

    def _links(self, entity: Entity) -> dict[str, str]:
        if entity.noun is Noun.ENDPOINTS:
            socket = self.base.replace("http", "ws", 1)
            return {"webSocket": f"{socket}/stt/speech/universal/v2?cid={entity.id}"}
        links = LINKS[type(entity).__name__]
        if not getattr(entity, "committed", True):
            links = links | BLOCK_LINKS
        return {name: self.of(entity.path + end) for name, end in links.items()}


def path_in(address: str, noun: Noun) -> str | None:
    """The path that a reference means, or None when it does not name such an entity.

    Host and api-version are not compared: the same emulator has several names (localhost, 127.0.0.1).
    """
    base = "(?:/base)?" if noun is Noun.MODELS else ""
    try:
        path = urlsplit(address).path.rstrip("/")
    except ValueError:  # a bracket without its other half
        return None
    found = re.fullmatch(rf"(/speechtotext/{noun}{base}/)({GUID})", path)
    return found[1] + found[2].lower() if found else None
