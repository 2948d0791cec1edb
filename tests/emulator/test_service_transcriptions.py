"""Batch transcription: what can be submitted, what comes out, and what is forgotten in time."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.emulator.conftest import Shelf
from tests.emulator.fake_engine import pcm, wav
from tests.emulator.service_kit import Caller, held, in_process, lines, path_of, recordings, settings_for
from tests.emulator.transcription_kit import phrase, refusal, results, stereo, submitted, transcribed

PROJECT = Path(__file__).parents[2]
SCHEMA = PROJECT.parent / "shared/azure/transcriptionresult.schema.json"
ALL_ON = {"wordLevelTimestampsEnabled": True, "displayFormWordLevelTimestampsEnabled": True}


async def xanadu_model(speech: Caller) -> dict:
    return await speech.model(await speech.dataset("Language", lines("xanadu")))


async def test_a_batch_gives_one_result_per_recording_and_a_report(speech: Caller, shelf: Shelf) -> None:
    """Named and counted as in Microsoft's how-to."""
    urls = [shelf.put("one.wav", wav("good morning")), shelf.put("two.wav", wav("good night"))]
    batch = await transcribed(speech, *urls)

    files = await results(speech, batch)
    assert batch["status"] == "Succeeded"
    assert batch["properties"]["durationMilliseconds"] == 1000
    assert set(files) == {"contenturl_0.json", "contenturl_1.json", "report.json"}
    assert files["contenturl_1.json"]["combinedRecognizedPhrases"][0]["display"] == "Good night."
    assert files["report.json"] == {
        "successfulTranscriptionsCount": 2,
        "failedTranscriptionsCount": 0,
        "details": [{"source": url, "status": "Succeeded"} for url in urls],
    }


async def test_what_is_not_said_has_azures_default(speech: Caller, shelf: Shelf) -> None:
    """Both channels, all punctuation, masked profanity, the newest base model; the addresses are not given back."""
    batch = await submitted(speech, shelf.put("one.wav", wav("hi")))

    assert batch["properties"] == {
        "wordLevelTimestampsEnabled": False,
        "displayFormWordLevelTimestampsEnabled": False,
        "channels": [0, 1],
        "punctuationMode": "DictatedAndAutomatic",
        "profanityFilterMode": "Masked",
        "timeToLiveHours": 48,
    }
    assert batch["model"]["self"] == (await speech.base_model())["self"]
    assert {"contentUrls", "contentContainerUrl", "submitted"}.isdisjoint(batch)


async def test_a_batch_is_transcribed_with_the_custom_model(speech: Caller, shelf: Shelf) -> None:
    """No endpoint is needed."""
    url = shelf.put("one.wav", wav("off to xanadu"))
    with_base = await transcribed(speech, url)
    with_custom = await transcribed(speech, url, model={"self": (await xanadu_model(speech))["self"]})

    assert (await phrase(speech, with_base))["nBest"][0]["lexical"] == "off to uh"
    assert (await phrase(speech, with_custom))["nBest"][0]["lexical"] == "off to xanadu"


@pytest.mark.parametrize("kind", ["Acoustic", "AudioFiles"])
async def test_a_dataset_is_transcribed_under_the_names_of_its_recordings(speech: Caller, kind: str) -> None:
    """Both kinds that hold audio."""
    dataset = await speech.dataset(kind, recordings("good morning"))
    files = await results(speech, await transcribed(speech, dataset={"self": dataset["self"]}))

    assert set(files) == {"0.wav.json", "report.json"}
    assert files["report.json"]["details"] == [{"source": "0.wav", "status": "Succeeded"}]


async def test_one_bad_recording_does_not_fail_the_batch(speech: Caller, shelf: Shelf) -> None:
    """The report says which ones failed and why; an unreadable address, no WAV, another rate, nothing, a cut one."""
    bad = {
        shelf.address_of("missing.wav"): "InvalidRecordingsUri",
        "http://xn--/no-name.wav": "InvalidRecordingsUri",
        shelf.put("text.wav", b"hello"): "InvalidAudioFormat",
        shelf.put("cd.wav", wav("hi", rate=44_100)): "InvalidAudioFormat",
        shelf.put("empty.wav", b""): "EmptyAudioFile",
        shelf.put("headers.wav", pcm(memoryview(b""), 16_000, 1)): "EmptyAudioFile",
        shelf.put("cut.wav", wav("hi")[:-100]): "InvalidAudioFormat",
    }
    batch = await transcribed(speech, shelf.put("good.wav", wav("hi")), *bad)

    report = (await results(speech, batch))["report.json"]
    assert batch["status"] == "Succeeded"
    assert (report["successfulTranscriptionsCount"], report["failedTranscriptionsCount"]) == (1, len(bad))
    failed = {detail["source"]: detail["errorKind"] for detail in report["details"] if detail["status"] == "Failed"}
    assert failed == bad
    assert batch["properties"]["durationMilliseconds"] == 500


