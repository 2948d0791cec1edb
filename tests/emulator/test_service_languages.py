"""Language identification in batches: what may be asked for, and what a service with one recogniser makes of it."""

import pytest

from tests.emulator.conftest import Shelf
from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import Caller, held, in_process, lines, path_of, recordings, settings_for
from tests.emulator.transcription_kit import phrase, refusal, results, submitted, transcribed

URL = "http://x/a.wav"
EUROPE = ["de-DE", "fr-FR", "es-ES", "it-IT", "nl-NL", "pl-PL", "sv-SE", "fi-FI", "el-GR", "cs-CZ"]


def among(*locales: str, **changes: object) -> dict:
    """Options that ask for the language."""
    return {"languageIdentification": {"candidateLocales": list(locales), **changes}}


@pytest.mark.parametrize("mode", ["Continuous", "Single"])
@pytest.mark.parametrize("main", ["en-US", "fr-FR"])
async def test_speech_is_en_us_when_that_is_a_candidate(speech: Caller, shelf: Shelf, main: str, mode: str) -> None:
    """Each phrase says so; the batch may have another main locale."""
    url = shelf.put("one.wav", wav("good morning"))
    batch = await transcribed(speech, url, locale=main, options=among("fr-FR", "en-US", mode=mode))

    assert (batch["status"], batch["locale"]) == ("Succeeded", main)
    found = await phrase(speech, batch)
    assert (found["locale"], found["nBest"][0]["lexical"]) == ("en-US", "good morning")


async def test_a_phrase_has_no_locale_when_none_was_to_be_identified(speech: Caller, shelf: Shelf) -> None:
    """As documented."""
    assert "locale" not in await phrase(speech, await transcribed(speech, shelf.put("one.wav", wav("hi"))))


async def test_continuous_identification_falls_back_on_the_main_locale(speech: Caller, shelf: Shelf) -> None:
    """No candidate fits: the speech is transcribed as what the batch says it is, with the batch's model."""
    model = await speech.model(await speech.dataset("Language", lines("xanadu")))
    url = shelf.put("one.wav", wav("to xanadu"))
    batch = await transcribed(speech, url, options=among("de-DE", "fr-FR"), model={"self": model["self"]})

    assert batch["properties"]["languageIdentification"]["mode"] == "Continuous"
    found = await phrase(speech, batch)
    assert (found["locale"], found["nBest"][0]["lexical"]) == ("en-US", "to xanadu")


@pytest.mark.parametrize(("said", "candidates"), [("hello", ("de-DE", "fr-FR")), ("", ("de-DE", "en-US"))])
async def test_single_identification_fails_when_no_language_is_identified(
    speech: Caller, shelf: Shelf, said: str, candidates: tuple
) -> None:
    """English that was not to be expected, and silence."""
    batch = await transcribed(speech, shelf.put("one.wav", wav(said)), options=among(*candidates, mode="Single"))

    assert (batch["status"], batch["properties"]["error"]["code"]) == ("Failed", "NoLanguageIdentified")
    report = (await results(speech, batch))["report.json"]
    assert report["details"][0]["errorKind"] == "NoLanguageIdentified"


async def test_each_candidate_can_have_a_model_of_its_own(tmp_path) -> None:
    """Given back as a reference, used for speech of that locale, and kept while the batch runs."""
    async with in_process(settings_for(tmp_path)) as speech:
        model = await speech.model(await speech.dataset("Language", lines("xanadu")))
        dataset = await speech.dataset("AudioFiles", recordings("to xanadu"))
        options = among("de-DE", "en-US", speechModelMapping={"en-US": {"self": model["self"]}})
        with held(tmp_path, "decoding"):
            batch = await submitted(speech, dataset={"self": dataset["self"]}, options=options)
            identification = batch["properties"]["languageIdentification"]
            assert identification["speechModelMapping"] == {"en-US": {"self": model["self"]}}
            assert (await speech.refused("DELETE", path_of(model), 409))["innerError"]["code"] == "InUseViolation"
        files = await results(speech, await speech.final(batch))

    assert files["0.wav.json"]["combinedRecognizedPhrases"][0]["lexical"] == "to xanadu"


async def test_an_unmapped_candidate_is_heard_with_the_base_model(speech: Caller, shelf: Shelf) -> None:
    """The specification: "If no model is given for a locale, the default base model is used"."""
    model = await speech.model(await speech.dataset("Language", lines("xanadu")))
    url = shelf.put("one.wav", wav("to xanadu"))
    batch = await transcribed(speech, url, options=among("de-DE", "en-US"), model={"self": model["self"]})

    assert (await phrase(speech, batch))["nBest"][0]["lexical"] == "to uh"


async def test_language_identification_has_its_form(speech: Caller) -> None:
    """Candidates are required, as a list; there are two modes; models are references."""
    for identification in [
        {},
        {"candidateLocales": None},
        {"candidateLocales": "en-US"},
        {"candidateLocales": ["en-US", "de-DE"], "mode": "Sometimes"},
        {"candidateLocales": ["en-US", "de-DE"], "speechModelMapping": {"en-US": "a model"}},
    ]:
        assert await refusal(speech, URL, options={"languageIdentification": identification}) == "InvalidPayload"


async def test_continuous_identification_takes_two_to_ten_languages(speech: Caller) -> None:
    """The main locale counts; one locale per language, of those that Azure can tell apart."""
    for candidates in [
        [],
        ["en-US"],
        ["en-US", *EUROPE],
        EUROPE,
        ["en-US", "en-GB", "de-DE"],
        ["de-DE", "de-DE"],
        ["en-US", "xx-XX"],
        ["en-US", "de"],
    ]:
        assert await refusal(speech, URL, options=among(*candidates)) == "InvalidLocale"


async def test_single_identification_takes_any_number_of_languages(speech: Caller, shelf: Shelf) -> None:
    """The specification: "the maximum number of candidate locales is unbounded"."""
    url = shelf.put("one.wav", wav("hi"))

    assert (await transcribed(speech, url, options=among("en-US", *EUROPE, mode="Single")))["status"] == "Succeeded"


async def test_a_batch_that_could_hear_nothing_is_refused(speech: Caller) -> None:
    """Continuous identification among languages without a recogniser, in a main locale without one."""
    assert await refusal(speech, URL, locale="fr-FR", options=among("fr-FR", "de-DE")) == "InvalidLocale"


async def test_mapped_models_must_fit_their_candidates(speech: Caller) -> None:
    """Keys are candidates, values are models of that locale."""
    base = {"self": (await speech.base_model())["self"]}

    not_a_candidate = among("en-US", "de-DE", speechModelMapping={"fr-FR": base})
    assert await refusal(speech, URL, options=not_a_candidate) == "InvalidLocale"
    other_locale = among("en-US", "de-DE", speechModelMapping={"de-DE": base})
    assert await refusal(speech, URL, options=other_locale) == "ModelMismatch"
    unknown = among("en-US", "de-DE", speechModelMapping={"en-US": {"self": "http://x/none"}})
    assert await refusal(speech, URL, options=unknown) == "InvalidModel"
