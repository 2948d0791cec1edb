"""The flows' parameter `store` names a block; whichever kind of store has that name is used."""

import subprocess
import sys
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect_azure import AzureBlobStorageCredentials
from pydantic import SecretStr, ValidationError

from domain.mistakes import Mistake
from tasks.blob_block import AzureStore
from tasks.blob_store import BlobStore
from tasks.blocks import LocalStore, load_store, reports_url
from tasks.store import LocalFolder

SECRET = "Y2FuYXJ5LXRoYXQtbm9ib2R5LW1heS1zZWU="
ACCOUNT = AzureBlobStorageCredentials(
    connection_string=SecretStr(f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={SECRET}")
)


async def test_a_store_of_either_kind_is_found_by_its_name(tmp_path: Path) -> None:
    """Moving from the laptop to Azure changes a block and no flow."""
    await LocalStore(folder=tmp_path).asave("laptop")
    store = AzureStore(
        credentials=ACCOUNT, container="models", prefix="speech/", reports_url="https://reports.example/"
    )
    await store.asave("team")

    assert isinstance(await load_store("laptop"), LocalFolder)
    found = await load_store("team")
    assert isinstance(found, BlobStore)
    assert str(found) == "https://acme.blob.core.windows.net/models/speech"
    assert await reports_url("team") == "https://reports.example"


async def test_the_credentials_may_be_a_block_of_their_own() -> None:
    """One key, kept once, for several stores."""
    await ACCOUNT.asave("acme")
    await AzureStore(credentials=await AzureBlobStorageCredentials.aload("acme"), container="models").asave("shared")

    assert str(await load_store("shared")) == "https://acme.blob.core.windows.net/models"


async def test_a_missing_store_is_told_with_both_kinds() -> None:
    """The operator learns what can be made."""
    with pytest.raises(Mistake, match="no Speechops Local Store or Speechops Blob Store block named 'nowhere'"):
        await load_store("nowhere")


async def test_a_block_that_was_edited_badly_is_told_without_its_secret() -> None:
    """The UI takes any text; loading finds out."""
    bad = AzureStore(credentials=ACCOUNT, container="models")
    bad.container = "My Models"
    bad.credentials = AzureBlobStorageCredentials.model_construct(
        connection_string=SecretStr(SECRET), account_url="https://acme.blob.core.windows.net"
    )
    await bad.asave("edited")

    with pytest.raises(Mistake, match=r"Speechops Blob Store block named 'edited' cannot be used: .*container") as told:
        await load_store("edited")
    assert SECRET not in f"{told.value}{told.value.__cause__}"


@pytest.mark.parametrize(
    "change", [{"container": "My Models"}, {"container": "ab"}, {"prefix": "../other"}, {"prefix": "a//b"}]
)
def test_settings_are_checked_as_they_are_given(change: dict[str, str]) -> None:
    """A name that Azure does not allow, and a folder outside."""
    with pytest.raises(ValidationError):
        AzureStore(**{"credentials": ACCOUNT, "container": "models", **change})


async def test_the_server_keeps_the_key_a_secret() -> None:
    """Whoever lists blocks sees stars."""
    await AzureStore(credentials=ACCOUNT, container="models").asave("listed")

    async with get_client() as client:
        documents = await client.read_block_documents_by_type("blob-store", include_secrets=False)

    assert SECRET not in str(documents)


def test_a_managed_identity_needs_only_the_accounts_address() -> None:
    """No secret at all."""
    account = AzureBlobStorageCredentials(account_url="https://acme.blob.core.windows.net")

    assert str(AzureStore(credentials=account, container="models").store()).startswith("https://acme.blob")


def test_a_flow_with_a_local_store_does_not_load_the_azure_packages() -> None:
    """They take most of a second, in each run."""
    look = "import sys, tasks.blocks; sys.exit(any(m in sys.modules for m in ('prefect_azure', 'azure.storage.blob')))"

    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
