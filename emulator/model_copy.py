"""Copying a custom model to another resource: authorised there, ordered here, watched as an operation.

How long an authorization lasts, and that it is good for one model, Azure leaves undocumented: both are our guess.
"""

import re
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from emulator.base_models import is_deprecated, offered_base_models
from emulator.bodies import CopyAuthorization, NewCopyAuthorization
from emulator.calls import Call, Calls
from emulator.copy_target import key_of
from emulator.entities import CustomModel, ModelCopy, Status
from emulator.errors import ServiceError, invalid
from emulator.settings import AZURE_RESOURCE_ID

LIFETIME = timedelta(hours=24)
router = APIRouter()


@router.post("/models:authorizecopy")
async def authorize(call: Calls, body: NewCopyAuthorization) -> JSONResponse:
    """Let another resource copy one model to this one."""
    if not re.fullmatch(AZURE_RESOURCE_ID, body.source_resource_id, re.IGNORECASE):
        raise _foreign_source("sourceResourceId is not the Azure Resource ID of a speech resource.")
    settings, expires = call.service.settings, call.service.clock() + LIFETIME
    document = {
        "targetResourceRegion": settings.region,
        "targetResourceId": settings.resource_id,
        "targetResourceEndpoint": call.addresses.base,
        "sourceResourceId": body.source_resource_id,
        "expirationDateTime": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
    }
    secret = str(uuid4())  # 122 random bits: who knows them may copy
    call.store.add_copy_authorization(key_of(secret), document)
    return JSONResponse({**document, "id": secret})


@router.post("/models/{model_id}:copy")
async def copy(call: Calls, model_id: UUID, body: CopyAuthorization) -> JSONResponse:
    """Start to copy a model to the resource that gave the authorization."""
    model = _copyable(call, model_id)
    if body.source_resource_id.casefold() != call.service.settings.resource_id.casefold():
        raise _foreign_source("The authorization is for another source than this resource.")
    now = call.service.clock()
    if now >= body.expiration_date_time:
        message = "The authorization to copy has expired; the target resource can give another one."
        raise invalid("ModelCopyAuthorizationExpired", message, "expirationDateTime")
    target = _base_of(body.target_resource_endpoint)
    fields = {"model": model.path, "target": target, "authorization": body.id}
    operation = ModelCopy(id=str(uuid4()), created_date_time=now, last_action_date_time=now, **fields)
    call.start(operation)
    headers = {
        "Operation-Location": call.addresses.of(operation.path),
        "Retry-After": str(call.service.settings.retry_after),
    }
    return JSONResponse(call.addresses.body_of(operation), status_code=202, headers=headers)


@router.get("/operations/models/copy/{operation_id}")
async def get_operation(call: Calls, operation_id: UUID) -> JSONResponse:
    """How far the copy is."""
    return call.answer(call.find(ModelCopy, operation_id))


def _copyable(call: Call, model_id: UUID) -> CustomModel:
    if str(model_id) in offered_base_models(call.store):
        raise invalid("InvalidModel", "Only custom models can be copied.", "id")
    model = call.find(CustomModel, model_id)
    if model.status is not Status.SUCCEEDED or model.recipe_key is None:
        raise invalid("InvalidModel", "Only a model whose training has succeeded can be copied.", "id")
    if is_deprecated(model, call.service.clock()):
        message = "The specified model is deprecated and cannot be used for this operation."
        raise invalid("ModelDeprecated", message, "id")
    return model


def _base_of(endpoint: str) -> str:
    """Where the target is, without what may follow its host (Microsoft's example has the path of an operation there)."""
    try:
        parts = urlsplit(endpoint)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or parts.username is not None or parts.password is not None:
        message = "targetResourceEndpoint must be an http or https address without user information."
        raise invalid("InvalidPayload", message, "targetResourceEndpoint")
    return f"{parts.scheme}://{parts.netloc}"


def _foreign_source(message: str) -> ServiceError:
    return invalid("InvalidSourceAzureResourceId", message, "sourceResourceId")
