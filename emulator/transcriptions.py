"""`/transcriptions`: batches that are submitted, and those that evaluations make."""

from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from emulator.base_models import LOCALES
from emulator.bodies import NewTranscription, Patch
from emulator.calls import Calls
from emulator.entities import Transcription
from emulator.files import add_file_routes
from emulator.paging import Paging
from emulator.retention import forget_expired
from emulator.submitting import transcription_of

router = APIRouter(dependencies=[Depends(forget_expired)])


@router.get("/transcriptions/locales")
async def list_locales(call: Calls) -> JSONResponse:
    """Locales by operation."""
    return JSONResponse({"Transcribe": list(LOCALES), "Submit": list(LOCALES)})


@router.get("/transcriptions")
async def list_transcriptions(call: Calls, page: Paging) -> JSONResponse:
    """A page of transcriptions."""
    return call.answer_page(Transcription, page)


@router.post("/transcriptions:submit")
async def submit(call: Calls, body: NewTranscription) -> JSONResponse:
    """A new batch; its recordings are transcribed one by one."""
    call.service.limits.require_transcriptions()
    transcription = transcription_of(call, body)
    call.start(transcription)
    return call.created(transcription)


@router.get("/transcriptions/{transcription_id}")
async def get(call: Calls, transcription_id: UUID) -> JSONResponse:
    """One transcription."""
    return call.answer(call.find(Transcription, transcription_id))


@router.patch("/transcriptions/{transcription_id}")
async def update(call: Calls, transcription_id: UUID, body: Patch) -> JSONResponse:
    """Rename or describe a transcription."""
    transcription = call.update(call.find(Transcription, transcription_id), body)
    call.store.save(transcription)
    return call.answer(transcription)


@router.delete("/transcriptions/{transcription_id}")
async def delete(call: Calls, transcription_id: UUID) -> Response:
    """Delete a transcription."""
    return call.delete(Transcription, transcription_id)


add_file_routes(router, Transcription)
