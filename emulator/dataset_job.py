"""Import of a dataset: fetch the data when they are elsewhere, then read them in a worker."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from emulator.entities import Dataset
from emulator.errors import JobFailure
from emulator.importing import Imported, ImportOrder, import_dataset
from emulator.service import Service

MAX_DOWNLOAD_BYTES = 2 * 1024**3
TIMEOUT = httpx.Timeout(30.0)
BLOCKS_CONTENT = "content"


async def run(service: Service, dataset: Dataset) -> Callable[[Dataset], Dataset]:
    """Import; the entity gets its counts, files and recordings."""
    source = service.upload_of(dataset.id) / BLOCKS_CONTENT
    if dataset.content_url is not None:
        await _fetch(dataset.content_url, source)
    order = ImportOrder(service.data, dataset.id, dataset.kind, source, service.clock())
    imported = await service.pool.run(import_dataset, order)
    return partial(_finished, service, imported)


def _finished(service: Service, imported: Imported, dataset: Dataset) -> Dataset:
    service.store.set_files(dataset.id, imported.files)
    service.store.set_recordings(dataset.id, imported.recordings)
    service.store.count("imports")
    return dataset.with_properties(
        acceptedLineCount=imported.accepted,
        rejectedLineCount=len(imported.rejected),
        durationMilliseconds=round(imported.seconds * 1000),
        error=None,
    )


async def _fetch(url: str, target: Path) -> None:
    """Download with plain GET, as Azure does; messages never quote the address, for it may hold a SAS."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=True) as client,
            client.stream("GET", url) as response,
        ):
            await _save(response, target)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise JobFailure("DataImportFailed", f"The contentUrl cannot be read: {type(error).__name__}.") from None


async def _save(response: httpx.Response, target: Path) -> None:
    if response.status_code != httpx.codes.OK:
        raise JobFailure("DataImportFailed", f"The contentUrl cannot be read: it answers {response.status_code}.")
    size = 0
    with target.open("wb") as stream:
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_DOWNLOAD_BYTES:
                raise JobFailure("DataImportFailed", f"The data are larger than {MAX_DOWNLOAD_BYTES // 1024**3} GB.")
            stream.write(chunk)
