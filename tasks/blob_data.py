"""The Prefect block of data in a blob container. Like the blob store's, it is slow to import and loaded late."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from prefect.blocks.core import Block
from prefect_azure import AzureBlobStorageCredentials
from pydantic import Field, field_validator

from tasks.blob_block import checked_container, checked_prefix, container_of
from tasks.blob_source import BlobSource
from tasks.store import Store


class BlobData(Block):
    """A container of Azure Blob Storage that holds the data of tracks."""

    _block_type_name: ClassVar[str] = "Speechops Blob Data"
    _block_type_slug: ClassVar[str] = "blob-data"
    _description: ClassVar[str] = "A blob container, or a folder of one, that holds the data of tracks."

    credentials: AzureBlobStorageCredentials = Field(
        description="Connection string, service principal, or only the account's URL to sign in with a managed identity."
    )
    container: str = Field(description="The container's name; it must exist.")
    prefix: str = Field(
        default="", description="The folder of all tracks in the container; empty for the whole container."
    )

    @field_validator("container")
    @classmethod
    def _is_a_container(cls, value: str) -> str:
        return checked_container(value)

    @field_validator("prefix")
    @classmethod
    def _is_a_folder(cls, value: str) -> str:
        return checked_prefix(value)

    def source(self, name: str, load_store: Callable[[], Awaitable[Store]]) -> BlobSource:
        """The data source that is called by this name.

        Args:
            name: of this block.
            load_store: gives the store that keeps listings, when one is needed.

        Raises:
            Mistake: the credentials cannot be used.
        """
        container = container_of(self.credentials, self.container)
        container.address()
        return BlobSource(name, container, self.prefix, load_store)
