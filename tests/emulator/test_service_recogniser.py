"""The service with its real recogniser: training makes a model that hears what the base model cannot know."""

from pathlib import Path

import pytest

from tests.emulator.service_kit import id_of, in_process, lines, settings_for, zipped
from tests.emulator.transcription_kit import results, transcribe, transcribed

SAMPLES = Path(__file__).parents[2] / "data/sharjah/testing"
SPOKEN = ("awb-01", "awb-02", "hts-01")


@pytest.mark.slow
@pytest.mark.skipif(not SAMPLES.exists(), reason="needs the sample recordings of data/sharjah")
async def test_a_model_trained_through_the_service_hears_more(tmp_path: Path) -> None:
    """Plain text and pronunciations over HTTP, decoded for real; the live endpoint has the trained model."""
    said = dict(row.split("\t") for row in (SAMPLES / "trans.txt").read_text("utf-8-sig").splitlines())
    chosen = {f"{name}.wav": said[f"{name}.wav"] for name in SPOKEN}
    rows = "".join(f"{name}\t{text}\n" for name, text in chosen.items())
    audio = {name: (SAMPLES / name).read_bytes() for name in chosen}
    sounds = (SAMPLES.parent / "training/pronunciation.txt").read_bytes()

    async with in_process(settings_for(tmp_path, engine="emulator.engine")) as speech:
        test = await speech.dataset("Acoustic", zipped({**audio, "trans.txt": rows.encode()}))
        text = await speech.dataset("Language", lines(*chosen.values()))  # a leak, on purpose: the point is the service
        model = await speech.model(text, await speech.dataset("Pronunciation", sounds))
        evaluation = await speech.evaluation(await speech.base_model(), model, test)
        properties = evaluation["properties"]
        assert properties["wordErrorRate2"] < 0.2 < properties["wordErrorRate1"]
        assert 1 <= model["properties"]["customModelWeightPercent"] <= 100

        reference = {"self": model["self"]}
        endpoint = await speech.post("/endpoints", displayName="e", locale="en-US", model=reference)
        await speech.final(endpoint)
        heard = await speech.http.post(
            "/speech/recognition/conversation/cognitiveservices/v1",
            params={"cid": id_of(endpoint), "language": "en-US"},
            content=audio[f"{SPOKEN[0]}.wav"],
            headers={"Content-Type": "audio/wav; codecs=audio/pcm; samplerate=16000"},
        )
        assert heard.json()["RecognitionStatus"] == "Success"
        assert "Mleiha" in heard.json()["DisplayText"]

        batch = await transcribed(speech, dataset={"self": test["self"]}, model=reference)
        result = (await results(speech, batch))[f"{SPOKEN[0]}.wav.json"]
        assert "Mleiha" in result["combinedRecognizedPhrases"][0]["display"]
        answer = (await transcribe(speech, audio[f"{SPOKEN[0]}.wav"])).json()
        assert [word["text"] for word in answer["phrases"][0]["words"]] == answer["combinedPhrases"][0]["text"].split()
