"""`/models/{id}/manifest`: the files of a model, for a place where it runs without the service.

The real manifest is for Microsoft's containers; this one names the files that PocketSphinx loads. They are built from
the model's recipe when they are asked for and have left the cache.
"""

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse, JSONResponse

from emulator import work
from emulator.auth import ServiceOf
from emulator.base_models import BaseModel, offered_base_models, recipe_key_of
from emulator.calls import Call, Calls
from emulator.entities import CustomModel, Status
from emulator.errors import JobFailure, invalid, not_found
from emulator.files import MAX_LIFETIME_MINUTES, denied
from emulator.service import Service
from emulator.training import BASE

router = APIRouter()
contents = APIRouter()

Minutes = Annotated[int, Query(alias="sasLifetimeMinutes")]


@router.get("/models/base/{model_id}/manifest")
async def get_base_model_manifest(call: Calls, model_id: UUID, minutes: Minutes) -> JSONResponse:
    """The files of a base model."""
    base_model = offered_base_models(call.store).get(str(model_id))
    if base_model is None:
        raise not_found("base model")
    return await _manifest(call, base_model, BASE.key, minutes)


@router.get("/models/{model_id}/manifest")
async def get_custom_model_manifest(call: Calls, model_id: UUID, minutes: Minutes) -> JSONResponse:
    """The files of a custom model."""
    model = call.find(CustomModel, model_id)
    if model.status is not Status.SUCCEEDED or model.recipe_key is None:
        raise invalid("InvalidModel", "Only a model whose training has succeeded has a manifest.", "id")
    return await _manifest(call, model, model.recipe_key, minutes)


async def _manifest(call: Call, model: BaseModel | CustomModel, recipe_key: str, minutes: int) -> JSONResponse:
    if not 1 <= minutes <= MAX_LIFETIME_MINUTES:
        message = f"sasLifetimeMinutes must be between 1 and {MAX_LIFETIME_MINUTES}."
        raise invalid("InvalidSasValidityDuration", message, "sasLifetimeMinutes")
    files = await call.service.pool.run(work.model_files, call.service.place, recipe_key)
    lifetime = timedelta(minutes=minutes)
    body = {
        "model": {"self": call.addresses.of(model.path)},
        "modelFiles": [{"name": name, "contentUrl": _address(call, model.id, name, lifetime)} for name in files],
        "properties": {"engine": call.service.settings.engine, "modelsPath": "%MODELSPATH%", "sampleRate": 16_000},
    }
    return JSONResponse(body)


def _address(call: Call, model_id: str, name: str, lifetime: timedelta) -> str:
    query = call.service.signer.query(_signed(model_id, name), call.service.clock(), lifetime)
    return f"{call.addresses.base}/artifacts/models/{model_id}/{quote(name)}?{urlencode(query)}"


def _signed(model_id: str, name: str) -> str:
    return f"{model_id}/{name}"


def _kind(service: Service, model_id: UUID) -> str:
    return "base/" if str(model_id) in offered_base_models(service.store) else ""


@contents.get("/artifacts/models/{model_id}/{name:path}")
async def get_content(service: ServiceOf, model_id: UUID, name: str, se: str = "", sig: str = "") -> Response:
    """The bytes of a model's file, for whoever has a signature."""
    if not service.signer.opens(_signed(str(model_id), name), se, sig, service.clock()):
        return denied()
    try:
        recipe_key = recipe_key_of(service.store, f"/speechtotext/models/{_kind(service, model_id)}{model_id}")
        files = await service.pool.run(work.model_files, service.place, recipe_key)
        return FileResponse(files[name], media_type="application/octet-stream")
    except (JobFailure, KeyError):
        return denied()
