"""Manifests: what a container on the premises needs to run a model."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from speech_client.connection import Connection
from speech_client.entities import Address, AzureObject, EntityReference
from speech_client.resource import minutes

SAS_LIFETIME = timedelta(hours=12)
"""How long the addresses in a manifest stay valid; Azure wants a number here, and this is its default for files."""


class ModelFile(AzureObject):
    """One file of a model. The address grants access by itself, so treat it like a password."""

    name: str | None = None
    content_url: Address | None = None


class ModelManifest(AzureObject):
    """The files of a model, and the configuration to run it."""

    model: EntityReference
    model_files: tuple[ModelFile, ...]
    properties: dict[str, Any]


async def manifest(connection: Connection, path: str, sas_lifetime: timedelta) -> ModelManifest:
    """Return the manifest of the model at `path`."""
    params = {"sasLifetimeMinutes": str(minutes(sas_lifetime))}
    return (await connection.get(f"{path}/manifest", params)).parse(ModelManifest)
