"""Short audio: what it must be declared as, and what the answer leaves out."""

from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import Caller
from tests.emulator.test_service_endpoints import ROUTE, hear


async def test_pcm_in_wav_is_accepted_however_it_is_spelt(speech: Caller) -> None:
    """What the file's header says counts."""
    for content_type in [
        "audio/wav; codecs=audio/pcm; samplerate=16000",
        "audio/wav; codecs=audio/pcm; samplerate=8000",
        'Audio/WAV;codecs="audio/pcm"',
        "audio/wav",
        "audio/x-wav",
    ]:
        headers = {"Content-Type": content_type}
        answer = await speech.http.post(ROUTE, params={"language": "en-US"}, content=wav("hi"), headers=headers)

        assert answer.status_code == 200


async def test_other_content_types_are_unsupported(speech: Caller) -> None:
    """Azure also takes Opus in Ogg; all others it refuses as well."""
    for content_type in [
        "",
        "text/plain",
        "application/octet-stream",
        "audio/ogg; codecs=opus",
        "audio/mpeg",
        "audio/wav; codecs=audio/alaw",
        "audio/wav; codecs=audio/pcm; samplerate=44100",
        "multipart/form-data; boundary=x",
    ]:
        headers = {"Content-Type": content_type}
        answer = await speech.http.post(ROUTE, params={"language": "en-US"}, content=wav("hi"), headers=headers)

        assert answer.status_code == 415
        assert answer.json()["code"] == "UnsupportedMediaType"


async def test_only_mono_pcm_of_8_or_16_khz_is_recognised(speech: Caller) -> None:
    """Other rates, two channels, other formats, and what is cut off are a bad request."""
    for content in [
        wav("hi", rate=11_025),
        wav("hi", rate=48_000),
        wav("hi", channels=2),
        b"OggS" + bytes(100),
        b"ID3" + bytes(100),
        wav("hi")[:30],
        wav("hi")[:-10],
    ]:
        answer = await hear(speech, content)

        assert answer.status_code == 400
        assert answer.json()["innerError"]["code"] == "InvalidAudioFormat"


async def test_sixty_seconds_are_not_too_long(speech: Caller) -> None:
    """The limit is "no more than 60 seconds of audio"."""
    assert (await hear(speech, wav("hi", seconds=60))).status_code == 200
    answer = await hear(speech, wav("hi", seconds=60.1))
    assert answer.json()["innerError"]["code"] == "AudioLengthLimitExceeded"
    longer_at_8_khz = await hear(speech, wav("", rate=8_000, seconds=61), rate=8_000)
    assert longer_at_8_khz.json()["innerError"]["code"] == "AudioLengthLimitExceeded"


async def test_profanity_is_masked_unless_asked_otherwise(speech: Caller) -> None:
    """`masked`, `removed`, `raw`."""
    for query, shown in [({}, "Oh d***."), ({"profanity": "removed"}, "Oh."), ({"profanity": "raw"}, "Oh damn.")]:
        answer = (await hear(speech, wav("oh damn"), format="detailed", **query)).json()

        assert answer["DisplayText"] == answer["NBest"][0]["Display"] == shown
        assert answer["NBest"][0]["Lexical"] == "oh damn"


async def test_an_unknown_profanity_mode_is_refused(speech: Caller) -> None:
    """As other unknown values are."""
    assert (await hear(speech, wav("hi"), profanity="loud")).status_code == 400


async def test_nothing_but_profanity_is_no_result_when_it_is_removed(speech: Caller) -> None:
    """As documented for the short-audio API."""
    assert (await hear(speech, wav("damn"), profanity="removed")).json()["RecognitionStatus"] == "NoMatch"
