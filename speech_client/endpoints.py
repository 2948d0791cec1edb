"""Endpoints: where a model is live. The id stays when the model changes."""

from __future__ import annotations

from typing import ClassVar

from speech_client.entities import (
    AzureObject,
    EntityProperties,
    EntityReference,
    EntityUpdate,
    NewEntity,
    ProjectMember,
)
from speech_client.links import Which
from speech_client.resource import EditableResource


class EndpointProperties(EntityProperties):
    """Whether audio and transcriptions are logged (only for resources with their own storage)."""

    logging_enabled: bool | None = None


class EndpointLinks(AzureObject):
    """Where the Speech SDK connects; the `cid` in it is the endpoint's id."""

    web_socket: str | None = None


class Endpoint(ProjectMember):
    """A place where a model answers. `model` may be a custom model or a base model."""

    collection: ClassVar[str] = "endpoints"

    model: EntityReference | None = None
    properties: EndpointProperties | None = None
    links: EndpointLinks | None = None


class NewEndpoint(NewEntity):
    """An endpoint to make; without `model` it answers with the newest base model."""

    inside_properties: ClassVar[frozenset[str]] = frozenset({"loggingEnabled"})

    model: EntityReference | None = None
    logging_enabled: bool | None = None


class EndpointUpdate(EntityUpdate):
    """What to change. The old model answers until the new one is ready.

    Azure calls the switch `contentLoggingEnabled` here and `loggingEnabled` in the endpoint; Azure means it.
    """

    inside_properties: ClassVar[frozenset[str]] = frozenset({"contentLoggingEnabled"})

    model: EntityReference | None = None
    content_logging_enabled: bool | None = None


class Endpoints(EditableResource[Endpoint]):
    """``/endpoints``."""

    entity = Endpoint

    async def locales(self) -> tuple[str, ...]:
        """Return the locales that an endpoint may have."""
        return await self._locales()

    async def create(self, new: NewEndpoint) -> Endpoint:
        """Make an endpoint; sent once, so look before you repeat it after an `ambiguous` error."""
        return await self._create(new)

    async def update(self, which: Which, update: EndpointUpdate) -> Endpoint:
        """Point the endpoint at another model, or change its name, description, properties.

        The answer may still show the state before the change (Azure's own example does): wait, then compare `model`.
        """
        return await self._update(which, update)
