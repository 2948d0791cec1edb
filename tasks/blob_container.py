"""A container of Azure Blob Storage: where it is, how to sign in, how often to try again."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import SystemRandom
from typing import Any, Final
from urllib.parse import urlsplit

from azure.identity.aio import ClientSecretCredential, DefaultAzureCredential
from azure.storage.blob.aio import ContainerClient, ExponentialRetry
from pydantic import SecretStr

from tasks.per_loop import PerLoop
from tasks.store_errors import StoreUnusable

BLOCK: Final = 1024 * 1024
"""Bytes of one request for a large file: a reset costs one such block, and three small tries get where a long one fails."""

PARALLEL: Final = 4
"""Requests at once for a large file."""

_RANDOM = SystemRandom()


class ShortRetry(ExponentialRetry):
    """The SDK's retries, but the first after a fraction of a second: by default it waits about fifteen."""

    def __init__(self, retries: int) -> None:
        super().__init__(retry_total=retries, retry_connect=retries, retry_read=retries, retry_status=retries)

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        """Seconds until the next try: 0.2 and twice as much each time, with jitter."""
        return _RANDOM.uniform(0.5, 1.5) * float(min(0.1 * 2 ** settings["count"], 8))


@dataclass(frozen=True, slots=True)
class Principal:
    """A service principal of Entra ID."""

    tenant_id: str
    client_id: str
    client_secret: SecretStr


@dataclass(frozen=True, slots=True)
class Container:
    """Where a container is and how to sign in; secrets do not show in its repr.

    Args:
        name: the container's.
        connection_string: of the account; it may hold a key or a shared access signature.
        account_url: instead of a connection string: https address of the account, to sign in with Entra ID.
        principal: who signs in; None finds out (managed identity, workload identity, environment, Azure CLI).
        retries: of one request.
    """

    name: str
    connection_string: SecretStr | None = None
    account_url: str = ""
    principal: Principal | None = None
    retries: int = 6

    def address(self) -> str:
        """The container's URL without any query, so without a signature.

        Raises:
            StoreUnusable: the connection string or the account's URL cannot be used.
        """
        return str(self.client(None).url).partition("?")[0]

    def credential(self) -> ClientSecretCredential | DefaultAzureCredential | None:
        """Who signs in; None when the connection string does it."""
        if self.connection_string:
            return None
        if not self.principal:
            return DefaultAzureCredential()
        secret = self.principal.client_secret.get_secret_value()
        try:
            return ClientSecretCredential(self.principal.tenant_id, self.principal.client_id, secret)
        except ValueError:
            raise StoreUnusable(
                "the tenant, the client or the secret of the Azure Blob Storage Credentials block is not one. Copy them again "
                "from the page of the app registration in the Azure portal."
            ) from None

    def client(self, credential: ClientSecretCredential | DefaultAzureCredential | None) -> ContainerClient:
        """A client, not opened yet; see `address` for what it raises."""
        settings: dict[str, Any] = {
            "retry_policy": ShortRetry(self.retries),
            "max_single_put_size": BLOCK,
            "max_block_size": BLOCK,
            "max_single_get_size": BLOCK,
            "max_chunk_get_size": BLOCK,
            "connection_timeout": 10,
            "read_timeout": 30,
        }
        if not self.connection_string:
            return ContainerClient(self._account_url(), self.name, credential, **settings)
        try:
            return ContainerClient.from_connection_string(
                self.connection_string.get_secret_value(), self.name, **settings
            )
        except ValueError:
            raise StoreUnusable(
                "the connection string of the Azure Blob Storage Credentials block is not one. Copy it again from the "
                "storage account's page 'Access keys' in the Azure portal."
            ) from None

    def _account_url(self) -> str:
        parts = urlsplit(self.account_url)
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.username:
            raise StoreUnusable(
                "the account URL of the Azure Blob Storage Credentials block must look like "
                "https://<account>.blob.core.windows.net. A shared access signature belongs into a connection string, "
                "which is kept secret."
            )
        return self.account_url


@asynccontextmanager
async def _opened(container: Container) -> AsyncIterator[ContainerClient]:
    async with AsyncExitStack() as stack:
        credential = container.credential()
        if credential:
            await stack.enter_async_context(credential)
        yield await stack.enter_async_context(container.client(credential))


CLIENTS: Final = PerLoop(_opened)
"""Opened clients. A new one for each call would ask for a new token and a new connection each time."""
