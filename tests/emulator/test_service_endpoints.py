"""Endpoints and the short audio that they answer."""

import pytest

from tests.emulator.fake_engine import noise, wav
from tests.emulator.service_kit import Caller, held, id_of, in_process, lines, path_of, settings_for

ROUTE = "/speech/recognition/conversation/cognitiveservices/v1"


async def hear(speech: Caller, content: bytes, *, rate: int = 16_000, **query: str):
    headers = {"Content-Type": f"audio/wav; codecs=audio/pcm; samplerate={rate}"}
    return await speech.http.post(ROUTE, params={"language": "en-US", **query}, content=content, headers=headers)


async def xanadu_model(speech: Caller) -> dict:
    return await speech.model(await speech.dataset("Language", lines("xanadu")))


async def new_endpoint(speech: Caller, **body) -> dict:
    return await speech.final(await speech.post("/endpoints", displayName="e", locale="en-US", **body))


async def test_a_live_endpoint_answers_with_its_model(speech: Caller) -> None:
    """The base model does not know the name, the endpoint's model does."""
    endpoint = await new_endpoint(speech, model={"self": (await xanadu_model(speech))["self"]})

    base = (await hear(speech, wav("off to xanadu"))).json()
    custom = (await hear(speech, wav("off to xanadu"), cid=id_of(endpoint), format="detailed")).json()
    assert base == {"RecognitionStatus": "Success", "DisplayText": "Off to uh.", "Offset": 0, "Duration": 3_000_000}
    assert custom["DisplayText"] == "Off to xanadu."
    assert custom["NBest"][0]["Lexical"] == "off to xanadu"
    assert set(custom["NBest"][0]) == {"Confidence", "Lexical", "ITN", "MaskedITN", "Display"}


async def test_the_old_model_answers_until_the_new_one_is_loaded(tmp_path) -> None:
    """PATCH keeps the id; while it runs nothing changes for callers."""
    async with in_process(settings_for(tmp_path)) as speech:
        model = await xanadu_model(speech)
        endpoint = await new_endpoint(speech)
        await speech.http.put("/_emulator/speed", json={"speed": "poll"})
        change = {"model": {"self": model["self"]}}
        updating = await speech.call("PATCH", path_of(endpoint), json=change)
        assert updating.json()["status"] == "NotStarted"
        assert updating.json()["model"]["self"] == model["self"]
        assert "Retry-After" in updating.headers

        assert (await hear(speech, wav("xanadu"), cid=id_of(endpoint))).json()["DisplayText"] == "Uh."
        assert (await speech.refused("PATCH", path_of(endpoint), 409, json=change))["innerError"]["code"] == (
            "EndpointNotUpdatable"
        )
        await speech.final(endpoint)
        assert (await hear(speech, wav("xanadu"), cid=id_of(endpoint))).json()["DisplayText"] == "Xanadu."


async def test_a_failed_update_leaves_the_old_model_live(speech: Caller) -> None:
    """The endpoint says Failed and why, and can be updated again."""
    endpoint = await new_endpoint(speech)
    change = {"model": {"self": (await xanadu_model(speech))["self"]}}
    await speech.http.post("/_emulator/faults", json={"job": "endpoint", "code": "DeployNotAllowed"})
    await speech.call("PATCH", path_of(endpoint), json=change)
    failed = await speech.final(endpoint)

    assert failed["status"] == "Failed"
    assert failed["properties"]["error"]["code"] == "DeployNotAllowed"
    assert (await hear(speech, wav("xanadu"), cid=id_of(endpoint))).json()["DisplayText"] == "Uh."
    await speech.call("PATCH", path_of(endpoint), json=change)
    again = await speech.final(endpoint)
    assert again["status"] == "Succeeded"
    assert "error" not in again["properties"]


async def test_logging_has_two_names(speech: Caller) -> None:
    """`contentLoggingEnabled` in the update, `loggingEnabled` on the endpoint: Azure's own asymmetry."""
    endpoint = await new_endpoint(speech, properties={"loggingEnabled": False})
    answer = await speech.call("PATCH", path_of(endpoint), json={"properties": {"contentLoggingEnabled": True}})

    assert answer.json()["properties"] == {"loggingEnabled": True}
    assert answer.json()["status"] == "Succeeded"


async def test_a_model_on_an_endpoint_stays(speech: Caller) -> None:
    """Also the one that is only live because an update failed."""
    model = await xanadu_model(speech)
    endpoint = await new_endpoint(speech, model={"self": model["self"]})

    assert (await speech.refused("DELETE", path_of(model), 409))["innerError"]["code"] == "InUseViolation"
    assert (await speech.call("DELETE", path_of(endpoint))).status_code == 204
    assert (await speech.call("DELETE", path_of(endpoint))).status_code == 404
    assert (await speech.call("DELETE", path_of(model))).status_code == 204


async def test_only_trained_models_are_deployed(tmp_path) -> None:
    """A failed one and an unfinished one have codes of their own."""
    async with in_process(settings_for(tmp_path)) as speech:
        failed = await speech.model(await speech.dataset("Language", lines("123")))
        dataset = await speech.dataset("Language", lines("hello"))
        with held(tmp_path, "training"):
            body = {"displayName": "m", "locale": "en-US", "datasets": [{"self": dataset["self"]}]}
            unfinished = await speech.post("/models", **body)
            for model, code in ((failed, "DeployingFailedModel"), (unfinished, "ModelNotDeployable")):
                body = {"displayName": "e", "locale": "en-US", "model": {"self": model["self"]}}
                assert (await speech.refused("POST", "/endpoints", 400, json=body))["innerError"]["code"] == code


async def test_silence_and_noise_are_answers(speech: Caller) -> None:
    """InitialSilenceTimeout for nothing, NoMatch for no words; both with status 200."""
    assert (await hear(speech, wav(""))).json()["RecognitionStatus"] == "InitialSilenceTimeout"
    assert (await hear(speech, noise())).json()["RecognitionStatus"] == "NoMatch"


@pytest.mark.parametrize("rate", [8_000, 16_000])
async def test_both_rates_of_telephones_and_microphones_are_recognised(speech: Caller, rate: int) -> None:
    """The content type tells the rate of the recording."""
    answer = await hear(speech, wav("", rate=rate), rate=rate)

    assert answer.status_code == 200
    assert answer.json()["Duration"] == 5_000_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EmptyAudioFile"),
        (b"hello", "InvalidAudioFormat"),
        (wav("hi", rate=44_100), "InvalidAudioFormat"),
        (wav("hi", seconds=61), "AudioLengthLimitExceeded"),
    ],
)
async def test_audio_that_cannot_be_recognised_is_refused(speech: Caller, content: bytes, code: str) -> None:
    """Nothing, no WAV, another rate, more than a minute."""
    answer = await hear(speech, content)

    assert answer.status_code == 400
    assert answer.json()["innerError"]["code"] == code


async def test_short_audio_needs_key_endpoint_and_locale(speech: Caller) -> None:
    """Wrong ones are refused with 401, 404 and 400."""
    assert (await hear(speech, wav("hi"), cid="00000000-0000-0000-0000-000000000000")).status_code == 404
    assert (await hear(speech, wav("hi"), language="fr-FR")).status_code == 400
    speech.http.headers["Ocp-Apim-Subscription-Key"] = "wrong"
    assert (await hear(speech, wav("hi"))).status_code == 401