async def test_a_batch_of_which_nothing_is_left_fails_with_a_report(speech: Caller, shelf: Shelf) -> None:
    """Azure's InvalidData; the reasons are in the report."""
    batch = await transcribed(speech, shelf.put("text.wav", b"hello"))

    assert batch["status"] == "Failed"
    assert batch["properties"]["error"] == {
        "code": "InvalidData",
        "message": "The recordings URI contains invalid data.",
    }
    assert (await results(speech, batch))["report.json"]["failedTranscriptionsCount"] == 1


async def test_reports_and_results_do_not_hold_the_signature(speech: Caller, shelf: Shelf) -> None:
    """A SAS in a result file would be passed on with it."""
    good, bad = shelf.put("one.wav", wav("hi")) + "?sp=r&sig=s3cret", shelf.address_of("none.wav") + "?sig=s3cret"
    files = await results(speech, await transcribed(speech, good, bad))

    assert "s3cret" not in json.dumps(files)
    assert files["contenturl_0.json"]["source"] == shelf.address_of("one.wav")


async def test_words_come_with_times_only_when_asked_for(speech: Caller, shelf: Shelf) -> None:
    """Lexical words and display words each have their switch."""
    url = shelf.put("one.wav", wav("good morning"))
    plain = (await phrase(speech, await transcribed(speech, url)))["nBest"][0]
    timed = (await phrase(speech, await transcribed(speech, url, options=ALL_ON)))["nBest"][0]

    assert {"words", "displayWords"}.isdisjoint(plain)
    assert [word["word"] for word in timed["words"]] == ["good", "morning"]
    assert [word["displayText"] for word in timed["displayWords"]] == ["Good", "morning."]
    assert timed["displayWords"][1]["offsetMilliseconds"] == timed["words"][1]["offsetMilliseconds"] == 100


