"""Datasets: find or create them, upload their bytes in blocks, wait until the service has imported them."""

import asyncio
from collections.abc import Sequence
from typing import Final

from prefect import task
from prefect.logging import get_run_logger

from domain.mistakes import Mistake
from domain.naming import dataset_identity
from domain.track import Track
from speech_client import DatasetKind, NewDataset, SpeechClient, Status
from tasks.blocks import load_speech, load_store
from tasks.entities import Remote, find_or_create, provenance
from tasks.progress import Watch, watching
from tasks.retrying import REMOTE
from tasks.snapshots import Packed
from tasks.store import Store
from tasks.waking import wait_until_final

_BY_LINK: Final = "byLink"
"""Property of a dataset whose bytes the service reads from the store by itself."""


@task(
    name="start-datasets",
    description="Find or create each dataset; upload it in blocks, or let the service read it from the store.",
    **REMOTE,
)
async def start_datasets(
    speech: str, store: str, track: Track, revision: str, packed: Sequence[Packed]
) -> tuple[Remote, ...]:
    """Bring datasets to the Speech service; those that are there already cost one GET each."""
    keep = await load_store(store)
    async with (await load_speech(speech)).client() as client:
        return tuple(await asyncio.gather(*(_start(client, keep, track, revision, one) for one in packed)))


@task(name="await-datasets", description="Wait until the service has imported the datasets.", **REMOTE)
async def await_datasets(speech: str, track: Track, datasets: Sequence[Remote], testing: Remote | None = None) -> None:
    """Wait for imports side by side and say how many lines the service refused.

    Args:
        speech: name of the Speech Resource block.
        track: whose they are, and how long to wait.
        datasets: all of them.
        testing: which of them tests. A model that has not heard all of it gets no verdict, so that training it is in vain.

    Raises:
        JobFailed, JobTimedOut: an import did not succeed.
        Mistake: the service refused testing recordings that our check had taken.
    """
    speech_resource = await load_speech(speech)
    title = f"Importing {len(datasets)} dataset{'' if len(datasets) == 1 else 's'} of '{track.name}'"
    async with speech_resource.client() as client, watching(f"{track.name}-datasets", title, len(datasets)) as watch:
        await asyncio.gather(*(_await(client, track, one, watch, is_testing=one == testing) for one in datasets))


async def _start(client: SpeechClient, store: Store, track: Track, revision: str, packed: Packed) -> Remote:
    """Find or create a dataset, and bring its bytes where it has no link to them.

    Whoever creates a dataset with a link says so in its properties, in the same request. So whatever was interrupted
    between create and upload, in whichever run and with whichever settings: who finds it NotStarted knows whether it waits
    for an upload, or for its turn to read the link. One whose link ended before its turn is Failed, and never found again.
    """
    identity = dataset_identity(track.name, packed.kind, packed.content_hash)
    link = await store.link(packed.key)

    def draft(name: str) -> NewDataset:
        return NewDataset(
            display_name=name,
            locale=track.locale,
            kind=DatasetKind(packed.kind),
            description=f"{packed.kind} data of track '{track.name}' at {revision}",
            content_url=link,
            custom_properties=provenance(identity, track.name, revision) | ({_BY_LINK: "true"} if link else {}),
        )

    dataset, created = await find_or_create(client.datasets, identity, draft)
    if dataset.status == Status.NOT_STARTED and _BY_LINK not in (dataset.custom_properties or {}):
        async with store.local_copy(packed.key) as path:
            await client.datasets.upload(dataset, path)
        get_run_logger().info("Uploaded '%s'", dataset.display_name)
    return Remote.of(dataset, created=created)


async def _await(client: SpeechClient, track: Track, remote: Remote, watch: Watch, *, is_testing: bool) -> None:
    dataset = await client.datasets.get(remote.path)
    dataset = await wait_until_final(client, dataset, patience=track.patience.of("dataset"), on_poll=watch)
    properties = dataset.properties
    if properties and properties.rejected_line_count:
        told = (
            f"the service refused {properties.rejected_line_count} lines of '{dataset.display_name}' "
            f"({properties.accepted_line_count} accepted); its report file in Speech Studio says which"
        )
        if is_testing:
            raise Mistake(f"{told}. Mend those recordings, or remove them and their lines in trans.txt.")
        get_run_logger().warning("%s%s", told[0].upper(), told[1:])
