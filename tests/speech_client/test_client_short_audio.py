"""A live endpoint recognises a short recording."""

from __future__ import annotations

import io
import wave
from typing import Any

import pytest

from speech_client import NotFound, RecognitionStatus, RequestRejected, UnexpectedAnswer

PATH = "/speech/recognition/conversation/cognitiveservices/v1"
URL = f"https://westus.stt.speech.microsoft.com{PATH}"
BEST = {
    "Confidence": 0.9,
    "Lexical": "go to qasba",
    "ITN": "go to Qasba",
    "MaskedITN": "go to Qasba",
    "Display": "Go to Qasba.",
}
DETAILED = {"RecognitionStatus": "Success", "Offset": 100000, "Duration": 12300000, "NBest": [BEST]}


async def test_the_words_are_returned(service: Any, speech: Any, build: Any) -> None:
    """Lexical for counting errors, display for people."""
    service.says("POST", URL, DETAILED)
    heard = await speech.recognise("e1", b"RIFF...", locale="en-US")

    [request] = service.requests
    assert (heard.lexical, heard.text, heard.duration) == ("go to qasba", "Go to Qasba.", 12300000)
    assert heard.to_azure() == DETAILED
    assert dict(request.url.params) == {"cid": "e1", "language": "en-US", "format": "detailed"}
    assert request.headers["Content-Type"] == "audio/wav; codecs=audio/pcm; samplerate=16000"
    assert request.headers["Ocp-Apim-Subscription-Key"] == build.key
    assert request.content == b"RIFF..."


@pytest.mark.parametrize("before", [b"", b"JUNK\x03\0\0\0abc\0"])
@pytest.mark.parametrize("rate", [8_000, 16_000])
async def test_the_service_is_told_the_rate_of_the_recording(
    service: Any, speech: Any, rate: int, before: bytes
) -> None:
    """Telephone audio has 8 kHz; the header says so, wherever the chunk stands."""
    service.says("POST", URL, DETAILED)
    await speech.recognise("e1", _wav(rate, before), locale="en-US")

    assert service.requests[0].headers["Content-Type"] == f"audio/wav; codecs=audio/pcm; samplerate={rate}"


@pytest.mark.parametrize("audio", [b"", b"RIFF", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01", b"ID3" * 20])
async def test_what_is_no_wav_goes_out_as_it_is(service: Any, speech: Any, audio: bytes) -> None:
    """The service says what is wrong with it."""
    service.says("POST", URL, (400, {"code": "InvalidRequest", "message": "InvalidAudioFormat"}))
    with pytest.raises(RequestRejected, match="InvalidAudioFormat"):
        await speech.recognise("e1", audio, locale="en-US")


def _wav(rate: int, before: bytes) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(20))
    return target.getvalue()[:12] + before + target.getvalue()[12:]


def test_people_can_be_told_where_an_endpoint_listens(connect: Any) -> None:
    """For the report of a release, and for curl; without the key."""
    assert (
        connect().recognition_address("endpoints/e1", locale="en-US") == f"{URL}?cid=e1&language=en-US&format=detailed"
    )


async def test_the_simple_format_knows_the_display_text_only(service: Any, speech: Any) -> None:
    """So lexical is None, which is not the same as silence."""
    service.says("POST", URL, {"RecognitionStatus": "Success", "DisplayText": "Hi.", "Offset": 1, "Duration": 2})
    heard = await speech.recognise(None, b"RIFF", locale="en-US", format="simple")
    assert (heard.text, heard.lexical) == ("Hi.", None)
    assert "cid" not in service.requests[0].url.params


@pytest.mark.parametrize("status", ["NoMatch", "InitialSilenceTimeout", "BabbleTimeout", "Error", "SomethingNew"])
async def test_silence_is_a_result(service: Any, speech: Any, status: str) -> None:
    """Not an error: whoever counts words decides."""
    service.says("POST", URL, {"RecognitionStatus": status, "Offset": 0, "Duration": 0})
    heard = await speech.recognise("e1", b"RIFF", locale="en-US")
    assert (heard.recognition_status, heard.text) == (status, "")


async def test_recognising_is_repeated(service: Any, speech: Any) -> None:
    """It creates nothing, so a moment of trouble costs nothing."""
    service.says("POST", URL, 503, DETAILED)
    assert (await speech.recognise("e1", b"RIFF", locale="en-US")).recognition_status == RecognitionStatus.SUCCESS


async def test_an_unknown_endpoint_is_an_error(service: Any, speech: Any, build: Any) -> None:
    """Not an empty text."""
    service.says("POST", URL, (404, build.error("NotFound")))
    with pytest.raises(NotFound):
        await speech.recognise("e1", b"RIFF", locale="en-US")


async def test_garbage_is_an_error(service: Any, speech: Any) -> None:
    """Not an empty text either."""
    service.says("POST", URL, {"hello": 1})
    with pytest.raises(UnexpectedAnswer, match="RecognitionStatus"):
        await speech.recognise("e1", b"RIFF", locale="en-US")


@pytest.mark.parametrize(
    ("endpoint", "given", "expected"),
    [
        ("https://westus.api.cognitive.microsoft.com", None, "https://westus.stt.speech.microsoft.com"),
        ("https://virginia.api.cognitive.microsoft.us", None, "https://virginia.stt.speech.azure.us"),
        ("https://my.cognitiveservices.azure.com/", None, "https://my.cognitiveservices.azure.com/stt"),
        ("http://127.0.0.1:8765", None, "http://127.0.0.1:8765"),
        ("https://gateway.example/azure", "https://live.example/", "https://live.example"),
    ],
)
async def test_the_address_follows_from_the_endpoint(
    service: Any, connect: Any, endpoint: str, given: str | None, expected: str
) -> None:
    """Regions, custom domains, other clouds and the local service; or what was configured."""
    service.says("POST", expected + PATH, DETAILED)
    async with connect(endpoint=endpoint, recognition_url=given) as speech:
        assert (await speech.recognise("e1", b"RIFF", locale="en-US")).text == "Go to Qasba."
