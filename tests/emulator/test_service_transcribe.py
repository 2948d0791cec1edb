"""Synchronous transcription: a form goes in, the text comes out."""

from pathlib import Path

import httpx
import pytest

from emulator import fast_transcription
from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import Caller, lines
from tests.emulator.transcription_kit import stereo, transcribe

FORM = "multipart/form-data; boundary=b"


def code_of(answer: httpx.Response) -> str:
    """The detailed code of a refusal."""
    assert answer.status_code == 400, answer.text
    code: str = answer.json()["innerError"]["code"]
    return code


async def test_a_recording_is_transcribed_at_once(speech: Caller) -> None:
    """Without a definition everything has its default."""
    answer = await transcribe(speech, wav("oh damn it rains"))

    assert answer.status_code == 200
    body = answer.json()
    assert body["durationMilliseconds"] == 500
    assert body["combinedPhrases"] == [{"text": "Oh d*** it rains."}]
    phrase = body["phrases"][0]
    assert (phrase["locale"], phrase["confidence"], phrase["text"]) == ("en-US", 0.9, "Oh d*** it rains.")
    assert (phrase["offsetMilliseconds"], phrase["durationMilliseconds"]) == (0, 400)
    assert phrase["words"][3] == {"text": "rains.", "offsetMilliseconds": 300, "durationMilliseconds": 100}
    assert {"channel", "speaker"}.isdisjoint(phrase)


async def test_silence_is_a_result_without_phrases(speech: Caller) -> None:
    """Not an error."""
    assert (await transcribe(speech, wav(""), {"locales": ["en-US"]})).json() == {
        "durationMilliseconds": 500,
        "combinedPhrases": [{"text": ""}],
        "phrases": [],
    }


async def test_channels_are_separated_when_asked_for_and_merged_otherwise(speech: Caller) -> None:
    """Channel numbers stand in the answer only when there is more than one stream."""
    apart = (await transcribe(speech, stereo("left", "right"), {"channels": [0, 1]})).json()
    merged = (await transcribe(speech, stereo("both", "both"))).json()

    assert apart["combinedPhrases"] == [{"channel": 0, "text": "Left."}, {"channel": 1, "text": "Right."}]
    assert [phrase["channel"] for phrase in apart["phrases"]] == [0, 1]
    assert merged["combinedPhrases"] == [{"text": "Both."}]


async def test_speakers_are_numbered(speech: Caller) -> None:
    """One number, for voices are not told apart; not for separated channels."""
    asked = {"diarization": {"enabled": True, "maxSpeakers": 2}}
    one = await transcribe(speech, wav("hi"), asked)
    two = await transcribe(speech, stereo("left", "right"), {**asked, "channels": [0, 1]})

    assert one.json()["phrases"][0]["speaker"] == 1
    assert code_of(two) == "BadChannelConfiguration"


async def test_profanity_stays_when_asked_for(speech: Caller) -> None:
    """The filter's mode is that of batches."""
    answer = await transcribe(speech, wav("damn"), {"profanityFilterMode": "None"})

    assert answer.json()["combinedPhrases"] == [{"text": "Damn."}]


async def test_the_language_is_found_among_the_locales(speech: Caller) -> None:
    """en-US when it is there; a single other one is refused, several are not identified."""
    found = await transcribe(speech, wav("hi"), {"locales": ["de-DE", "en-US"]})
    assert found.json()["phrases"][0]["locale"] == "en-US"
    assert code_of(await transcribe(speech, wav("hi"), {"locales": ["de-DE"]})) == "InvalidLocale"
    assert code_of(await transcribe(speech, wav("hi"), {"locales": ["xx-XX", "en-US"]})) == "InvalidLocale"
    assert code_of(await transcribe(speech, wav("hi"), {"locales": ["de-DE", "fr-FR"]})) == "NoLanguageIdentified"


