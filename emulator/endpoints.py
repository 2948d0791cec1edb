"""`/endpoints`."""

from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from emulator.addresses import path_in
from emulator.base_models import LOCALES, BaseModel, default_base_model, find_model
from emulator.bodies import EndpointPatch, NewEndpoint, ReferenceBody
from emulator.calls import Call, Calls, require_locale
from emulator.entities import CustomModel, Endpoint, Noun, Status
from emulator.errors import conflict, invalid
from emulator.evaluations import require_model
from emulator.paging import Paging

router = APIRouter()


@router.get("/endpoints/locales")
async def list_locales(call: Calls) -> JSONResponse:
    """Locales that endpoints can have."""
    return JSONResponse(list(LOCALES))


@router.get("/endpoints")
async def list_endpoints(call: Calls, page: Paging) -> JSONResponse:
    """A page of endpoints."""
    return call.answer_page(Endpoint, page)


@router.post("/endpoints")
async def create(call: Calls, body: NewEndpoint) -> JSONResponse:
    """A new endpoint; it answers once its model is loaded."""
    require_locale(body.locale)
    model = _deployable(call, body.model, body.locale) if body.model else default_base_model(call.store, body.locale)
    properties = {"loggingEnabled": body.properties.logging_enabled}
    endpoint = call.new(Endpoint, body, model=model.path, properties=properties)
    call.start(endpoint)
    return call.created(endpoint)


@router.get("/endpoints/{endpoint_id}")
async def get(call: Calls, endpoint_id: UUID) -> JSONResponse:
    """One endpoint."""
    return call.answer(call.find(Endpoint, endpoint_id))


@router.patch("/endpoints/{endpoint_id}")
async def update(call: Calls, endpoint_id: UUID, body: EndpointPatch) -> JSONResponse:
    """Rename an endpoint, or give it another model: the one before answers until the new one is loaded."""
    endpoint = call.update(call.find(Endpoint, endpoint_id), body)
    logging = body.properties.content_logging_enabled
    if logging is not None:
        endpoint = endpoint.with_properties(loggingEnabled=logging)
    if body.model is None:
        call.store.save(endpoint)
        return call.answer(endpoint)
    if not endpoint.status.is_final:
        raise conflict("EndpointNotUpdatable", "The endpoint is being updated; change its model afterwards.")
    model = _deployable(call, body.model, endpoint.locale)
    endpoint = endpoint.model_copy(update={"model": model.path}).with_properties(error=None)
    endpoint = endpoint.at(Status.NOT_STARTED, call.service.clock())
    call.start(endpoint)
    return call.answer(endpoint)


@router.delete("/endpoints/{endpoint_id}")
async def delete(call: Calls, endpoint_id: UUID) -> Response:
    """Delete an endpoint; unlike the other nouns, an unknown one is an error."""
    call.find(Endpoint, endpoint_id)
    return call.delete(Endpoint, endpoint_id)


def _deployable(call: Call, reference: ReferenceBody, locale: str) -> BaseModel | CustomModel:
    path = path_in(reference.address, Noun.MODELS)
    model = find_model(call.store, path) if path else None
    if model and model.status is Status.FAILED:
        raise invalid("DeployingFailedModel", f"The training of the model {model.id} failed.", "model")
    if model and model.status is not Status.SUCCEEDED:
        raise invalid("ModelNotDeployable", f"The training of the model {model.id} hasn't finished yet.", "model")
    return require_model(call, reference, locale, "model")
