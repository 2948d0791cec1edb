"""A link to a blob lets its reader read that blob, for some hours, and nothing else.

Azurite takes Entra's tokens over https only, so the user delegation key comes from a fake account; what is signed with an
account's key is tried against Azurite.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import AccountSasPermissions, ResourceTypes, UserDelegationKey, generate_account_sas
from azure.storage.blob.aio import BlobServiceClient
from pydantic import SecretStr

from domain.mistakes import Mistake
from tasks.blob_container import Container, Principal
from tasks.blob_links import LASTS
from tasks.blob_store import BlobStore
from tests.azurite_kit import ACCOUNT, Azurite

KEY = "Y2FuYXJ5LXRoYXQtbm9ib2R5LW1heS1zZWU="
ENTRA = Container(
    "models",
    account_url="https://acme.blob.core.windows.net",
    principal=Principal("tenant", "client", SecretStr("secret")),
    retries=0,
)


def told_by(link: str | None) -> dict[str, str]:
    """What a link grants."""
    assert link
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize("key", ["snapshots/1.zip", "snapshots/C# 100% a+b?ü.zip"])
async def test_whoever_has_the_link_reads_that_blob_and_nothing_else(azurite: Azurite, key: str) -> None:
    """Without any credentials; no other blob, no list, no change."""
    store = BlobStore(azurite.container(), "speech", links=True)
    await store.write(key, b"bytes")
    await store.write("secret", b"more")
    link = await store.link(key)
    other = f"{store}/secret?{urlsplit(link).query}"
    listing = f"{str(store).removesuffix('/speech')}?restype=container&comp=list&{urlsplit(link).query}"

    async with httpx.AsyncClient() as http:
        assert (await http.get(link)).content == b"bytes"
        assert (await http.get(other)).status_code == 403
        assert (await http.get(listing)).status_code == 403
        assert (await http.put(link, content=b"x", headers={"x-ms-blob-type": "BlockBlob"})).status_code == 403
        assert (await http.delete(link)).status_code == 403
    assert (await store.read(key)).data == b"bytes"


async def test_a_link_ends_and_goes_over_https() -> None:
    """It grants what it must: read, one blob, from a little ago (clocks differ) until some hours from now."""
    text = f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={KEY}"
    before = datetime.now(UTC) - timedelta(seconds=1)
    link = await BlobStore(Container("models", SecretStr(text)), links=True).link("a")

    told = told_by(link)
    assert link.startswith("https://acme.blob.core.windows.net/models/a?")
    assert (told["sp"], told["sr"], told["spr"]) == ("r", "b", "https")
    assert instant(told["st"]) < before - timedelta(minutes=5)
    assert before <= instant(told["se"]) - LASTS <= datetime.now(UTC)


async def test_a_link_shows_no_signature_where_it_is_printed(azurite: Azurite) -> None:
    """Tracebacks and logs show values by their repr."""
    link = await BlobStore(azurite.container(), links=True).link("a")

    assert told_by(link)["sig"] not in parse_qs(urlsplit(repr(link).strip("'")).query)["sig"]
    assert "sig=***" in repr(link)


async def test_no_link_is_made_unless_it_is_asked_for(azurite: Azurite) -> None:
    """The default stays the upload."""
    assert await BlobStore(azurite.container()).link("a") is None


async def test_a_signature_cannot_sign(azurite: Azurite) -> None:
    """Who was given a shared access signature has no key; the store works as before."""
    end = datetime.now(UTC) + timedelta(hours=1)
    rights = AccountSasPermissions(read=True, write=True, create=True)
    sas = generate_account_sas(ACCOUNT, azurite.key, ResourceTypes(object=True), rights, end)
    text = SecretStr(f"BlobEndpoint={azurite.address}/{ACCOUNT};SharedAccessSignature={sas}")
    store = BlobStore(replace(azurite.container(), connection_string=text), links=True)
    await store.write("a", b"")

    assert await store.link("a") is None


async def test_what_is_no_key_has_no_link(azurite: Azurite) -> None:
    """A link leads nowhere else."""
    with pytest.raises(ValueError, match="not a key"):
        await BlobStore(azurite.container(), links=True).link("../other")


async def test_an_identity_of_entra_signs_with_a_user_delegation_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs to have the account's key; the key that is asked for lives no longer than the link."""
    asked = []

    async def grant(self: BlobServiceClient, start: datetime, end: datetime) -> UserDelegationKey:
        asked.append((self.url, type(self.credential).__name__, start, end))
        key = UserDelegationKey()
        key.signed_oid, key.signed_tid, key.signed_service, key.signed_version = "oid", "tid", "b", "2024-11-04"
        key.signed_start, key.signed_expiry, key.value = "2024-01-01T00:00:00Z", "2024-01-01T06:00:00Z", KEY
        return key

    monkeypatch.setattr(BlobServiceClient, "get_user_delegation_key", grant)
    told = told_by(await BlobStore(ENTRA, "speech", links=True).link("a"))

    [(account, signer, start, end)] = asked
    assert (account, signer) == ("https://acme.blob.core.windows.net/", "ClientSecretCredential")
    assert (told["skoid"], told["sp"], told["sr"], told["spr"]) == ("oid", "r", "b", "https")
    assert (instant(told["st"]), instant(told["se"])) == (start.replace(microsecond=0), end.replace(microsecond=0))
    assert KEY not in str(told)


async def test_an_identity_that_may_not_make_links_is_told_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """The container's role is enough for everything else, so the message names the other one."""

    async def refuse(*_: object) -> None:
        error = ClientAuthenticationError(f"refused, sig={KEY}")
        error.status_code = 403
        raise error

    monkeypatch.setattr(BlobServiceClient, "get_user_delegation_key", refuse)
    with pytest.raises(Mistake, match=r"Storage Blob Delegator.*link_datasets") as told:
        await BlobStore(ENTRA, links=True).link("a")
    assert KEY not in f"{told.value}{told.value.__cause__}"
