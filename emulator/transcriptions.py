"""`/transcriptions`: for now those that evaluations make."""

from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from emulator.bodies import Patch
from emulator.calls import Calls
from emulator.entities import Transcription
from emulator.files import add_file_routes
from emulator.paging import Paging

router = APIRouter()


@router.get("/transcriptions/locales")
async def list_locales(call: Calls) -> JSONResponse:
    """Locales by operation; neither operation is there yet."""
    return JSONResponse({"Transcribe": [], "Submit": []})


@router.get("/transcriptions")
async def list_transcriptions(call: Calls, page: Paging) -> JSONResponse:
    """A page of transcriptions."""
    return call.answer_page(Transcription, page)


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
