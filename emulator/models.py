"""`/models` and `/models/base`."""

from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from emulator.addresses import path_in
from emulator.base_models import (
    FEATURES_OF_CUSTOM_MODELS,
    LOCALES,
    BaseModel,
    custom_model_expiry,
    default_base_model,
    find_model,
    offered_base_models,
)
from emulator.bodies import NewModel, Patch, ReferenceBody
from emulator.calls import Call, Calls, require_locale
from emulator.entities import CustomModel, Dataset, DatasetKind, Noun, Status, id_in
from emulator.errors import invalid, not_found
from emulator.files import add_file_routes
from emulator.filters import COMMON
from emulator.paging import Paging

router = APIRouter()
NOT_ADAPTABLE = {DatasetKind.LANGUAGE_MARKDOWN: "UnsupportedClassBasedAdaptation"}
"""Kinds of dataset with a code of their own when a base model does not support them (our guess from its name)."""


@router.get("/models/locales")
async def list_locales(call: Calls) -> JSONResponse:
    """Locales that models can be trained for."""
    return JSONResponse(list(LOCALES))


@router.get("/models/base")
async def list_base_models(call: Calls, page: Paging) -> JSONResponse:
    """A page of base models."""
    offered = sorted(offered_base_models(call.store).values(), key=lambda model: model.id)
    values, more = page.of(offered, call.addresses.body_of, COMMON)
    return JSONResponse(page.body(values, more, call.addresses, "/speechtotext/models/base"))


@router.get("/models/base/{model_id}")
async def get_base_model(call: Calls, model_id: UUID) -> JSONResponse:
    """One base model."""
    base_model = offered_base_models(call.store).get(str(model_id))
    if base_model is None:
        raise not_found("base model")
    return call.answer(base_model)


@router.get("/models")
async def list_custom_models(call: Calls, page: Paging) -> JSONResponse:
    """A page of custom models."""
    return call.answer_page(CustomModel, page)


@router.post("/models")
async def create(call: Calls, body: NewModel) -> JSONResponse:
    """A new custom model; training starts."""
    require_locale(body.locale)
    base_model = _base_model(call, body)
    datasets = [_dataset(call, reference, base_model) for reference in body.datasets]
    if not datasets:
        raise invalid("MissingInputRecords", "A model is trained with at least one dataset.", "datasets")
    _refuse_combination(datasets)
    expiry = custom_model_expiry(call.service.clock())
    properties = {
        "deprecationDates": {"transcriptionDateTime": f"{expiry:%Y-%m-%dT%H:%M:%SZ}"},
        "features": FEATURES_OF_CUSTOM_MODELS,
    }
    if body.properties.custom_model_weight_percent is not None:
        properties["customModelWeightPercent"] = body.properties.custom_model_weight_percent
    paths = list(dict.fromkeys(dataset.path for dataset in datasets))
    model = call.new(CustomModel, body, base_model=base_model.path, datasets=paths, properties=properties)
    call.start(model)
    return call.created(model)


@router.get("/models/{model_id}")
async def get(call: Calls, model_id: UUID) -> JSONResponse:
    """One custom model."""
    return call.answer(call.find(CustomModel, model_id))


@router.patch("/models/{model_id}")
async def update(call: Calls, model_id: UUID, body: Patch) -> JSONResponse:
    """Rename or describe a model."""
    model = call.update(call.find(CustomModel, model_id), body)
    call.store.save(model)
    return call.answer(model)


@router.delete("/models/{model_id}")
async def delete(call: Calls, model_id: UUID) -> Response:
    """Delete a model that nothing uses."""
    return call.delete(CustomModel, model_id)


add_file_routes(router, CustomModel)


def _base_model(call: Call, body: NewModel) -> BaseModel:
    if body.base_model is None:
        return default_base_model(call.store, body.locale)
    path = path_in(body.base_model.address, Noun.MODELS)
    base_model = find_model(call.store, path) if path else None
    if not isinstance(base_model, BaseModel) or base_model.locale != body.locale:
        raise invalid("InvalidBaseModel", "The base model isn't valid for this operation.", "baseModel")
    if not base_model.can_be_adapted(call.service.clock()):
        message = "The specified model is deprecated and cannot be used for this operation."
        raise invalid("ModelDeprecated", message, "baseModel")
    return base_model


def _dataset(call: Call, reference: ReferenceBody, base_model: BaseModel) -> Dataset:
    dataset = require_dataset(call, reference, "datasets")
    if dataset.locale != base_model.locale:
        raise invalid("InvalidDataset", f"The dataset {dataset.id} has another locale than the base model.", "datasets")
    if dataset.kind not in base_model.properties["features"]["supportsAdaptationsWith"]:
        code = NOT_ADAPTABLE.get(dataset.kind, "InvalidAdaptationMapping")
        raise invalid(code, f"The base model cannot be adapted with a dataset of kind {dataset.kind}.", "datasets")
    return dataset


def _refuse_combination(datasets: list[Dataset]) -> None:
    """Microsoft: "a pronunciation file alongside any other training dataset except structured text"."""
    if {dataset.kind for dataset in datasets} >= {DatasetKind.PRONUNCIATION, DatasetKind.LANGUAGE_MARKDOWN}:
        message = "Pronunciation cannot be combined with LanguageMarkdown; put the words into its phonetic lexicon."
        raise invalid("InvalidAdaptationMapping", message, "datasets")


def require_dataset(call: Call, reference: ReferenceBody, target: str) -> Dataset:
    """The dataset that a body refers to, when it is ready for use."""
    path = path_in(reference.address, Noun.DATASETS)
    dataset = call.store.find(Dataset, id_in(path)) if path else None
    if dataset is None:
        raise invalid("InvalidDataset", "The referenced dataset does not exist.", target)
    if dataset.status is Status.FAILED:
        raise invalid("FailedDataset", f"The import of the dataset {dataset.id} failed; it cannot be used.", target)
    if dataset.status is not Status.SUCCEEDED:
        raise invalid("InvalidDataset", f"The import of the dataset {dataset.id} hasn't finished yet.", target)
    return dataset
