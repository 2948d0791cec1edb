"""Short audio: POST a clip, get the text from the model that is live on the endpoint (`cid`), or from the base model.

The form is that of Azure's "Speech to text REST API for short audio", on the same host as the rest.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from emulator import work
from emulator.audio import UnsupportedAudio, read_wav
from emulator.auth import ServiceOf, require_key
from emulator.base_models import default_base_model, recipe_key_of
from emulator.calls import require_locale
from emulator.entities import Endpoint
from emulator.errors import JobFailure, ServiceError, invalid, not_found
from emulator.results import ticks
from emulator.service import Service

MAX_SECONDS = 60
MAX_BYTES = MAX_SECONDS * 16_000 * 2 + 4096
SILENCE_PEAK = 200
"""Largest 16-bit sample of a clip that counts as silent; Azure's own rule is not published."""

router = APIRouter(dependencies=[Depends(require_key)])
Mode = Literal["conversation", "interactive", "dictation"]


@router.post("/speech/recognition/{mode}/cognitiveservices/v1")
async def recognise(
    service: ServiceOf,
    request: Request,
    mode: Mode,
    language: Annotated[str, Query()],
    cid: Annotated[UUID | None, Query()] = None,
    format: Annotated[Literal["simple", "detailed"], Query()] = "simple",  # noqa: A002  Azure's name
) -> JSONResponse:
    """Recognise a WAV of at most 60 seconds: 8 or 16 kHz, mono, 16-bit PCM."""
    require_locale(language)
    model = _live_model(service, cid, language)
    wav = await _clip(request)
    try:
        recipe_key = recipe_key_of(service.store, model)
        recognition = await service.pool.run_now(work.recognise, service.place, recipe_key, wav)
    except JobFailure as failure:
        raise ServiceError(500, failure.message) from failure
    service.store.count("recognitions")
    if not recognition["lexical"]:
        return JSONResponse(_silence(wav, recognition))
    return JSONResponse(_detailed(recognition) if format == "detailed" else _simple(recognition))


def _live_model(service: Service, cid: UUID | None, language: str) -> str:
    if cid is None:
        return default_base_model(language).path
    endpoint = service.store.find(Endpoint, str(cid))
    if endpoint is None or endpoint.live_model is None:
        raise not_found("endpoint (cid)" if endpoint is None else "model: the endpoint is not deployed yet; its model")
    if endpoint.locale != language:
        raise invalid("InvalidLocale", f"The endpoint is for {endpoint.locale}.", "language")
    return endpoint.live_model


async def _clip(request: Request) -> bytes:
    if not request.headers.get("content-type", "audio/wav").startswith("audio/"):
        raise ServiceError(415, "The content type must be audio/wav; codecs=audio/pcm; samplerate=16000 (or 8000).")
    wav = bytearray()
    async for chunk in request.stream():
        wav += chunk
        if len(wav) > MAX_BYTES:
            raise invalid("AudioLengthLimitExceeded", f"At most {MAX_SECONDS} seconds of audio can be recognised.")
    _check(bytes(wav))
    return bytes(wav)


def _check(wav: bytes) -> None:
    if not wav:
        raise invalid("EmptyAudioFile", "The request has no audio.")
    try:
        seconds = read_wav(wav).seconds
    except UnsupportedAudio as error:
        raise invalid("InvalidAudioFormat", f"The audio cannot be recognised: {error.reason}.") from error
    if seconds > MAX_SECONDS:
        raise invalid("AudioLengthLimitExceeded", f"At most {MAX_SECONDS} seconds of audio can be recognised.")


def _simple(recognition: dict[str, Any]) -> dict[str, Any]:
    return {"RecognitionStatus": "Success", "DisplayText": recognition["display"], **_span(recognition)}


def _detailed(recognition: dict[str, Any]) -> dict[str, Any]:
    lexical = recognition["lexical"]
    best = {
        "Confidence": round(recognition["confidence"], 4),
        "Lexical": lexical,
        "ITN": lexical,
        "MaskedITN": lexical,
        "Display": recognition["display"],
    }
    return {**_simple(recognition), "NBest": [best]}


def _silence(wav: bytes, recognition: dict[str, Any]) -> dict[str, Any]:
    is_silent = bool(abs(read_wav(wav).pcm.astype(int)).max() < SILENCE_PEAK)
    status = "InitialSilenceTimeout" if is_silent else "NoMatch"
    return {"RecognitionStatus": status, "Offset": 0, "Duration": ticks(recognition["duration_seconds"])}


def _span(recognition: dict[str, Any]) -> dict[str, int]:
    words = recognition["words"]
    start = words[0]["offset_seconds"] if words else 0.0
    end = words[-1]["offset_seconds"] + words[-1]["duration_seconds"] if words else recognition["duration_seconds"]
    return {"Offset": ticks(start), "Duration": ticks(end - start)}
