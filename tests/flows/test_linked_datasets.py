"""Datasets that the Speech service reads from the blob store by itself, by a link that ends."""

import logging
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from prefect_azure import AzureBlobStorageCredentials

from flows.testing_update import testing_update
from speech_client import Datasets
from tasks.blob_block import AzureStore
from tests.azurite_kit import Azurite
from tests.flows.conftest import UNKNOWN, WORDS, World

RATE = len(UNKNOWN) / len(WORDS)


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The datasets that were uploaded through us."""
    seen: list[object] = []
    real = Datasets.upload

    async def upload(self: Datasets, dataset: object, *rest: object) -> object:
        seen.append(dataset)
        return await real(self, dataset, *rest)

    monkeypatch.setattr(Datasets, "upload", upload)
    return seen


async def test_the_service_reads_the_dataset_from_the_store(
    world: World, azurite: Azurite, uploads: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is uploaded through the worker, and the link's signature is in no line of the logs."""
    caplog.set_level(logging.INFO)
    account = AzureBlobStorageCredentials(connection_string=azurite.connection_string)
    await AzureStore(credentials=account, container=azurite.container().name, link_datasets=True).asave("linked")

    report = await testing_update(**world.arguments, store="linked")

    [dataset] = await world.entities("datasets")
    assert report.benchmark_wer == RATE
    address = urlsplit(dataset["contentUrl"])
    assert address.path.endswith(".zip")
    assert uploads == []
    [signature] = parse_qs(address.query)["sig"]
    lines = [unquote(caplog.handler.format(record)) for record in caplog.records]
    assert len(lines) > 20
    assert not [line for line in lines if signature in line]
