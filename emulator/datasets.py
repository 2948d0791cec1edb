"""`/datasets`."""

from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from emulator.base_models import LOCALES
from emulator.bodies import NewDataset, Patch
from emulator.calls import Calls, require_locale
from emulator.entities import Dataset, DatasetKind
from emulator.errors import invalid
from emulator.files import add_file_routes
from emulator.filters import OF_DATASETS
from emulator.importing import IMPORTERS
from emulator.paging import Paging

router = APIRouter()


@router.get("/datasets/locales")
async def list_locales(call: Calls) -> JSONResponse:
    """Locales by kind of dataset."""
    return JSONResponse({kind.value: list(LOCALES) if kind in IMPORTERS else [] for kind in DatasetKind})


@router.get("/datasets")
async def list_datasets(call: Calls, page: Paging) -> JSONResponse:
    """A page of datasets."""
    return call.answer_page(Dataset, page, OF_DATASETS)


@router.post("/datasets")
async def create(call: Calls, body: NewDataset) -> JSONResponse:
    """A new dataset: from `contentUrl` the import starts now, otherwise when its blocks are committed."""
    call.service.limits.require_room(call.store)
    require_locale(body.locale)
    if body.kind not in IMPORTERS:
        raise invalid("InvalidLocale", f"Datasets of kind {body.kind} are not supported for {body.locale}.", "kind")
    if body.content_url is not None and urlsplit(body.content_url).scheme not in ("http", "https"):
        raise invalid("InvalidPayload", "contentUrl must be an http or https address.", "contentUrl")
    options = {"textNormalizationKind": body.properties.text_normalization_kind.value}
    by_address = body.content_url is not None
    fields = {"kind": body.kind, "content_url": body.content_url, "committed": by_address, "properties": options}
    dataset = call.new(Dataset, body, **fields)
    if by_address:
        call.start(dataset)
    else:
        call.store.save(dataset)
    return call.created(dataset)


@router.get("/datasets/{dataset_id}")
async def get(call: Calls, dataset_id: UUID) -> JSONResponse:
    """One dataset."""
    return call.answer(call.find(Dataset, dataset_id))


@router.patch("/datasets/{dataset_id}")
async def update(call: Calls, dataset_id: UUID, body: Patch) -> JSONResponse:
    """Rename or describe a dataset."""
    dataset = call.update(call.find(Dataset, dataset_id), body)
    call.store.save(dataset)
    return call.answer(dataset)


@router.delete("/datasets/{dataset_id}")
async def delete(call: Calls, dataset_id: UUID) -> Response:
    """Delete a dataset that nothing uses."""
    return call.delete(Dataset, dataset_id)


add_file_routes(router, Dataset)
