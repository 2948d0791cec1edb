"""Copying a custom model to another Speech resource, and the operation that does it.

The target authorises, the source copies, and the operation at the source tells when the model is there:

::

    authorization = await target.models.authorize_copy(source_resource_id)
    operation = await source.models.copy(model, authorization)
    copied = (await source.wait_until_final(operation)).result.reference
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from speech_client.entities import AzureObject, EntityError, EntityReference, Job, Name


class ModelCopyAuthorizationDefinition(AzureObject):
    """Who may copy a model to us: the Azure resource id of the source."""

    model_config = ConfigDict(extra="forbid")

    source_resource_id: Name


class ModelCopyAuthorization(AzureObject):
    """The permission to copy one model to the target, until `expiration_date_time`. Pass it on as it came."""

    target_resource_region: str
    target_resource_id: str
    target_resource_endpoint: str
    source_resource_id: str
    expiration_date_time: datetime
    id: str


class OperationResult(AzureObject):
    """What an operation made: for a copy, the address of the new model at the target."""

    link: str | None = None

    @property
    def reference(self) -> EntityReference | None:
        """The model at the target; ask the target's client for it."""
        return EntityReference(self_url=self.link) if self.link else None


class Operation(Job):
    """A copy under way. Azure's `id` is `operation_id` here; `id` is read from the address, as everywhere."""

    collection: ClassVar[str] = "operations/models/copy"

    operation_id: Annotated[str, Field(alias="id")]
    result: OperationResult | None = None
    failure: Annotated[EntityError | None, Field(alias="error")] = None

    @property
    def error(self) -> EntityError | None:
        """Why the copy failed, when Azure says so."""
        return self.failure