@pytest.mark.skipif(not SCHEMA.exists(), reason="needs Microsoft's transcriptionresult.schema.json")
async def test_batch_results_have_the_published_schema(speech: Caller, shelf: Shelf) -> None:
    """With everything switched on, two channels, and silence."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8-sig"))
    del schema["allOf"]  # the parent schema (v3.2) is not published with it
    urls = [shelf.put("a.wav", stereo("good morning", "hello")), shelf.put("b.wav", wav(""))]
    files = await results(speech, await transcribed(speech, *urls, options=ALL_ON))

    for name in ("contenturl_0.json", "contenturl_1.json"):
        jsonschema.Draft7Validator(schema).validate(files[name])


async def test_profanity_is_treated_as_asked(speech: Caller, shelf: Shelf) -> None:
    """In the display and the masked form; the lexical form keeps it."""
    for mode, display, masked in [
        ("None", "Oh damn it rains.", "oh damn it rains"),
        ("Masked", "Oh d*** it rains.", "oh d*** it rains"),
        ("Removed", "Oh it rains.", "oh it rains"),
        ("Tags", "Oh <profanity>damn</profanity> it rains.", "oh <profanity>damn</profanity> it rains"),
    ]:
        url = shelf.put("one.wav", wav("oh damn it rains"))
        best = (await phrase(speech, await transcribed(speech, url, options={"profanityFilterMode": mode})))["nBest"][0]

        assert (best["display"], best["maskedITN"], best["lexical"]) == (display, masked, "oh damn it rains")


async def test_punctuation_is_automatic_or_absent(speech: Caller, shelf: Shelf) -> None:
    """The recogniser hears no dictated marks."""
    for mode, display in [("None", "Good morning"), ("Dictated", "Good morning"), ("Automatic", "Good morning.")]:
        url = shelf.put("one.wav", wav("good morning"))
        best = (await phrase(speech, await transcribed(speech, url, options={"punctuationMode": mode})))["nBest"][0]

        assert best["display"] == display


async def test_each_channel_is_heard_on_its_own(speech: Caller, shelf: Shelf) -> None:
    """Only those that were asked for, under their own numbers."""
    for channels, heard in [([0, 1], ["left", "right"]), ([1], ["right"]), ([0], ["left"])]:
        url = shelf.put("two.wav", stereo("left", "right"))
        files = await results(speech, await transcribed(speech, url, options={"channels": channels}))

        result = files["contenturl_0.json"]
        assert [(one["channel"], one["lexical"]) for one in result["combinedRecognizedPhrases"]] == list(
            zip(channels, heard, strict=True)
        )
        assert [one["channel"] for one in result["recognizedPhrases"]] == channels


async def test_a_mono_recording_has_no_second_channel(speech: Caller, shelf: Shelf) -> None:
    """Asked for channel 1 alone it fails with the code that Azure has for it."""
    batch = await transcribed(speech, shelf.put("one.wav", wav("hi")), options={"channels": [1]})

    assert (await results(speech, batch))["report.json"]["details"][0]["errorKind"] == "BadChannelConfiguration"


async def test_speakers_are_numbered_but_not_told_apart(speech: Caller, shelf: Shelf) -> None:
    """Diarization is accepted: everybody is speaker 1; two channels are refused, as on Azure."""
    urls = [shelf.put("one.wav", wav("hi")), shelf.put("two.wav", stereo("left", "right"))]
    options = {"diarization": {"enabled": True, "maxSpeakers": 5}}
    batch = await transcribed(speech, *urls, options=options)

    assert batch["properties"]["diarization"] == {"enabled": True, "maxSpeakers": 5}
    assert (await phrase(speech, batch))["speaker"] == 1
    details = (await results(speech, batch))["report.json"]["details"]
    assert details[1]["errorKind"] == "BadChannelConfiguration"


async def test_the_time_to_live_is_between_6_hours_and_31_days(speech: Caller) -> None:
    """Anything else is InvalidTimeToLive; the limits themselves are fine."""
    for hours in [5, 745, 0, -1]:
        assert await refusal(speech, "http://x/a.wav", options={"timeToLiveHours": hours}) == "InvalidTimeToLive"


async def test_the_time_to_live_must_be_said(speech: Caller) -> None:
    """It is required, and so are the properties that hold it."""
    assert await refusal(speech, "http://x/a.wav", properties={}) == "InvalidPayload"
    assert await refusal(speech, "http://x/a.wav", options={"timeToLiveHours": "48"}) == "InvalidPayload"


async def test_audio_comes_from_exactly_one_place(speech: Caller) -> None:
    """Addresses, a container or a dataset."""
    dataset = {"self": (await speech.dataset("AudioFiles", recordings("hi")))["self"]}
    url, container = "http://x/a.wav", "http://x/container?sig=s"

    assert await refusal(speech) == "OnlyOneOfUrlsOrContainerOrDataset"
    assert await refusal(speech, url, dataset=dataset) == "OnlyOneOfUrlsOrContainerOrDataset"
    assert await refusal(speech, contentContainerUrl=container, dataset=dataset) == "OnlyOneOfUrlsOrContainerOrDataset"


async def test_a_batch_has_at_most_a_thousand_addresses(speech: Caller) -> None:
    """One more is ExceededNumberOfRecordingsUris; none is refused too."""
    assert await refusal(speech, *["http://x/a.wav"] * 1001) == "ExceededNumberOfRecordingsUris"
    assert await refusal(speech, contentUrls=[]) == "InvalidRecordingsUri"


async def test_what_is_no_web_address_is_refused_without_being_quoted(speech: Caller) -> None:
    """InvalidRecordingsUri, at once."""
    for url in ["file:///etc/passwd", "a.wav", "http://", "ftp://x/a.wav", "http://[::1/a?sig=s3cret"]:
        body = {"displayName": "b", "locale": "en-US", "properties": {"timeToLiveHours": 48}}
        for source in ({"contentUrls": ["http://x/a.wav", url]}, {"contentContainerUrl": url}):
            error = await speech.refused("POST", "/transcriptions:submit", 400, json={**body, **source})
            assert error["innerError"]["code"] == "InvalidRecordingsUri"
            assert url not in error["message"]


async def test_options_that_cannot_be_met_are_refused(speech: Caller) -> None:
    """Each with its own code."""
    for options, code in [
        ({"channels": []}, "InvalidChannelSpecification"),
        ({"channels": [2]}, "InvalidChannelSpecification"),
        ({"channels": [0, 2]}, "InvalidChannels"),
        ({"channels": [0, 0]}, "InvalidChannels"),
        ({"diarization": {"enabled": True, "maxSpeakers": 1}}, "InvalidPayload"),
        ({"diarization": {"enabled": True, "maxSpeakers": 36}}, "InvalidPayload"),
        ({"punctuationMode": "Some"}, "InvalidPayload"),
        ({"profanityFilterMode": "Some"}, "InvalidPayload"),
        ({"wordLevelTimestampsEnabled": "yes"}, "InvalidPayload"),
        ({"destinationContainerUrl": "https://x/c?sig=s"}, "InaccessibleCustomerStorage"),
    ]:
        assert await refusal(speech, "http://x/a.wav", options=options) == code


async def test_a_batch_needs_a_model_a_dataset_and_a_locale_that_exist(speech: Caller) -> None:
    """A dataset of text is none, nor is a model in another place."""
    text = await speech.dataset("Language", lines("hello"))
    failed = await speech.dataset("AudioFiles", b"")
    base = await speech.base_model()
    reference = {"self": base["self"]}

    assert await refusal(speech, "http://x/a.wav", locale="fr-FR") == "InvalidLocale"
    assert await refusal(speech, "http://x/a.wav", model={"self": text["self"]}) == "InvalidModel"
    assert await refusal(speech, "http://x/a.wav", model={"self": "http://["}) == "InvalidModel"
    assert await refusal(speech, dataset={"self": text["self"]}) == "InvalidDataset"
    assert await refusal(speech, dataset={"self": failed["self"]}) == "FailedDataset"
    assert await refusal(speech, dataset=reference) == "InvalidDataset"


async def test_models_and_data_stay_while_a_batch_needs_them(tmp_path: Path) -> None:
    """InUseViolation until it has ended; after that they can go, although the batch remains."""
    async with in_process(settings_for(tmp_path, retry_after=7)) as speech:
        dataset = await speech.dataset("AudioFiles", recordings("hi"))
        model = await xanadu_model(speech)
        references = {"dataset": {"self": dataset["self"]}, "model": {"self": model["self"]}}
        with held(tmp_path, "decoding"):
            batch = await submitted(speech, **references)
            for entity in (dataset, model):
                error = await speech.refused("DELETE", path_of(entity), 409)
                assert error["innerError"]["code"] == "InUseViolation"
            error = await speech.refused("DELETE", path_of(batch), 409)
            assert error["innerError"]["code"] == "DeleteNotAllowed"
            assert (await speech.call("GET", path_of(batch))).headers["Retry-After"] == "7"

        await speech.final(batch)
        for entity in (dataset, model, batch):
            assert (await speech.call("DELETE", path_of(entity))).status_code == 204


async def test_a_batch_is_gone_when_its_time_to_live_is_over(speech: Caller, shelf: Shelf) -> None:
    """Counted from its end, by the service's clock: not in lists, not by id, and its files are not there either."""
    batches = [
        await transcribed(speech, shelf.put("one.wav", audio), options={"timeToLiveHours": 6})
        for audio in (wav("hi"), b"failed")
    ]
    kept = await transcribed(speech, shelf.put("two.wav", wav("hi")), options={"timeToLiveHours": 7})
    files = (await speech.get(f"{path_of(batches[0])}/files", sasLifetimeMinutes=600))["values"]
    await speech.http.post("/_emulator/clock", json={"advance_seconds": 6 * 3600 - 60})
    assert len((await speech.get("/transcriptions"))["values"]) == 3
    await speech.http.post("/_emulator/clock", json={"advance_seconds": 60})

    assert (await speech.http.get(files[0]["links"]["contentUrl"])).status_code == 403
    assert [one["self"] for one in (await speech.get("/transcriptions"))["values"]] == [kept["self"]]
    for batch in batches:
        await speech.refused("GET", path_of(batch), 404)


