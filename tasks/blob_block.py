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

    @field_validator("container")
    @classmethod
    def _is_a_container(cls, value: str) -> str:
        if not _CONTAINER.fullmatch(value):
            raise ValueError("a container's name has 3 to 63 lower-case letters, digits and single hyphens")
        return value

    @field_validator("prefix")
    @classmethod
    def _is_a_folder(cls, value: str) -> str:
        value = value.strip("/")
        if {"", ".", ".."}.intersection(value.split("/")) and value:
            raise ValueError("a prefix is a path such as speech/models")
        return value

    def store(self) -> Store:
        """The store in that container.

        The credentials block only holds the settings here: the clients it makes close its credential for good.

        Raises:
            Mistake: the credentials cannot be used.
        """
        given = self.credentials
        principal = None
        if given.tenant_id and given.client_id and given.client_secret:
            principal = Principal(given.tenant_id, given.client_id, given.client_secret)
        container = Container(self.container, given.connection_string, given.account_url or "", principal)
        return BlobStore(container, self.prefix)
