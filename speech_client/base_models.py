"""Base models: what Microsoft trained, and what a custom model starts from."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from speech_client.datasets import DatasetKind
from speech_client.entities import AzureObject, Entity, EntityProperties, Known
from speech_client.links import Which
from speech_client.manifests import SAS_LIFETIME, ModelManifest, manifest
from speech_client.resource import Resource


class OutputFormatType(StrEnum):
    """What a model writes: words as spoken, or text as people write it."""

    LEXICAL = "Lexical"
    DISPLAY = "Display"


class ModelFeatures(AzureObject):
    """What a model can be used for."""

    supports_transcriptions_submit: bool | None = None
    supports_transcriptions_transcribe: bool | None = None
    supports_endpoints: bool | None = None
    supports_transcriptions_on_speech_containers: bool | None = None
    supported_output_formats: tuple[Known[OutputFormatType], ...] | None = None


class BaseModelFeatures(ModelFeatures):
    """What a base model can be used for, training included."""

    supports_adaptations_with: tuple[Known[DatasetKind], ...] | None = None


class ModelDeprecationDates(AzureObject):
    """When the model stops to transcribe. An endpoint then silently answers with the newest base model."""

    transcription_date_time: datetime | None = None


class BaseModelDeprecationDates(ModelDeprecationDates):
    """When the model stops to transcribe, and when it can no longer be trained on."""

    adaptation_date_time: datetime | None = None


class BaseModelProperties(EntityProperties):
    """Life time and abilities of a base model; `charge_for_adaptation` tells whether training costs money."""

    deprecation_dates: BaseModelDeprecationDates | None = None
    features: BaseModelFeatures | None = None
    charge_for_adaptation: bool | None = None


class BaseModelLinks(AzureObject):
    """Where the manifest for containers is."""

    manifest: str | None = None


class BaseModel(Entity):
    """A model of Microsoft's. Lists have no order: choose by `created_date_time`, never the last one."""

    collection: ClassVar[str] = "models/base"

    properties: BaseModelProperties | None = None
    links: BaseModelLinks | None = None


class BaseModels(Resource[BaseModel]):
    """``/models/base``: list, get and the manifest; there is nothing to change."""

    entity = BaseModel

    async def manifest(self, which: Which, *, sas_lifetime: timedelta = SAS_LIFETIME) -> ModelManifest:
        """Return what a container needs to run the model, with addresses that are valid for `sas_lifetime`."""
        return await manifest(self._connection, self._path_of(which), sas_lifetime)
