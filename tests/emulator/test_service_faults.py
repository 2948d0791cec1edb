"""Faults on demand, over real HTTP."""

import httpx
import pytest

from tests.emulator.service_kit import Caller, served, settings_for


@pytest.fixture
async def speech(tmp_path):
    """An emulator over real HTTP."""
    async with served(settings_for(tmp_path)) as caller:
        yield caller


async def set_fault(speech: Caller, **fault) -> None:
    assert (await speech.http.post("/_emulator/faults", json=fault)).status_code == 201


async def fired(speech: Caller) -> int:
    return (await speech.http.get("/_emulator/faults")).json()[0]["fired"]


async def create(speech: Caller) -> httpx.Response:
    body = {"displayName": "x", "locale": "en-US", "kind": "Language"}
    return await speech.call("POST", "/datasets", json=body, timeout=1)


async def created(speech: Caller) -> int:
    return len((await speech.get("/datasets"))["values"])


@pytest.mark.parametrize(("when", "exist"), [("before", 0), ("after", 1)])
async def test_faults_strike_before_or_after_the_work_is_done(speech: Caller, when: str, exist: int) -> None:
    """The client cannot see the difference; the service can. Every kind, one after the other."""
    for number, kind in enumerate(("429", "500", "503", "reset", "hang"), start=1):
        await set_fault(speech, method="POST", path="/speechtotext/datasets", kind=kind, when=when, retry_after=3)
        if kind in ("reset", "hang"):
            with pytest.raises(httpx.ReadTimeout if kind == "hang" else httpx.TransportError):
                await create(speech)
        else:
            answer = await create(speech)
            assert answer.status_code == int(kind)
            assert answer.headers["Retry-After"] == "3"
            assert {"code", "message"} <= set(answer.json())
        assert await created(speech) == exist * number
        assert await fired(speech) == 1
        assert (await speech.http.delete("/_emulator/faults")).status_code == 204


async def test_a_fault_strikes_as_often_as_it_was_asked_to(speech: Caller) -> None:
    """And only requests that match."""
    await set_fault(speech, path="/speechtotext/(datasets|models)$", kind="503", times=2)

    statuses = [
        (await speech.call("GET", path)).status_code
        for path in ("/datasets/locales", "/datasets", "/models", "/models")
    ]
    assert statuses == [200, 503, 503, 200]
    assert await fired(speech) == 2


@pytest.mark.parametrize(
    "fault", [{"kind": "418"}, {"path": "(", "kind": "500"}, {"job": "poems"}, {"kind": "500", "tims": 2}]
)
async def test_a_fault_that_would_never_strike_is_refused(speech: Caller, fault: dict) -> None:
    """A typo must not make a test pass."""
    assert (await speech.http.post("/_emulator/faults", json=fault)).status_code == 400
