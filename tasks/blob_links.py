"""Links to single blobs: shared access signatures, made when they are needed and kept nowhere."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobSasPermissions, UserDelegationKey, generate_blob_sas
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from domain.mistakes import Mistake
from speech_client.redaction import SignedAddress
from tasks.blob_container import Container, ShortRetry

LASTS: Final = timedelta(hours=6)
"""Imports queue on the service: longer than a run waits for one by default (`dataset_hours`), shorter than a working day."""

_SKEW: Final = timedelta(minutes=15)
"""Of the clocks of this machine and Azure; the margin that Microsoft's best practices for SAS name."""


async def signed(container: Container, client: ContainerClient, name: str) -> SignedAddress | None:
    """The address of one blob with leave to read it, and nothing else, until `LASTS` is over.

    Args:
        container: says how to ask for a user delegation key, where nobody gave us the account's key.
        client: of that container; signed in.
        name: the blob's; it need not be there yet.

    Returns:
        None where we hold a shared access signature ourselves: it cannot sign another.

    Raises:
        Mistake: the identity may not ask for user delegation keys.
        AzureError: asking for one failed otherwise.
    """
    now = datetime.now(UTC)
    start, end = now - _SKEW, now + LASTS
    blob = client.get_blob_client(name)
    keys = await _keys(container, client, start, end)
    if not keys or not blob.account_name:
        return None
    token = generate_blob_sas(
        blob.account_name, client.container_name, name,
        permission=BlobSasPermissions(read=True), start=start, expiry=end, protocol=_protocol(client), **keys,
    )  # fmt: skip
    return SignedAddress(f"{blob.url}?{token}")


async def _keys(container: Container, client: ContainerClient, start: datetime, end: datetime) -> dict[str, Any]:
    if not container.connection_string:
        return {"user_delegation_key": await _delegation_key(container, client, start, end)}
    account_key = getattr(client.credential, "account_key", None)
    return {"account_key": account_key} if account_key else {}


async def _delegation_key(
    container: Container, client: ContainerClient, start: datetime, end: datetime
) -> UserDelegationKey:
    settings: dict[str, Any] = {
        "retry_policy": ShortRetry(container.retries),
        "connection_timeout": 10,
        "read_timeout": 30,
    }
    try:
        async with BlobServiceClient(container.account_url, client.credential, **settings) as account:
            return await account.get_user_delegation_key(start, end)
    except HttpResponseError as error:
        if error.status_code != 403:
            raise
        raise Mistake(
            f"our identity may not make links to the blobs of {container.address()}. Give it the role 'Storage Blob "
            "Delegator' on the storage account (a role on the container is not enough), or switch 'link_datasets' off in "
            "the store's block."
        ) from None


def _protocol(client: ContainerClient) -> str | None:
    """Azurite speaks http; there it stays allowed."""
    return "https" if client.scheme == "https" else None