async def test_transcriptions_of_an_evaluation_go_with_it_and_not_before(speech: Caller) -> None:
    """Evidence of a benchmark must not vanish after two days."""
    dataset = await speech.dataset("Acoustic", recordings("hi"))
    base = await speech.base_model()
    evaluation = await speech.evaluation(base, base, dataset)
    await speech.http.post("/_emulator/clock", json={"advance_seconds": 100 * 24 * 3600})

    assert (await speech.get(path_of(evaluation["transcription1"])))["status"] == "Succeeded"


async def test_a_restarted_server_goes_on_with_a_batch(tmp_path: Path) -> None:
    """It fetches and hears everything again."""
    async with in_process(settings_for(tmp_path)) as speech:
        dataset = await speech.dataset("AudioFiles", recordings("hi"))
    async with in_process(settings_for(tmp_path, speed="real")) as speech:
        batch = await submitted(speech, dataset={"self": dataset["self"]})
    async with in_process(settings_for(tmp_path)) as speech:
        assert (await speech.final(batch))["status"] == "Succeeded"


async def test_batches_can_be_made_to_fail(speech: Caller, shelf: Shelf) -> None:
    """By a job fault, like other jobs; the only way to MultipleLanguagesIdentified."""
    fault = {"job": "transcription", "code": "MultipleLanguagesIdentified"}
    await speech.http.post("/_emulator/faults", json=fault)
    batch = await transcribed(speech, shelf.put("one.wav", wav("hi")))

    assert (batch["status"], batch["properties"]["error"]["code"]) == ("Failed", "MultipleLanguagesIdentified")


async def test_the_locales_of_both_operations_are_told(speech: Caller) -> None:
    """Those that a recogniser exists for."""
    assert await speech.get("/transcriptions/locales") == {"Transcribe": ["en-US"], "Submit": ["en-US"]}
