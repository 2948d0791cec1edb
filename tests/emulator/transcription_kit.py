"""What tests of transcriptions share: submitting a batch, reading its results, recordings of two channels."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import numpy as np

from tests.emulator.fake_engine import LOUD, RATE, pcm
from tests.emulator.service_kit import Caller


def body_of(*urls: str, options: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A request's body."""
    source = {"contentUrls": list(urls)} if urls else {}
    properties = {"timeToLiveHours": 48, **(options or {})}
    return {"displayName": "my batch", "locale": "en-US", **source, "properties": properties, **changes}


async def submitted(speech: Caller, *urls: str, options: Mapping[str, Any] | None = None, **changes: Any) -> Any:
    """A batch that has only been submitted."""
    return await speech.post("/transcriptions:submit", **body_of(*urls, options=options, **changes))


async def transcribed(speech: Caller, *urls: str, options: Mapping[str, Any] | None = None, **changes: Any) -> Any:
    """A batch that has ended."""
    return await speech.final(await submitted(speech, *urls, options=options, **changes))


async def refusal(speech: Caller, *urls: str, options: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """The detailed code with which a submission is refused."""
    body = body_of(*urls, options=options, **changes)
    error = await speech.refused("POST", "/transcriptions:submit", 400, json=body)
    code: str = error["innerError"]["code"]
    return code


async def results(speech: Caller, transcription: Mapping[str, Any]) -> dict[str, Any]:
    """Its files by name, parsed."""
    return {name: json.loads(content) for name, content in (await speech.contents(transcription)).items()}


async def phrase(speech: Caller, transcription: Mapping[str, Any]) -> Any:
    """The first phrase of the first recording."""
    return (await results(speech, transcription))["contenturl_0.json"]["recognizedPhrases"][0]


async def transcribe(speech: Caller, audio: bytes, definition: Any = None, **changes: Any) -> httpx.Response:
    """The answer of the synchronous operation."""
    given = definition if isinstance(definition, str) else json.dumps(definition)
    form = {} if definition is None else {"definition": given}
    parts = {"files": {"audio": ("clip.wav", audio, "audio/wav")}, "data": form, **changes}
    return await speech.call("POST", "/transcriptions:transcribe", **parts)


def stereo(left: str, right: str) -> bytes:
    """A recording of two channels in which this is said."""
    sides = np.zeros((RATE // 2, 2), dtype="<i2")
    for side, text in enumerate((left, right)):
        sides[: len(text), side] = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype("<i2") * LOUD
    return pcm(sides.ravel(), RATE, 2)
