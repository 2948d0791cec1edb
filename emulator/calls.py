"""One call of an operation: what a route needs to look up, change, schedule and answer."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

from fastapi import Depends, Request
from fastapi.responses import JSONResponse, Response

from emulator.addresses import Addresses
from emulator.auth import ServiceOf, require_api_version
from emulator.base_models import LOCALES
from emulator.bodies import Described, NewEntity, Patch
from emulator.entities import Entity, Noun
from emulator.errors import conflict, invalid, not_found
from emulator.filters import COMMON
from emulator.jobs import Jobs
from emulator.paging import Page
from emulator.service import Service
from emulator.store import Store

log = logging.getLogger(__name__)
E = TypeVar("E", bound=Entity)
KEEPS = {Noun.DATASETS, Noun.MODELS}
"""Nouns whose entities cannot be deleted while others use them."""


@dataclass(frozen=True, slots=True)
class Call:
    """The service, its jobs, and how the caller addressed it."""

    service: Service
    jobs: Jobs
    addresses: Addresses
    is_poll: bool = False
    """Whether the answer shows how far a job is: with job speed `poll` that moves it on."""

    @property
    def store(self) -> Store:
        """The service's state."""
        return self.service.store

    def new(self, kind: type[E], body: Described, /, **fields: Any) -> E:
        """A new entity from a request's body."""
        now = self.service.clock()
        common = body.model_dump(include=set(NewEntity.model_fields))
        entity = kind(id=str(uuid4()), created_date_time=now, last_action_date_time=now, **common, **fields)
        self.service.lag.note(entity.id)
        return entity

    def start(self, entity: Entity) -> None:
        """Keep an entity and schedule its job."""
        self.store.save(entity)
        self.jobs.schedule(entity)
        log.info("%s %s: %s", entity.noun.singular, entity.id, entity.status)

    def find(self, kind: type[E], entity_id: UUID) -> E:
        """The entity of a path, or 404."""
        entity = self.store.find(kind, str(entity_id))
        if entity is None:
            raise not_found(kind.noun.singular)
        return entity

    def answer(self, entity: Entity) -> JSONResponse:
        """200 with the entity."""
        self._seen([entity.id])
        return JSONResponse(self.addresses.body_of(entity), headers=self.pace(entity))

    def _seen(self, entity_ids: Iterable[str]) -> None:
        if self.is_poll:
            self.service.speed.seen(entity_ids)

    def created(self, entity: Entity) -> JSONResponse:
        """201 with the entity and its Location."""
        location = {"Location": self.addresses.of(entity.path)}
        return JSONResponse(self.addresses.body_of(entity), status_code=201, headers=location)

    def answer_page(self, kind: type[Entity], page: Page, properties: frozenset[str] = COMMON) -> JSONResponse:
        """200 with a page of entities."""
        hidden = self.service.lag.hidden()
        shown = (document for entity_id, document in self.store.rows(kind.noun) if entity_id not in hidden)
        picked, more = page.pick(shown, properties)
        entities = [kind.model_validate_json(document) for document in picked]
        values = [self.addresses.body_of(entity) for entity in entities]
        self._seen(entity.id for entity in entities)
        body = page.body(values, more, self.addresses, f"/speechtotext/{kind.noun}")
        return JSONResponse(body, headers=self.pace_of(value["status"] for value in values))

    def pace(self, entity: Entity) -> dict[str, str]:
        """`Retry-After` while the entity is not final."""
        return self.pace_of([entity.status])

    def pace_of(self, statuses: Iterable[str]) -> dict[str, str]:
        """`Retry-After` while one of these is not final."""
        is_open = any(status in ("NotStarted", "Running") for status in statuses)
        return {"Retry-After": str(self.service.settings.retry_after)} if is_open else {}

    def delete(self, kind: type[Entity], entity_id: UUID) -> Response:
        """204, also for what never existed; refused while it is under way or in use."""
        entity = self.store.find(kind, str(entity_id))
        if entity is not None:
            self.refuse_delete(entity)
            self.service.delete(entity)
        return Response(status_code=204)

    def refuse_delete(self, entity: Entity) -> None:
        """Raise when the entity must stay."""
        name = entity.noun.singular
        if not entity.status.is_final and getattr(entity, "committed", True):
            raise conflict("DeleteNotAllowed", f"The {name} hasn't finished yet; delete it when it has.")
        users = self.store.users(entity.id) if entity.noun in KEEPS else []
        if users:
            raise conflict("InUseViolation", f"The {name} is used by {' and '.join(users)}; delete those first.")

    def update(self, entity: E, patch: Patch) -> E:
        """The entity with the named values replaced; a null removes one (merge-patch, whatever the content type)."""
        changes: dict[str, Any] = {}
        if "display_name" in patch.model_fields_set:
            if patch.display_name is None:
                raise invalid("InvalidPayload", "displayName cannot be removed.", "displayName")
            changes["display_name"] = patch.display_name
        if "description" in patch.model_fields_set:
            changes["description"] = patch.description
        if "custom_properties" in patch.model_fields_set:
            changes["custom_properties"] = _merged(entity.custom_properties, patch.custom_properties)
        return entity.model_copy(update=changes)


def _merged(old: dict[str, str] | None, new: dict[str, str | None] | None) -> dict[str, str] | None:
    if new is None:
        return None
    merged = {name: value for name, value in {**(old or {}), **new}.items() if value is not None}
    if len(merged) > 10:
        raise invalid("InvalidPayload", "At most 10 custom properties are allowed.", "customProperties")
    return merged


def require_locale(locale: str) -> None:
    """Refuse a locale that has no recogniser."""
    if locale not in LOCALES:
        message = f"The locale {locale!r} is not supported; there is {', '.join(LOCALES)}."
        raise invalid("InvalidLocale", message, "locale")


async def call(request: Request, service: ServiceOf, version: Annotated[str, Depends(require_api_version)]) -> Call:
    """Put a call together."""
    service.drop_outlived()
    is_poll = request.method == "GET"
    if is_poll:
        await service.speed.settled(request.path_params.values() or None)
    addresses = Addresses(str(request.base_url).rstrip("/"), version)
    return Call(service, request.app.state.jobs, addresses, is_poll)


Calls = Annotated[Call, Depends(call)]