async def test_only_models_with_that_feature_transcribe_at_once(speech: Caller) -> None:
    """A base model does, a custom model does not (`supportsTranscriptionsTranscribe`)."""
    base = (await speech.base_model())["self"]
    custom = (await speech.model(await speech.dataset("Language", lines("xanadu"))))["self"]

    fine = await transcribe(speech, wav("hi"), {"locales": ["en-US"], "models": {"en-US": base}})
    assert fine.status_code == 200
    assert code_of(await transcribe(speech, wav("hi"), {"models": {"en-US": custom}})) == "InvalidModel"
    assert code_of(await transcribe(speech, wav("hi"), {"models": {"en-US": "nonsense"}})) == "InvalidModel"
    assert code_of(await transcribe(speech, wav("hi"), {"models": {"de-DE": base}})) == "InvalidLocale"


async def test_audio_that_cannot_be_transcribed_is_refused(speech: Caller) -> None:
    """Nothing, no WAV, another rate, three channels."""
    for audio, code in [
        (b"", "EmptyAudioFile"),
        (b"hello", "InvalidAudioFormat"),
        (wav("hi", rate=44_100), "InvalidAudioFormat"),
        (wav("hi", channels=3), "InvalidAudioFormat"),
    ]:
        assert code_of(await transcribe(speech, audio)) == code


async def test_two_hours_are_the_limit(speech: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tried with half a second, which is quicker."""
    assert fast_transcription.LONGEST_SECONDS == 2 * 60 * 60
    monkeypatch.setattr(fast_transcription, "LONGEST_SECONDS", 0.5)
    assert (await transcribe(speech, wav("hi", seconds=0.5))).status_code == 200
    assert code_of(await transcribe(speech, wav("hi", seconds=0.51))) == "AudioLengthLimitExceeded"


async def test_a_recording_that_is_too_large_is_refused_before_it_is_kept(
    speech: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """413 as soon as the limit is passed, although the length was not announced."""
    monkeypatch.setattr(fast_transcription, "MAX_BODY_BYTES", 10_000)
    sent = []

    async def parts():
        yield b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
        for number in range(1000):
            sent.append(number)
            yield bytes(1000)

    answer = await speech.call("POST", "/transcriptions:transcribe", content=parts(), headers={"Content-Type": FORM})
    assert answer.status_code == 413
    assert answer.json()["innerError"]["code"] == "AudioLengthLimitExceeded"
    assert not list((tmp_path / "uploads").iterdir())


async def test_a_definition_has_its_form(speech: Caller) -> None:
    """The first one is Microsoft's own example, which is no JSON."""
    for definition, code in [
        ('{ "locales":  "en-US"] }', "InvalidRequestBodyFormat"),
        ("[" * 100_000, "InvalidRequestBodyFormat"),
        ("[]", "InvalidPayload"),
        ({"locales": "en-US"}, "InvalidPayload"),
        ({"channels": [2]}, "InvalidChannelSpecification"),
        ({"channels": [0, 1, 2]}, "InvalidChannels"),
        ({"diarization": {"enabled": True, "maxSpeakers": 36}}, "InvalidPayload"),
        ({"profanityFilterMode": "Loud"}, "InvalidPayload"),
    ]:
        assert code_of(await transcribe(speech, wav("hi"), definition)) == code


async def test_a_form_without_audio_is_refused(speech: Caller) -> None:
    """Nor is audio a mere field; and a body that is no form is told so."""
    path = "/transcriptions:transcribe"
    assert code_of(await speech.call("POST", path, files={"other": b"x"})) == "InvalidPayload"
    assert code_of(await speech.call("POST", path, files={"audio": (None, "text")})) == "InvalidPayload"
    for content in (b"", b"--b", b"no form", b"--b\r\n\r\n\r\n--b--\r\n"):
        broken = await speech.call("POST", path, content=content, headers={"Content-Type": FORM})
        assert broken.status_code == 400
    no_boundary = {"Content-Type": "multipart/form-data"}
    assert code_of(await speech.call("POST", path, content=b"x", headers=no_boundary)) == "InvalidRequestBodyFormat"
    assert (await speech.call("POST", path, json={})).status_code == 415


async def test_nothing_of_a_recording_remains(speech: Caller, tmp_path: Path) -> None:
    """Neither after an answer nor after a refusal."""
    await transcribe(speech, wav("hi"))
    await transcribe(speech, b"hello")

    assert not list((tmp_path / "uploads").iterdir())
