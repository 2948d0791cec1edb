"""Custom models: a base model trained with datasets."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from speech_client.base_models import ModelDeprecationDates, ModelFeatures
from speech_client.entities import (
    AzureObject,
    EntityProperties,
    EntityReference,
    EntityUpdate,
    NewEntity,
    ProjectMember,
)
from speech_client.links import Which
from speech_client.manifests import SAS_LIFETIME, ModelManifest, manifest
from speech_client.model_copy import ModelCopyAuthorization, ModelCopyAuthorizationDefinition, Operation
from speech_client.resource import ResourceWithFiles

WeightPercent = Annotated[int, Field(ge=1, le=100)]


class CustomModelProperties(EntityProperties):
    """Life time, abilities and the weight (1 to 100) of the custom part."""

    deprecation_dates: ModelDeprecationDates | None = None
    custom_model_weight_percent: int | None = None
    features: ModelFeatures | None = None


class CustomModelLinks(AzureObject):
    """Where the manifest, the copy action and the files are."""

    manifest: str | None = None
    copy_: Annotated[str | None, Field(alias="copy")] = None
    files: str | None = None


class CustomModel(ProjectMember):
    """A model that we trained; trainable on base models only, never on another custom model."""

    collection: ClassVar[str] = "models"

    base_model: EntityReference | None = None
    datasets: tuple[EntityReference, ...] | None = None
    properties: CustomModelProperties | None = None
    links: CustomModelLinks | None = None


class NewModel(NewEntity):
    """A model to train. Name `base_model`: without it Azure takes the newest one, and runs do not repeat."""

    inside_properties: ClassVar[frozenset[str]] = frozenset({"customModelWeightPercent"})

    base_model: EntityReference | None = None
    datasets: tuple[EntityReference, ...] = ()
    custom_model_weight_percent: WeightPercent | None = None


class ModelUpdate(EntityUpdate):
    """New name, description or custom properties of a model."""


class Models(ResourceWithFiles[CustomModel]):
    """``/models``: the custom models."""

    entity = CustomModel

    async def locales(self) -> tuple[str, ...]:
        """Return the locales in which models can be trained."""
        return await self._locales()

    async def create(self, new: NewModel) -> CustomModel:
        """Start the training of a model; sent once, so look before you repeat it after an `ambiguous` error."""
        return await self._create(new)

    async def update(self, which: Which, update: ModelUpdate) -> CustomModel:
        """Change name, description or custom properties."""
        return await self._update(which, update)

    async def manifest(self, which: Which, *, sas_lifetime: timedelta = SAS_LIFETIME) -> ModelManifest:
        """Return what a container needs to run the model, with addresses that are valid for `sas_lifetime`."""
        return await manifest(self._connection, self._path_of(which), sas_lifetime)

    async def authorize_copy(self, source_resource_id: str) -> ModelCopyAuthorization:
        """Allow another Speech resource to copy a model here; give what you get to the source's `copy`.

        Args:
            source_resource_id: The Azure resource id of the source, ``/subscriptions/…/accounts/<name>``.
        """
        definition = ModelCopyAuthorizationDefinition(source_resource_id=source_resource_id)
        return (await self._connection.post(f"{self.path}:authorizecopy", definition)).parse(ModelCopyAuthorization)

    async def copy(self, which: Which, authorization: ModelCopyAuthorization) -> Operation:
        """Start to copy a custom model to the resource that gave `authorization`; sent once.

        `SpeechClient.wait_until_final` waits for the operation; then its `result` is the model at the target.
        """
        return (await self._connection.post(f"{self._path_of(which)}:copy", authorization)).parse_created(Operation)
