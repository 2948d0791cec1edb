"""Prefect blocks: which Speech resource to work on, and where the ledger is kept. Operators edit them in the UI.

They live here and not in `deployments/`, for tasks load them; the package's entry point registers them with Prefect.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar, cast

from cachetools import TTLCache
from prefect.blocks.core import Block
from prefect.runtime import flow_run
from pydantic import Field, SecretStr, ValidationError, field_validator

from domain.mistakes import Mistake
from speech_client import EntraCredential, KeyCredential, SpeechClient
from tasks.folder_lock import LOCK_SECONDS
from tasks.git_block import GitData
from tasks.orchestrator import asked
from tasks.store import LocalFolder, Store

_B = TypeVar("_B", bound=Block)
_KEPT: TTLCache[tuple[str | None, type[Block], str], Block] = TTLCache(maxsize=64, ttl=60)
_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")


class SpeechResource(Block):
    """An Azure Speech resource, or the local emulator of one."""

    _block_type_name: ClassVar[str] = "Speech Resource"
    _block_type_slug: ClassVar[str] = "speech-resource"
    _description: ClassVar[str] = "The Azure Speech resource (or local emulator) on which models are trained and live."

    endpoint: str = Field(
        description="Base URL, such as https://westeurope.api.cognitive.microsoft.com, or http://127.0.0.1:8765 for the emulator."
    )
    key: SecretStr | None = Field(
        default=None, description="The resource's key; leave it empty to sign in with Entra ID."
    )
    use_entra_id: bool = Field(
        default=False, description="Sign in with Entra ID (needs the custom-domain endpoint of the resource)."
    )
    api_version: str = Field(default="2024-11-15", description="The REST API's version.")
    recognition_url: str | None = Field(
        default=None,
        description="Base URL of short-audio recognition, such as https://westeurope.stt.speech.microsoft.com; "
        "left empty, it follows from the endpoint.",
    )

    resource_id: str = Field(
        default="",
        description="The resource's Azure Resource ID, /subscriptions/…/accounts/<name>, from its page 'Properties' in the Azure "
        "portal. Needed only where models are promoted from.",
    )

    @field_validator("api_version")
    @classmethod
    def _is_a_version(cls, value: str) -> str:
        if not _API_VERSION.fullmatch(value):
            raise ValueError("an API version is a date such as 2024-11-15")
        return value

    @asynccontextmanager
    async def client(self) -> AsyncIterator[SpeechClient]:
        """A client for this resource, for as long as the context lasts.

        Raises:
            Mistake: neither a key nor Entra ID is configured.
        """
        async with AsyncExitStack() as stack:
            credential = await self._credential(stack)
            client = SpeechClient(
                self.endpoint, credential, api_version=self.api_version, recognition_url=self.recognition_url
            )
            yield await stack.enter_async_context(client)

    async def _credential(self, stack: AsyncExitStack) -> KeyCredential | EntraCredential:
        if self.use_entra_id:
            from azure.identity.aio import DefaultAzureCredential  # slow to import, and only needed here

            return EntraCredential(await stack.enter_async_context(DefaultAzureCredential()))
        if self.key is None or not self.key.get_secret_value():
            raise Mistake(
                "the Speech Resource block has no key. Fill in `key`, or switch `use_entra_id` on, in the Prefect UI "
                "under Blocks."
            )
        return KeyCredential(self.key.get_secret_value())


class LocalStore(Block):
    """A folder of this machine that keeps state, history, evidence and snapshots."""

    _block_type_name: ClassVar[str] = "Speechops Local Store"
    _block_type_slug: ClassVar[str] = "local-store"
    _description: ClassVar[str] = "A folder that keeps the ledger, the evidence and the snapshots of all tracks."

    folder: Path = Field(description="The folder; it is made when it does not exist.")
    lock_seconds: float = Field(
        default=LOCK_SECONDS,
        gt=0,
        description="How long a write waits for another process that holds the folder's lock, before it fails and names it.",
    )
    reports_url: str = Field(
        default="", description="Where `speechops reports` shows the reports of this folder; artifacts link there."
    )

    def store(self) -> Store:
        """The store in that folder."""
        return LocalFolder(self.folder, self.lock_seconds)


def block_types() -> list[type[Block]]:
    """All types of blocks of this package, for a server that has to know them."""
    from tasks.blob_block import AzureStore  # slow to import, and only needed here
    from tasks.blob_data import BlobData

    return [SpeechResource, LocalStore, AzureStore, GitData, BlobData]


async def load_speech(name: str) -> SpeechResource:
    """The saved Speech Resource block of that name.

    Raises:
        Mistake: there is none.
    """
    return await _load(SpeechResource, name)


async def load_store(name: str) -> Store:
    """The store of the saved Local Store block of that name or, when there is none, of the Blob Store block.

    Raises:
        Mistake: there is neither, or its settings lead nowhere.
    """
    return (await _store_block(name)).store()


async def reports_url(name: str) -> str:
    """Where people can open the reports of the saved store block of that name; empty when nobody serves them."""
    return (await _store_block(name)).reports_url.rstrip("/")


class _StoreBlock(Protocol):
    reports_url: str

    def store(self) -> Store: ...


async def _store_block(name: str) -> _StoreBlock:
    if local := await find_block(LocalStore, name):
        return local
    from tasks.blob_block import AzureStore  # slow to import, and only needed here

    if remote := await find_block(AzureStore, name):
        return remote
    raise _missing(f"{LocalStore._block_type_name} or {AzureStore._block_type_name}", name)


async def _load(kind: type[_B], name: str) -> _B:
    block = await find_block(kind, name)
    if not block:
        raise _missing(str(kind._block_type_name), name)
    return block


async def find_block(kind: type[_B], name: str) -> _B | None:
    """The saved block of that name, or None.

    A flow run asks for it in nearly every task, which costs 50 ms: it is kept for it for a minute.

    Raises:
        Mistake: its settings cannot be used.
    """
    key = (flow_run.id, kind, name)
    if key in _KEPT:
        return cast("_B", _KEPT[key])
    found = await _load_saved(kind, name)
    if found and flow_run.id:
        _KEPT[key] = found
    return found


async def _load_saved(kind: type[_B], name: str) -> _B | None:
    try:
        return cast("_B", await asked(kind.aload, name))
    except ValueError:
        return None
    except RuntimeError as error:
        if not isinstance(error.__cause__, ValidationError):
            raise
        raise Mistake(
            f"the {kind._block_type_name} block named '{name}' cannot be used: {_faults(error.__cause__)}. Correct it in the "
            "Prefect UI under Blocks."
        ) from None


def _faults(error: ValidationError) -> str:
    """What is wrong with which field; never the field's content."""
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))


def _missing(kind: str, name: str) -> Mistake:
    return Mistake(
        f"there is no {kind} block named '{name}'. Make it in the Prefect UI under Blocks, "
        "or start `speechops up`, which makes it for the emulator."
    )
