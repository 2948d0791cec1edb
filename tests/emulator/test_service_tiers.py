"""The pricing tiers F0 and S0: how much a resource may have."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulator.entities import Dataset, DatasetKind
from emulator.errors import JobFailure, ServiceError
from emulator.settings import Tier
from emulator.store import Store
from emulator.tiers import LIMITS
from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import Caller, held, id_of, in_process, lines, path_of, settings_for

START = datetime(2026, 3, 1, tzinfo=UTC)
SHORT_AUDIO = "/speech/recognition/conversation/cognitiveservices/v1"
KB, MB = 1024, 1024**2
DATASET = {
    "display_name": "x",
    "locale": "en-US",
    "kind": DatasetKind.LANGUAGE,
    "created_date_time": START,
    "last_action_date_time": START,
}


async def recognise(speech: Caller, text: str, **query) -> int:
    parameters, headers = {"language": "en-US", **query}, {"Content-Type": "audio/wav"}
    return (await speech.http.post(SHORT_AUDIO, params=parameters, content=wav(text), headers=headers)).status_code


@pytest.fixture
async def free(tmp_path):
    """A resource of tier F0."""
    async with in_process(settings_for(tmp_path, tier="F0"), clock=lambda: START) as caller:
        yield caller


async def create(speech: Caller) -> dict:
    return await speech.post("/datasets", displayName="x", locale="en-US", kind="Language")


async def refused_dataset(speech: Caller) -> dict:
    body = {"displayName": "x", "locale": "en-US", "kind": "Language"}
    return await speech.refused("POST", "/datasets", 409, json=body)


async def test_f0_has_two_datasets(free: Caller) -> None:
    """The third is a QuotaViolation; deleting one makes room."""
    dataset, _ = await create(free), await create(free)
    assert (await refused_dataset(free))["innerError"]["code"] == "QuotaViolation"
    await free.call("DELETE", path_of(dataset))

    await create(free)


def test_s0_has_five_hundred_datasets(tmp_path: Path) -> None:
    """Those are all."""
    store = Store(tmp_path / "emulator.sqlite3")
    with store.transaction():
        for number in range(499):
            store.save(Dataset(id=str(number), **DATASET))
    LIMITS[Tier.S0].require_room(store)
    store.save(Dataset(id="500", **DATASET))

    with pytest.raises(ServiceError) as error:
        LIMITS[Tier.S0].require_room(store)
    assert (error.value.status, error.value.detail) == (409, "QuotaViolation")
    store.close()


@pytest.mark.parametrize(
    ("tier", "kind", "most"),
    [
        (Tier.F0, DatasetKind.PRONUNCIATION, KB),
        (Tier.S0, DatasetKind.PRONUNCIATION, MB),
        (Tier.F0, DatasetKind.LANGUAGE, 200 * MB),
        (Tier.S0, DatasetKind.LANGUAGE, 1536 * MB),
        (Tier.F0, DatasetKind.ACOUSTIC, 2048 * MB),
        (Tier.S0, DatasetKind.ACOUSTIC, 2048 * MB),
    ],
)
def test_each_tier_has_its_file_sizes(tier: Tier, kind: DatasetKind, most: int) -> None:
    """As on Microsoft's page of limits, to the byte."""
    LIMITS[tier].check_size(kind, most)
    with pytest.raises(JobFailure, match="larger than"):
        LIMITS[tier].check_size(kind, most + 1)


async def test_a_dataset_that_is_too_large_for_its_tier_fails(free: Caller) -> None:
    """And its error says how large it may be."""
    dataset = await free.dataset("Pronunciation", lines(*["xanadu\tzan a doo"] * 100))

    error = dataset["properties"]["error"]
    assert (error["code"], "1 KB" in error["message"]) == ("DataImportFailed", True)


async def test_f0_endpoints_are_deleted_after_seven_days(free: Caller) -> None:
    """By id, in lists and for recognition; not a second earlier."""
    endpoint = await free.final(await free.post("/endpoints", displayName="e", locale="en-US"))
    await free.http.post("/_emulator/clock", json={"offset_seconds": 7 * 86_400 - 1})
    assert await recognise(free, "hello", cid=id_of(endpoint)) == 200
    await free.http.post("/_emulator/clock", json={"offset_seconds": 7 * 86_400})

    assert await recognise(free, "hello", cid=id_of(endpoint)) == 404
    assert await free.get("/endpoints") == {"values": []}
    await free.refused("GET", path_of(endpoint), 404)


async def test_s0_endpoints_stay(tmp_path) -> None:
    """They cost money until somebody deletes them."""
    async with in_process(settings_for(tmp_path), clock=lambda: START) as speech:
        endpoint = await speech.post("/endpoints", displayName="e", locale="en-US")
        await speech.http.post("/_emulator/clock", json={"offset_seconds": 3650 * 86_400})

        assert (await speech.get("/endpoints"))["values"][0]["self"] == endpoint["self"]


@pytest.mark.parametrize("operation", ["submit", "transcribe"])
async def test_f0_has_no_batch_and_no_fast_transcription(free: Caller, operation: str) -> None:
    """SkuLimitsExist; transcriptions can still be listed."""
    body = {"displayName": "t", "locale": "en-US", "contentUrls": ["http://127.0.0.1:1/a.wav"]}
    kwargs = {"files": {"audio": wav("hello"), "definition": b"{}"}} if operation == "transcribe" else {"json": body}
    if operation == "submit":
        body["properties"] = {"timeToLiveHours": 48}
    error = await free.refused("POST", f"/transcriptions:{operation}", 403, **kwargs)

    assert error["innerError"]["code"] == "SkuLimitsExist"
    assert await free.get("/transcriptions") == {"values": []}


async def test_f0_recognises_one_recording_at_a_time(tmp_path: Path) -> None:
    """The next one at the same time is too many; afterwards there is room again."""
    async with in_process(settings_for(tmp_path, tier="F0")) as speech:
        with held(tmp_path, "slowly"):
            first = asyncio.create_task(recognise(speech, "slowly"))
            while not await under_way(speech):
                assert not first.done()
            assert await recognise(speech, "hello") == 429
        assert await first == 200
        assert await recognise(speech, "hello") == 200
        assert await under_way(speech) == {}


async def under_way(speech: Caller) -> dict[str, int]:
    return (await speech.http.get("/_emulator/state")).json()["recognitions_under_way"]


def test_s0_recognises_a_hundred_at_a_time_per_endpoint() -> None:
    """Base models count as one endpoint."""
    assert LIMITS[Tier.S0].recognitions == 100
