"""Web hooks: addresses that the service tells what happens to entities. Receiving is in `notifications`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict

from speech_client.entities import (
    AzureObject,
    EntityProperties,
    Name,
    NamedEntity,
    NamedEntityUpdate,
    NewNamedEntity,
    Secret,
)
from speech_client.filters import COMMON
from speech_client.links import Which
from speech_client.resource import EditableResource

NO_CONTENT = 204


class WebHookEvents(AzureObject):
    """What a web hook is told. What is not named is not told."""

    dataset_creation: bool | None = None
    dataset_processing: bool | None = None
    dataset_completion: bool | None = None
    dataset_deletion: bool | None = None
    model_creation: bool | None = None
    model_processing: bool | None = None
    model_completion: bool | None = None
    model_deletion: bool | None = None
    evaluation_creation: bool | None = None
    evaluation_processing: bool | None = None
    evaluation_completion: bool | None = None
    evaluation_deletion: bool | None = None
    transcription_creation: bool | None = None
    transcription_processing: bool | None = None
    transcription_completion: bool | None = None
    transcription_deletion: bool | None = None
    endpoint_creation: bool | None = None
    endpoint_processing: bool | None = None
    endpoint_completion: bool | None = None
    endpoint_deletion: bool | None = None
    ping: bool | None = None
    challenge: bool | None = None


class WebHookProperties(EntityProperties):
    """The version that shapes what is sent, and the secret that signs it (Azure's examples show it)."""

    api_version: str | None = None
    secret: Secret | None = None


class WebHookLinks(AzureObject):
    """Where to ask for a test or a ping. Use the operations: Azure's own examples show the two swapped."""

    test: str | None = None
    ping: str | None = None


class WebHook(NamedEntity):
    """A registered address. It is told nothing until it has answered the challenge and the status is Succeeded."""

    collection: ClassVar[str] = "webhooks"

    web_url: str
    events: WebHookEvents
    links: WebHookLinks | None = None
    properties: WebHookProperties | None = None


class NewWebHook(NewNamedEntity):
    """An address to register. With a `secret` everything that is sent there is signed; always give one."""

    inside_properties: ClassVar[frozenset[str]] = frozenset({"secret"})

    web_url: Name
    events: WebHookEvents
    secret: Secret | None = None


class WebHookUpdate(NamedEntityUpdate):
    """What to change. After a new `web_url` nothing is sent until that address has answered the challenge.

    `secret` has no default: an update without the secret, or with an empty one, ends the signing, says Azure. Repeat
    the secret to keep it, or give an empty text to sign no more.
    """

    model_config = ConfigDict(extra="forbid")

    inside_properties: ClassVar[frozenset[str]] = frozenset({"secret"})

    secret: Secret
    web_url: Name | None = None
    events: WebHookEvents | None = None


class WebHooks(EditableResource[WebHook]):
    """``/webhooks``."""

    entity = WebHook
    filterable = COMMON - {"locale"} | {"webUrl"}

    async def create(self, new: NewWebHook) -> WebHook:
        """Register an address; sent once, so look before you repeat it after an `ambiguous` error."""
        return await self._create(new)

    async def update(self, which: Which, update: WebHookUpdate) -> WebHook:
        """Change name, description, custom properties, address, events or secret."""
        return await self._update(which, update)

    async def ping(self, which: Which) -> None:
        """Let the service send a ping to the registered address; what comes of it is not told here."""
        await self._connection.post(f"{self._path_of(which)}:ping")

    async def test(self, which: Which) -> bool:
        """Let the service repeat the last event of each kind; False when there was none, and nothing is sent."""
        return (await self._connection.post(f"{self._path_of(which)}:test")).status != NO_CONTENT
