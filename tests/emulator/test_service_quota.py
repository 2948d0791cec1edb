"""The request quota: 100 requests in 10 seconds for a resource, then 429."""

from datetime import UTC, datetime

import httpx
import pytest

from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import KEY, Caller, in_process, served, settings_for

START = datetime(2026, 3, 1, tzinfo=UTC)
PATH = "/datasets/locales"


@pytest.fixture
async def speech(tmp_path):
    """An emulator that enforces the quota, with a clock that only we move."""
    async with in_process(settings_for(tmp_path, quota="real"), clock=lambda: START) as caller:
        yield caller


async def ask(speech: Caller, count: int) -> list[int]:
    return [(await speech.call("GET", PATH)).status_code for _ in range(count)]


async def advance(speech: Caller, seconds: float) -> None:
    await speech.http.post("/_emulator/clock", json={"advance_seconds": seconds})


async def quota(speech: Caller) -> dict:
    return (await speech.http.get("/_emulator/quota")).json()


async def test_the_hundred_and_first_request_in_ten_seconds_is_too_many(speech: Caller) -> None:
    """TooManyRequests in Azure's body; no Retry-After, for the specification declares none on errors."""
    assert await ask(speech, 100) == [200] * 100
    answer = await speech.call("GET", PATH)

    assert (answer.status_code, answer.json()["code"]) == (429, "TooManyRequests")
    assert "Retry-After" not in answer.headers


async def test_the_quota_is_a_window_that_slides(speech: Caller) -> None:
    """Each request counts for ten seconds; a refused one does not count."""
    await ask(speech, 60)
    await advance(speech, 6)
    assert await ask(speech, 41) == [200] * 40 + [429]
    await advance(speech, 3.9)
    assert await ask(speech, 1) == [429]
    await advance(speech, 0.1)

    assert await ask(speech, 61) == [200] * 60 + [429]


async def test_the_quota_is_of_the_resource_not_of_a_connection(tmp_path) -> None:
    """Two programs with one key share it."""
    async with served(settings_for(tmp_path, quota="real")) as speech:
        url, headers = speech.http.base_url, {"Ocp-Apim-Subscription-Key": KEY}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as other:
            await speech.http.post("/_emulator/clock", json={"offset_seconds": 0})
            found = await ask(speech, 60) + await ask(Caller(other), 60)

        assert (found.count(200), found.count(429)) == (100, 20)


async def test_short_audio_the_controls_and_strangers_use_no_quota(speech: Caller) -> None:
    """Recognition has a limit of its own, the controls are not Azure's, and a stranger must not block the owner."""
    path, headers = "/speech/recognition/conversation/cognitiveservices/v1", {"Content-Type": "audio/wav"}
    answer = await speech.http.post(path, params={"language": "en-US"}, content=wav("hello"), headers=headers)
    assert answer.status_code == 200
    await speech.http.get("/_emulator/state")
    await speech.refused("GET", PATH, 401, headers={"Ocp-Apim-Subscription-Key": "wrong"})

    assert (await quota(speech))["used"] == 0


async def test_a_quota_that_is_off_still_tells_what_azure_would_have_refused(tmp_path) -> None:
    """By default: jobs and polls are much quicker here than there."""
    async with in_process(settings_for(tmp_path), clock=lambda: START) as speech:
        assert await ask(speech, 103) == [200] * 103

        found = {"mode": "off", "used": 100, "limit": 100, "window_seconds": 10, "beyond": 3}
        assert await quota(speech) == found
        await speech.http.put("/_emulator/quota", json={"mode": "real"})
        assert await ask(speech, 1) == [429]


async def test_setting_the_clock_back_frees_the_quota(speech: Caller) -> None:
    """Requests of the future do not count."""
    await advance(speech, 1000)
    await ask(speech, 100)
    await speech.http.post("/_emulator/clock", json={"offset_seconds": 0})

    assert await ask(speech, 1) == [200]
