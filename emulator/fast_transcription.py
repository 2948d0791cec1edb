"""`/transcriptions:transcribe`: a recording goes in, the text comes out. Azure calls it fast transcription.

Sources: the specification's `TranscribeDefinition`; azure-ai-docs, fast-transcription-create (channels, speakers).
"""

import json
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from emulator.base_models import LOCALES, BaseModel, default_base_model, recipe_key_of
from emulator.bodies import ReferenceBody, TranscribeDefinition
from emulator.calls import Call, Calls, require_locale
from emulator.entities import CustomModel
from emulator.errors import JobFailure, ServiceError, invalid
from emulator.evaluations import require_model
from emulator.languages import check_known, no_language
from emulator.presentation import Presentation, Recognition, span_of, timed_display_words
from emulator.submitting import check_channels
from emulator.transcribing import MAX_RECORDING_BYTES, Heard, Listening, listen

LONGEST_SECONDS = 2 * 3600.0
MAX_DEFINITION_BYTES = 1024**2
MAX_BODY_BYTES = MAX_RECORDING_BYTES + MAX_DEFINITION_BYTES + 64 * 1024
LOCALE = "definition.locales"

router = APIRouter()


@router.post("/transcriptions:transcribe")
async def transcribe(call: Calls, request: Request) -> JSONResponse:
    """Recognise the recording of a form (`audio`) as its `definition` says; the answer is the result itself."""
    call.service.limits.require_transcriptions()
    async with _form(request) as form:
        definition = _definition(form)
        locale, model = _language(call, definition)
        async with _kept(call, form) as audio:
            heard = await _listened(call, definition, model, audio)
    call.store.count("fast_transcriptions")
    return JSONResponse(_result(heard, definition, locale))


# The form


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    """The parts of the body; a recording beyond a megabyte goes to a temporary file as it arrives."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ServiceError(415, "The content type must be multipart/form-data, with the parts audio and definition.")
    parser = MultiPartParser(
        request.headers, _bounded(request), max_files=2, max_fields=2, max_part_size=MAX_DEFINITION_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        message = "The request body is not multipart/form-data with the parts audio and definition."
        raise invalid("InvalidRequestBodyFormat", message) from error
    try:
        yield form
    finally:
        await form.close()


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            message = f"The audio must be smaller than {MAX_RECORDING_BYTES // 1024**2} MB."
            raise ServiceError(413, message, detail="AudioLengthLimitExceeded", target="audio")
        yield chunk


def _definition(form: FormData) -> TranscribeDefinition:
    given = form.get("definition", "{}")
    try:
        content = json.loads(given if isinstance(given, str) else given.file.read(MAX_DEFINITION_BYTES))
        return TranscribeDefinition.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        target = ".".join(["definition", *(str(part) for part in problem["loc"])])
        raise invalid("InvalidPayload", f"{target}: {problem['msg']}.", target) from error
    except (ValueError, RecursionError) as error:
        raise invalid("InvalidRequestBodyFormat", "definition is not valid JSON.", "definition") from error


@asynccontextmanager
async def _kept(call: Call, form: FormData) -> AsyncIterator[Path]:
    """The recording as a file that workers can read, for as long as they need it."""
    audio = form.get("audio")
    if not isinstance(audio, UploadFile):
        raise invalid("InvalidPayload", "The part audio is missing, or is no file.", "audio")
    folder = call.service.upload_of(f"fast-{uuid4()}")
    folder.mkdir(parents=True)
    try:
        path = folder / "audio"
        await run_in_threadpool(_save, audio, path)
        yield path
    finally:
        await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)


def _save(audio: UploadFile, path: Path) -> None:
    with path.open("wb") as target:
        shutil.copyfileobj(audio.file, target)


# What is asked for


def _language(call: Call, definition: TranscribeDefinition) -> tuple[str, BaseModel | CustomModel]:
    """The locale and model to recognise with; without locales the service identifies them, of which there is one."""
    check_known(definition.locales, LOCALE)
    if len(definition.locales) == 1:
        require_locale(definition.locales[0])
    locales = [locale for locale in definition.locales or LOCALES if locale in LOCALES]
    if not locales:
        raise no_language(LOCALE)
    others = set(definition.models) - set(definition.locales or LOCALES)
    if others:
        raise invalid(
            "InvalidLocale", f"{min(others)!r} has a model, but is not among the locales.", "definition.models"
        )
    models = {locale: _able(call, address, locale) for locale, address in definition.models.items()}
    return locales[0], models.get(locales[0]) or default_base_model(call.store, locales[0])


def _able(call: Call, address: str, locale: str) -> BaseModel | CustomModel:
    model = require_model(call, ReferenceBody(self=address), locale, "definition.models")
    if not model.properties["features"]["supportsTranscriptionsTranscribe"]:
        message = f"The model {model.id} does not support synchronous transcription."
        raise invalid("InvalidModel", message, "definition.models")
    return model


async def _listened(call: Call, definition: TranscribeDefinition, model: BaseModel | CustomModel, audio: Path) -> Heard:
    is_diarized = definition.diarization is not None and definition.diarization.enabled
    if definition.channels is not None:
        check_channels(definition.channels, "definition.channels")
    key = recipe_key_of(call.store, model.path)
    order = Listening(audio, key, definition.channels, LONGEST_SECONDS, is_diarized=is_diarized)
    try:
        return await call.service.pool.run_now(listen, call.service.place, order)
    except JobFailure as failure:
        if failure.code == "InternalServerError":
            raise ServiceError(500, failure.message) from failure
        raise ServiceError(400, failure.message, detail=failure.code, target="audio") from failure


# The result


def _result(heard: Heard, definition: TranscribeDefinition, locale: str) -> dict[str, Any]:
    shown = Presentation(profanity=definition.profanity_filter_mode)
    channels = {number: {"channel": number} if definition.channels else {} for number in heard.channels}
    texts = [{**channels[number], "text": shown.display(one)} for number, one in heard.channels.items()]
    is_diarized = definition.diarization is not None and definition.diarization.enabled
    common: dict[str, Any] = {"speaker": 1} if is_diarized else {}  # the recogniser cannot tell voices apart
    phrases = [
        {**channels[number], **common, **_phrase(one, shown), "locale": locale}
        for number, one in heard.channels.items()
        if one["lexical"]
    ]
    return {"durationMilliseconds": _ms(heard.seconds), "combinedPhrases": texts, "phrases": phrases}


def _phrase(recognition: Recognition, shown: Presentation) -> dict[str, Any]:
    text, words = shown.display(recognition), recognition["words"]
    start, duration = span_of(words) if words else (0.0, recognition["duration_seconds"])
    return {
        "offsetMilliseconds": _ms(start),
        "durationMilliseconds": _ms(duration),
        "text": text,
        "words": [
            {"text": word, "offsetMilliseconds": _ms(offset), "durationMilliseconds": _ms(length)}
            for word, offset, length in timed_display_words(text, words)
        ],
        "confidence": round(float(recognition["confidence"]), 4),
    }


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
