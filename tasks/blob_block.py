"""The Prefect block of a store in Azure Blob Storage.

It is a module of its own, for `prefect_azure` takes most of a second to import and a local store does without it.
"""

import re
from typing import ClassVar, Final

from prefect.blocks.core import Block
from prefect_azure import AzureBlobStorageCredentials
from pydantic import Field, field_validator

from tasks.blob_container import Container, Principal
from tasks.blob_store import BlobStore
from tasks.store import Store

_CONTAINER: Final = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
"""Azure's rule for the names of containers."""


class AzureStore(Block):
    """A container of Azure Blob Storage that keeps state, history, evidence and snapshots."""

    _block_type_name: ClassVar[str] = "Speechops Blob Store"
    _block_type_slug: ClassVar[str] = "blob-store"
    _description: ClassVar[str] = (
        "A blob container that keeps the ledger, the evidence and the snapshots of all tracks."
    )

    credentials: AzureBlobStorageCredentials = Field(
        description="Connection string, service principal, or only the account's URL to sign in with a managed identity."
    )
    container: str = Field(description="The container's name; it must exist.")
    prefix: str = Field(
        default="", description="A folder of the container for our files; empty for the whole container."
    )
    reports_url: str = Field(
        default="", description="Where `speechops reports` shows the reports of this store; artifacts link there."
    )
    link_datasets: bool = Field(
        default=False,
        description=(
            "The Speech service reads datasets from the container itself, by a link to each that ends after 6 hours, instead "
            "of an upload through the worker. The storage account must let the Speech service in."
        ),
    )

    @field_validator("container")
    @classmethod
    def _is_a_container(cls, value: str) -> str:
        return checked_container(value)

    @field_validator("prefix")
    @classmethod
    def _is_a_folder(cls, value: str) -> str:
        return checked_prefix(value)

    def store(self) -> Store:
        """The store in that container.

        Raises:
            Mistake: the credentials cannot be used.
        """
        return BlobStore(container_of(self.credentials, self.container), self.prefix, links=self.link_datasets)


def checked_container(value: str) -> str:
    """A container's name, by Azure's rule."""
    if not _CONTAINER.fullmatch(value):
        raise ValueError("a container's name has 3 to 63 lower-case letters, digits and single hyphens")
    return value


def checked_prefix(value: str) -> str:
    """A folder of a container, without slashes around it."""
    value = value.strip("/")
    if {"", ".", ".."}.intersection(value.split("/")) and value:
        raise ValueError("a prefix is a path such as speech/models")
    return value


def container_of(given: AzureBlobStorageCredentials, name: str) -> Container:
    """A container by its name. The credentials block only holds settings here: its clients close its credential for good."""
    principal = None
    if given.tenant_id and given.client_id and given.client_secret:
        principal = Principal(given.tenant_id, given.client_id, given.client_secret)
    return Container(name, given.connection_string, given.account_url or "", principal)
