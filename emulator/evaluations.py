"""`/evaluations`."""

from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from emulator.addresses import path_in
from emulator.base_models import LOCALES, BaseModel, find_model, is_deprecated
from emulator.bodies import NewEvaluation, Patch, ReferenceBody
from emulator.calls import Call, Calls, require_locale
from emulator.entities import CustomModel, DatasetKind, Evaluation, Noun, Status, Transcription
from emulator.errors import invalid
from emulator.evaluation_job import transcriptions_of
from emulator.files import add_file_routes
from emulator.models import require_dataset
from emulator.paging import Paging
from emulator.scoring import unknown_properties

router = APIRouter()


@router.get("/evaluations/locales")
async def list_locales(call: Calls) -> JSONResponse:
    """Locales that models can be evaluated in."""
    return JSONResponse(list(LOCALES))


@router.get("/evaluations")
async def list_evaluations(call: Calls, page: Paging) -> JSONResponse:
    """A page of evaluations."""
    return call.answer_page(Evaluation, page)


@router.post("/evaluations")
async def create(call: Calls, body: NewEvaluation) -> JSONResponse:
    """A new evaluation; both models start to decode."""
    require_locale(body.locale)
    models = [require_model(call, body.model1, body.locale, "model1")]
    models.append(require_model(call, body.model2, body.locale, "model2"))
    dataset = require_dataset(call, body.dataset, "dataset")
    if dataset.kind is not DatasetKind.ACOUSTIC or dataset.locale != body.locale:
        message = f"An evaluation needs a dataset of audio with transcripts (Acoustic) in {body.locale}."
        raise invalid("InvalidDataset", message, "dataset")
    references = {"model1": models[0].path, "model2": models[1].path, "dataset": dataset.path}
    evaluation = call.new(Evaluation, body, **references, properties=unknown_properties())
    call.start(evaluation)
    return call.created(evaluation)


@router.get("/evaluations/{evaluation_id}")
async def get(call: Calls, evaluation_id: UUID) -> JSONResponse:
    """One evaluation."""
    return call.answer(call.find(Evaluation, evaluation_id))


@router.patch("/evaluations/{evaluation_id}")
async def update(call: Calls, evaluation_id: UUID, body: Patch) -> JSONResponse:
    """Rename or describe an evaluation."""
    evaluation = call.update(call.find(Evaluation, evaluation_id), body)
    call.store.save(evaluation)
    return call.answer(evaluation)


@router.delete("/evaluations/{evaluation_id}")
async def delete(call: Calls, evaluation_id: UUID) -> Response:
    """Delete an evaluation and the transcriptions that it made."""
    answer = call.delete(Evaluation, evaluation_id)
    for transcription in transcriptions_of(str(evaluation_id)):
        call.delete(Transcription, UUID(transcription))
    return answer


add_file_routes(router, Evaluation)


def require_model(call: Call, reference: ReferenceBody, locale: str, target: str) -> BaseModel | CustomModel:
    """The model that a body refers to, when it can recognise this locale now."""
    path = path_in(reference.address, Noun.MODELS)
    model = find_model(call.store, path) if path else None
    if model is None:
        raise invalid("InvalidModel", "The referenced model does not exist.", target)
    if model.status is not Status.SUCCEEDED:
        state = "failed" if model.status is Status.FAILED else "hasn't finished yet"
        raise invalid("InvalidModel", f"The training of the model {model.id} {state}.", target)
    if model.locale != locale:
        raise invalid("ModelMismatch", f"The model {model.id} has another locale than {locale}.", target)
    if is_deprecated(model, call.service.clock()):
        message = "The specified model is deprecated and cannot be used for this operation."
        raise invalid("ModelDeprecated", message, target)
    return model
