"""Import of a dataset: fetch the data when they are elsewhere, then read them in a worker."""

from collections.abc import Callable
from functools import partial

from emulator.entities import Dataset
from emulator.fetching import fetch
from emulator.import_order import Imported, ImportOrder
from emulator.importing import import_dataset
from emulator.service import Service

BLOCKS_CONTENT = "content"


async def run(service: Service, dataset: Dataset) -> Callable[[Dataset], Dataset]:
    """Import; the entity gets its counts, files and recordings."""
    source = service.upload_of(dataset.id) / BLOCKS_CONTENT
    if dataset.content_url is not None:
        await fetch(dataset.content_url, source, service.settings)
    service.limits.check_size(dataset.kind, source.stat().st_size)
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
