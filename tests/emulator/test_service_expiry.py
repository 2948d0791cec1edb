"""Expiry: what happens when a model's time is over, by the service's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from emulator.clock import Clock
from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import Caller, id_of, in_process, lines, recordings, settings_for
from tests.emulator.test_service_endpoints import hear
from tests.emulator.transcription_kit import refusal, transcribe

CREATED = datetime(2026, 2, 1, tzinfo=UTC)
EXPIRES = datetime(2028, 4, 15, tzinfo=UTC)
"""Two years after the quarter of its creation, which ends on 15 April 2026."""
OLDEST_BASE_MODEL_ENDS = datetime(2045, 1, 15, tzinfo=UTC)


class Hands:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = CREATED

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Set to the day on which the models are made."""
    return Hands()


@pytest.fixture
async def speech(tmp_path, clock: Clock):
    """An emulator with that clock."""
    async with in_process(settings_for(tmp_path), clock) as caller:
        yield caller


async def xanadu_model(speech: Caller) -> dict:
    return await speech.model(await speech.dataset("Language", lines("xanadu")))


async def endpoint_with(speech: Caller, model: dict) -> str:
    body = {"displayName": "e", "locale": "en-US", "model": {"self": model["self"]}}
    return id_of(await speech.final(await speech.post("/endpoints", **body)))


async def heard(speech: Caller, cid: str) -> str:
    answer = await hear(speech, wav("to xanadu"), cid=cid)
    assert answer.status_code == 200
    text: str = answer.json()["DisplayText"]
    return text


async def test_a_custom_model_has_one_date_two_years_after_its_quarter(speech: Caller) -> None:
    """Only base models can be adapted, so it has no adaptation date."""
    assert (await xanadu_model(speech))["properties"]["deprecationDates"] == {
        "transcriptionDateTime": f"{EXPIRES:%Y-%m-%dT%H:%M:%SZ}"
    }


async def test_a_custom_model_cannot_be_the_base_of_another(speech: Caller) -> None:
    """There is no stacking of models."""
    dataset = await speech.dataset("Language", lines("xanadu"))
    body = {"displayName": "m", "locale": "en-US", "datasets": [{"self": dataset["self"]}]}
    base = {"baseModel": {"self": (await speech.model(dataset))["self"]}}

    error = await speech.refused("POST", "/models", 400, json={**body, **base})
    assert error["innerError"]["code"] == "InvalidBaseModel"


async def test_an_endpoint_silently_answers_with_the_base_model_once_its_own_has_expired(
    speech: Caller, clock: Hands
) -> None:
    """Nothing in the answer or on the endpoint says so; the last second before is still the model's."""
    cid = await endpoint_with(speech, await xanadu_model(speech))
    before = await speech.get(f"/endpoints/{cid}")
    clock.now = EXPIRES - timedelta(seconds=1)
    assert await heard(speech, cid) == "To xanadu."
    clock.now = EXPIRES

    assert await heard(speech, cid) == "To uh."
    assert await speech.get(f"/endpoints/{cid}") == before


async def test_an_endpoint_of_an_expired_base_model_goes_on_with_the_newest(speech: Caller, clock: Hands) -> None:
    """Callers keep their id."""
    models = (await speech.get("/models/base"))["values"]
    oldest = min(models, key=lambda model: model["createdDateTime"])
    cid = await endpoint_with(speech, oldest)
    clock.now = OLDEST_BASE_MODEL_ENDS

    assert await heard(speech, cid) == "To uh."


async def test_an_expired_model_is_refused_for_everything_new(speech: Caller, clock: Hands) -> None:
    """Batches, evaluations and endpoints: a 4xx with ModelDeprecated."""
    model = await xanadu_model(speech)
    dataset = await speech.dataset("Acoustic", recordings("hello"))
    reference, base = {"self": model["self"]}, {"self": (await speech.base_model())["self"]}
    clock.now = EXPIRES

    body = {"displayName": "e", "locale": "en-US"}
    evaluation = {**body, "model1": base, "model2": reference, "dataset": {"self": dataset["self"]}}
    for path, asked in (("/evaluations", evaluation), ("/endpoints", {**body, "model": reference})):
        error = await speech.refused("POST", path, 400, json=asked)
        assert error["innerError"]["code"] == "ModelDeprecated"
    assert await refusal(speech, "http://x/a.wav", model=reference) == "ModelDeprecated"
    mapped = {"candidateLocales": ["en-US", "de-DE"], "speechModelMapping": {"en-US": reference}}
    assert await refusal(speech, "http://x/a.wav", options={"languageIdentification": mapped}) == "ModelDeprecated"


async def test_an_expired_base_model_is_refused_too(speech: Caller, clock: Hands) -> None:
    """Also by the synchronous operation; without a model the newest one is taken, and works."""
    models = (await speech.get("/models/base"))["values"]
    oldest = min(models, key=lambda model: model["createdDateTime"])["self"]
    clock.now = OLDEST_BASE_MODEL_ENDS

    answer = await transcribe(speech, wav("hi"), {"models": {"en-US": oldest}})
    assert (answer.status_code, answer.json()["innerError"]["code"]) == (400, "ModelDeprecated")
    assert (await transcribe(speech, wav("hi"))).status_code == 200
    assert await refusal(speech, "http://x/a.wav", model={"self": oldest}) == "ModelDeprecated"


async def test_a_base_model_past_its_adaptation_date_still_recognises(speech: Caller) -> None:
    """Adaptation ends a year earlier than transcription."""
    models = (await speech.get("/models/base"))["values"]
    oldest = min(models, key=lambda model: model["createdDateTime"])
    dataset = await speech.dataset("Language", lines("xanadu"))
    body = {"displayName": "m", "locale": "en-US", "datasets": [{"self": dataset["self"]}]}

    error = await speech.refused("POST", "/models", 400, json={**body, "baseModel": {"self": oldest["self"]}})
    assert error["innerError"]["code"] == "ModelDeprecated"
    assert await heard(speech, await endpoint_with(speech, oldest)) == "To uh."
