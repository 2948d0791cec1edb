"""Our client and a service: the emulator, and by `pytest -m azure` a real Speech resource. One judge for both.

Only what is cheap and quick: no training, no endpoint, no transcription. See `targets` for the environment.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from speech_client import (
    DatasetKind,
    DatasetUpdate,
    F,
    KeyCredential,
    NewDataset,
    NotFound,
    RequestRejected,
    SpeechClient,
    Status,
    Unauthorized,
)
from tests.contract.emulator_spec import require_spec
from tests.contract.targets import TARGETS, Target, connected, require_wish

require_spec()
NOBODY = "00000000-0000-0000-0000-000000000000"
WORDS = b"\xef\xbb\xbfgood morning\nthe train leaves at noon\n"


@pytest.fixture(params=TARGETS)
async def target(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Target]:
    """A service, and a name for what the test makes there."""
    require_wish(request.param, request.config)
    async with connected(request.param, tmp_path) as found:
        yield found


def new(target: Target) -> NewDataset:
    """A dataset that waits for its blocks, so it costs nothing."""
    return NewDataset(display_name=target.name, locale="en-US", kind=DatasetKind.LANGUAGE)


async def test_a_dataset_is_uploaded_read_changed_and_deleted(target: Target, tmp_path: Path) -> None:
    """In blocks; its report can be listed; afterwards it is not there."""
    path = tmp_path / "words.txt"
    path.write_bytes(WORDS)
    datasets = target.client.datasets
    created = await datasets.create(new(target))
    await datasets.upload(created, path)
    final = await target.client.wait_until_final(await datasets.get(created))
    changed = await datasets.update(final, DatasetUpdate(description="changed", custom_properties={"run": "1"}))
    files = [file async for file in datasets.files(final)]
    await datasets.delete(final)

    assert (final.status, final.properties and final.properties.accepted_line_count) == (Status.SUCCEEDED, 2)
    assert (changed.description, changed.custom_properties) == ("changed", {"run": "1"})
    assert "DatasetReport" in [file.kind for file in files]
    with pytest.raises(NotFound):
        await datasets.get(final)


async def test_lists_are_filtered_and_paged(target: Target) -> None:
    """Three of one name over two pages, each once, and none of another name."""
    made = {(await target.client.datasets.create(new(target))).id for _ in range(3)}
    found = [one async for one in target.client.datasets.list(filter=F.display_name == target.name, top=2)]

    assert {one.id for one in found} == made
    assert len(found) == 3


async def test_refusals_have_azures_form(target: Target) -> None:
    """What is not there, a wrong locale, a wrong key: each is an error of ours with Azure's code in it."""
    with pytest.raises(NotFound):
        await target.client.datasets.get(NOBODY)
    await target.client.datasets.delete(NOBODY)
    with pytest.raises(RequestRejected) as refused:
        await target.client.datasets.create(new(target).model_copy(update={"locale": "xx-XX"}))
    async with SpeechClient(target.client.endpoint, KeyCredential("0" * 32)) as stranger:
        with pytest.raises(Unauthorized):
            [one async for one in stranger.datasets.list()]

    assert refused.value.code


async def test_what_the_service_offers_is_understood(target: Target) -> None:
    """Base models, locales, web hooks: read, and every property declared."""
    client = target.client
    base = next(iter([one async for one in client.base_models.list(filter=F.locale == "en-US", top=20)]))
    await client.base_models.get(base)
    locales = await client.datasets.locales()
    for noun in (client.models, client.endpoints, client.evaluations):
        assert "en-US" in await noun.locales()
    await client.transcriptions.locales()
    [hook async for hook in client.web_hooks.list(top=5)]

    assert base.locale == "en-US"
    assert "en-US" in (locales.language or ())
    assert {"Models_ListBaseModels", "Models_GetBaseModel", "WebHooks_List"} <= target.seen
