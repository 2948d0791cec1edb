"""Short audio: POST a clip, get the text from the model that is live on the endpoint (`cid`), or from the base model.

The form is that of Azure's "Speech to text REST API for short audio", on the same host as the rest.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from emulator import work
from emulator.audio import ACCEPTED_RATES, UnsupportedAudio, read_wav
from emulator.auth import ServiceOf, require_access
from emulator.base_models import default_base_model, find_model, is_deprecated, recipe_key_of
from emulator.calls import require_locale
from emulator.entities import Endpoint
from emulator.errors import JobFailure, ServiceError, invalid, not_found
from emulator.presentation import Presentation, ProfanityFilterMode
from emulator.results import ticks
from emulator.service import Service

MAX_SECONDS = 60
MAX_BYTES = MAX_SECONDS * 16_000 * 2 + 4096
SILENCE_PEAK = 200
"""Largest 16-bit sample of a clip that counts as silent; Azure's own rule is not published."""

router = APIRouter(dependencies=[Depends(require_access)])
Mode = Literal["conversation", "interactive", "dictation"]
Profanity = Literal["masked", "removed", "raw"]
PROFANITY_MODES = {
    "masked": ProfanityFilterMode.MASKED,
    "removed": ProfanityFilterMode.REMOVED,
    "raw": ProfanityFilterMode.NONE,
}
WAV_TYPES = {"audio/wav", "audio/wave", "audio/x-wav"}
PCM_CODECS = {"audio/pcm", "pcm"}
RATES = {str(rate) for rate in ACCEPTED_RATES}


@router.post("/speech/recognition/{mode}/cognitiveservices/v1")
async def recognise(
    service: ServiceOf,
    request: Request,
    mode: Mode,
    language: Annotated[str, Query()],
    cid: Annotated[UUID | None, Query()] = None,
    format: Annotated[Literal["simple", "detailed"], Query()] = "simple",  # noqa: A002  Azure's name
    profanity: Annotated[Profanity, Query()] = "masked",
) -> JSONResponse:
    """Recognise a WAV of at most 60 seconds: 8 or 16 kHz, mono, 16-bit PCM."""
    require_locale(language)
    _check_type(request.headers.get("content-type", ""))
    service.drop_outlived()
    model = _live_model(service, cid, language)
    try:
        with service.recognitions.one(str(cid or "base models")):
            wav = await _clip(request)
            recipe_key = recipe_key_of(service.store, model)
            recognition = await service.pool.run_now(work.recognise, service.place, recipe_key, wav)
    except JobFailure as failure:
        raise ServiceError(500, failure.message) from failure
    service.store.count("recognitions")
    shown = Presentation(profanity=PROFANITY_MODES[profanity])
    if not any(letter.isalnum() for letter in shown.display(recognition)):  # "only profanity … removed": no result
        return JSONResponse(_silence(wav, recognition))
    return JSONResponse(_detailed(recognition, shown) if format == "detailed" else _simple(recognition, shown))


def _live_model(service: Service, cid: UUID | None, language: str) -> str:
    if cid is None:
        return default_base_model(service.store, language).path
    endpoint = service.store.find(Endpoint, str(cid))
    if endpoint is None or endpoint.live_model is None:
        raise not_found("endpoint (cid)" if endpoint is None else "model: the endpoint is not deployed yet; its model")
    if endpoint.locale != language:
        raise invalid("InvalidLocale", f"The endpoint is for {endpoint.locale}.", "language")
    return _unexpired(service, endpoint)


def _unexpired(service: Service, endpoint: Endpoint) -> str:
    """The endpoint's model; once that is too old, the newest base model, and nobody is told.

    Source: azure-ai-docs, how-to-custom-speech-model-and-endpoint-lifecycle, "expired models".
    """
    assert endpoint.live_model is not None  # noqa: S101  checked by the caller
    model = find_model(service.store, endpoint.live_model)
    if model is not None and is_deprecated(model, service.clock()):
        return default_base_model(service.store, endpoint.locale).path
    return endpoint.live_model


def _check_type(content_type: str) -> None:
    """Refuse what is not declared as PCM in WAV. Azure also takes `audio/ogg; codecs=opus`; this service does not."""
    kind, *given = [part.strip().lower() for part in content_type.split(";")]
    parameters = dict(one.replace(" ", "").partition("=")[::2] for one in given)
    codec, rate = parameters.get("codecs", "audio/pcm").strip('"'), parameters.get("samplerate", "16000").strip('"')
    if kind not in WAV_TYPES or codec not in PCM_CODECS or rate not in RATES:
        message = "The content type must be audio/wav; codecs=audio/pcm; samplerate=16000 (or 8000)."
        raise ServiceError(415, message, detail="InvalidAudioFormat", target="Content-Type")


async def _clip(request: Request) -> bytes:
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


def _simple(recognition: dict[str, Any], shown: Presentation) -> dict[str, Any]:
    return {"RecognitionStatus": "Success", "DisplayText": shown.display(recognition), **_span(recognition)}


def _detailed(recognition: dict[str, Any], shown: Presentation) -> dict[str, Any]:
    forms = shown.forms(recognition)
    best = {
        "Confidence": round(recognition["confidence"], 4),
        "Lexical": forms["lexical"],
        "ITN": forms["itn"],
        "MaskedITN": forms["maskedITN"],
        "Display": forms["display"],
    }
    return {**_simple(recognition, shown), "NBest": [best]}


def _silence(wav: bytes, recognition: dict[str, Any]) -> dict[str, Any]:
    is_silent = bool(abs(read_wav(wav).pcm.astype(int)).max() < SILENCE_PEAK)
    status = "InitialSilenceTimeout" if is_silent else "NoMatch"
    return {"RecognitionStatus": status, "Offset": 0, "Duration": ticks(recognition["duration_seconds"])}


def _span(recognition: dict[str, Any]) -> dict[str, int]:
    words = recognition["words"]
    start = words[0]["offset_seconds"] if words else 0.0
    end = words[-1]["offset_seconds"] + words[-1]["duration_seconds"] if words else recognition["duration_seconds"]
    return {"Offset": ticks(start), "Duration": ticks(end - start)}
