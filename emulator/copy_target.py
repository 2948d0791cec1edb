"""The target's side of a model copy: the emulator's own route on which a source delivers a model.

It takes no key: an authorization opens it, whose id is unguessable, looked up by its hash, bound to the named source,
good until it expires, and for the one operation that uses it first.
"""

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse

from emulator import work
from emulator.artifacts import Shelf
from emulator.auth import ServiceOf
from emulator.base_models import FEATURES_OF_CUSTOM_MODELS, custom_model_expiry, offered_base_models
from emulator.copy_parcel import CopiedModel, unpack
from emulator.entities import CustomModel, FileKind, Status, id_in
from emulator.errors import JobFailure, ServiceError, conflict, invalid
from emulator.service import Service

RECEIVING_PATH = "/_emulator/copied-models"
AUTHORIZATION_HEADER = "Copy-Authorization"
MAX_BYTES = 256 * 1024**2
open_routes = APIRouter()


def key_of(authorization: str) -> str:
    """Under which an authorization is kept: the hash of its id, so that the time of a look-up tells nothing of it."""
    return sha256(authorization.encode()).hexdigest()


@open_routes.put(RECEIVING_PATH + "/{operation_id}")
async def receive(
    service: ServiceOf,
    request: Request,
    operation_id: UUID,
    authorization: Annotated[str, Header(alias=AUTHORIZATION_HEADER)] = "",
    source: Annotated[str, Query(alias="sourceResourceId")] = "",
) -> JSONResponse:
    """Build the model that is sent; the same operation again gives the same model."""
    key, operation = key_of(authorization), str(operation_id)
    made = _admit(service, key, operation, source)
    if made is None:
        made = await _build(service, request, key, operation)
    elif service.store.find(CustomModel, made) is None:
        raise conflict("InvalidModel", "The model of this copy has been deleted.")
    return JSONResponse({"model": made})


def _admit(service: Service, key: str, operation: str, source: str) -> str | None:
    """Let an operation in, and remember it; the result is the model that it has made already.

    Raises:
        ServiceError: the authorization is none, for another source, expired, or used by another operation.
    """
    found = service.store.copy_authorization(key)
    if found is None:
        raise ServiceError(403, "The authorization to copy is not known.", detail="InvalidPermissions")
    document, used_by, model = found
    if document["sourceResourceId"].casefold() != source.casefold():
        raise invalid("InvalidSourceAzureResourceId", "The authorization is for another source.")
    if used_by not in (None, operation):
        raise conflict("ModelExists", "The authorization was used for another copy.")
    if used_by is None and service.clock() >= datetime.fromisoformat(document["expirationDateTime"]):
        raise invalid("ModelCopyAuthorizationExpired", "The authorization to copy has expired.")
    service.store.use_copy_authorization(key, operation, model)
    return model


async def _build(service: Service, request: Request, key: str, operation: str) -> str:
    parcel = service.upload_of(f"copy-{operation}-{id(request):x}")
    try:
        await _save(request, parcel)
        copied = await service.pool.run(unpack, service.place, parcel)
        if id_in(copied.base_model) not in offered_base_models(service.store):
            raise invalid("InvalidBaseModel", "The base model does not exist here.")
        report = service.store.training_report(copied.recipe_key)
        if report is None:
            report = await service.pool.run(work.train, service.place, copied.recipe_key)
    except JobFailure as failure:
        raise invalid("InvalidPayload", failure.message) from failure
    finally:
        parcel.unlink(missing_ok=True)
    return _keep(service, key, operation, copied, report)


async def _save(request: Request, path: Path) -> None:
    size = 0
    with path.open("wb") as stream:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BYTES:
                raise invalid("InvalidPayload", f"A copied model has at most {MAX_BYTES // 1024**2} MB.")
            stream.write(chunk)


def _keep(service: Service, key: str, operation: str, copied: CopiedModel, report: dict[str, Any]) -> str:
    """Make the entity, unless another delivery of this operation was quicker."""
    with service.store.transaction():
        found = service.store.copy_authorization(key)
        if found and found[2]:
            return found[2]
        model = _entity(copied, service.clock())
        shelf = Shelf(service.data, model.id, service.clock())
        service.store.save(model)
        service.store.set_files(model.id, [shelf.put_json("report.json", FileKind.MODEL_REPORT, report)])
        service.store.add_training(copied.recipe_key, report)
        service.store.use_copy_authorization(key, operation, model.id)
        return model.id


def _entity(copied: CopiedModel, now: datetime) -> CustomModel:
    """The model as it is here: without datasets, which are not copied, and not longer usable than at its source."""
    ends = min(copied.expires, custom_model_expiry(now))
    properties: dict[str, Any] = {
        "deprecationDates": {"transcriptionDateTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}"},
        "features": FEATURES_OF_CUSTOM_MODELS,
    }
    if copied.weight_percent is not None:
        properties["customModelWeightPercent"] = copied.weight_percent
    return CustomModel(
        id=str(uuid4()),
        display_name=copied.display_name,
        description=copied.description,
        custom_properties=copied.custom_properties,
        locale=copied.locale,
        status=Status.SUCCEEDED,
        created_date_time=now,
        last_action_date_time=now,
        base_model=copied.base_model,
        datasets=[],
        recipe_key=copied.recipe_key,
        properties=properties,
    )
