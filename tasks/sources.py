"""Data sources by the names of their blocks."""

import logging
from functools import partial
from http import HTTPStatus
from typing import Final

from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError

from domain.mistakes import Mistake
from tasks.blocks import find_block, load_store
from tasks.data_source import DataSource
from tasks.git_block import GitData
from tasks.orchestrator import asked

_BLOB_SLUG: Final = "blob-data"
_LOG: Final = logging.getLogger(__name__)


async def load_source(name: str, store: str = "speechops") -> DataSource:
    """The data source of the saved Git Data block of that name or, when there is none, of the Blob Data block.

    Args:
        name: of the block.
        store: name of the store's block, which keeps the listings of blob containers.

    Raises:
        Mistake: there is neither, or its settings lead nowhere.
    """
    found = await _git(name) or await _blob(name, store)
    if not found:
        raise Mistake(
            f"there is no Speechops Git Data or Speechops Blob Data block named '{name}'. Make it in the Prefect UI under "
            "Blocks."
        )
    return found


async def source_names() -> list[str]:
    """The names of all data sources: of all saved Git Data and Blob Data blocks."""
    async with get_client() as client:
        git, blob = await _names(client, GitData._block_type_slug or ""), await _names(client, _BLOB_SLUG)
    return sorted({*git, *blob})


async def all_sources(store: str = "speechops") -> list[DataSource]:
    """The data sources of all saved blocks; one that cannot be used is left out, and the log tells why."""
    sources = [await _usable(name, store) for name in await source_names()]
    return [source for source in sources if source]


async def _usable(name: str, store: str) -> DataSource | None:
    try:
        return await load_source(name, store)
    except Mistake as mistake:
        _LOG.warning("The data source '%s' is left out: %s", name, mistake)
    except RuntimeError as error:
        _LOG.warning("The data source '%s' is left out, for its block cannot be read (%s)", name, type(error).__name__)
    return None


async def _git(name: str) -> DataSource | None:
    block = await find_block(GitData, name)
    return block.source(name) if block else None


async def _blob(name: str, store: str) -> DataSource | None:
    from tasks.blob_data import BlobData  # slow to import, and only needed here

    block = await find_block(BlobData, name)
    return block.source(name, partial(load_store, store)) if block else None


async def _names(client: PrefectClient, slug: str) -> list[str]:
    try:
        documents = await asked(client.read_block_documents_by_type, slug, include_secrets=False)
    except PrefectHTTPStatusError as error:
        if error.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        return []  # the type of block was never registered
    return [document.name for document in documents if document.name]
