"""Data of tracks in a blob container, at any listing that was kept, as long as none of its blobs was replaced.

Blob storage has no commits, so a listing stands for one. It is kept in the store, not beside the data: writing there would
send the very events that start us.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.storage.blob import BlobProperties

from domain.changes import Part, parts_of_tracks, place_of
from domain.mistakes import Mistake
from domain.plan import Plan, make_retest_plan
from domain.pushes import PushRules
from domain.track import MOST_SETTINGS
from tasks.blob_container import CLIENTS, PARALLEL, Container
from tasks.blob_errors import explained
from tasks.blob_listing import Blob, Listing
from tasks.data_source import Opened, check_track
from tasks.scratch import scratch_folder
from tasks.store import Conflict, Store

_AT_ONCE: Final = 8
"""Blobs that are loaded at the same time."""

_DIGITS: Final = 12
"""Of a listing's hash, as people call a revision."""


class NewerData(Mistake):
    """A blob was replaced or removed since it was listed: this state of the data is gone for good."""


@dataclass(frozen=True, slots=True)
class BlobSource:
    """A `DataSource` in a container of Azure Blob Storage.

    Args:
        name: of its block.
        container: where the blobs are.
        prefix: the folder of all tracks in it; empty for the whole container.
        load_store: gives the store that keeps listings.
        page_size: how many names to ask for at once.
    """

    name: str
    container: Container
    prefix: str
    load_store: Callable[[], Awaitable[Store]]
    page_size: int = 5000

    def __str__(self) -> str:
        return f"{self.container.address()}/{self._folder}".rstrip("/")

    @property
    def rules(self) -> PushRules:
        """There are no pushes to it."""
        return PushRules(branches=(), retest_tags=())

    async def newest(self, ref: str = "") -> str:
        """The hash of what the container lists now; the listing itself is kept in the store."""
        if ref:
            raise Mistake(f"{self} is a blob container: it has no {ref[:80]!a}. Leave the ref empty.")
        store, blobs = await self.load_store(), await self._list()
        revision = Listing(blobs=blobs).revision
        kept = await _kept(store, revision)
        if kept is None or kept.blobs != blobs:
            listing = Listing(blobs=blobs, settings=await self._settings(blobs))
            await store.write(_key(revision), listing.model_dump_json().encode())
        return revision

    async def plan(self, before: str, after: str, occasion: str = "") -> Plan:
        """What has to run; see `DataSource.plan`. Two kept listings are compared, and the container is not asked."""
        new = await self._listing(after)
        old = await _kept(await self.load_store(), before) if before else None
        return new.plan_since(old or Listing(), occasion)

    async def plan_retest(self, revision: str, tag: str, occasion: str = "") -> Plan:
        """What has to run because a tag asks for a new test."""
        listing = await self._listing(revision)
        return make_retest_plan(parts_of_tracks(listing.blobs, ""), tag, revision=revision, occasion=occasion)

    @asynccontextmanager
    async def opened(self, revision: str, track: str = "") -> AsyncIterator[Opened]:
        """The data of a listing, of one track or of all, in a temporary folder: those very blobs, or none."""
        listing = await self._listing(revision)
        check_track(parts_of_tracks(listing.blobs, ""), track, f"{self} at {revision[:_DIGITS]}")
        with scratch_folder() as scratch:
            try:
                await self._load_all(listing.files(track), scratch)
            except (Conflict, KeyError):
                await self._load_again(revision, track, scratch)
            yield Opened(scratch, revision[:_DIGITS])

    def is_repository(self, address: str) -> bool:
        """Never: this is a container."""
        return False

    def holds_blob(self, account: str, container: str, blob: str) -> bool:
        """Whether a blob of that path lies in its folder."""
        place = urlsplit(self.container.address())
        host, path = place.hostname or "", place.path.strip("/")
        ours = host.partition(".")[0] if ".blob." in host else path.partition("/")[0]
        return (account.lower(), container) == (ours.lower(), self.container.name) and blob.startswith(self._folder)

    @property
    def _folder(self) -> str:
        return f"{self.prefix.strip('/')}/".lstrip("/")

    async def _list(self) -> dict[str, Blob]:
        client = await CLIENTS.get(self.container)
        with explained(str(self), self._folder):
            found = client.list_blobs(self._folder or None, include=["metadata"], results_per_page=self.page_size)
            return {blob.name.removeprefix(self._folder): _blob(blob) async for blob in found if not _is_folder(blob)}

    async def _settings(self, blobs: Mapping[str, Blob]) -> dict[str, str]:
        """The text of all settings; one that changes right now is left out, for then a newer listing comes."""
        places = {path: place_of(path, "") for path, blob in blobs.items() if blob.size <= MOST_SETTINGS}
        paths = [path for path, place in places.items() if place and place.part is Part.SETTINGS]
        limit = asyncio.Semaphore(_AT_ONCE)
        texts = await asyncio.gather(*(self._text(path, blobs[path], limit) for path in paths))
        return {path: text for path, text in zip(paths, texts, strict=True) if text is not None}

    async def _text(self, path: str, blob: Blob, limit: asyncio.Semaphore) -> str | None:
        client = await CLIENTS.get(self.container)
        try:
            async with limit:
                with explained(str(self), path):
                    stream = await client.get_blob_client(f"{self._folder}{path}").download_blob(**_pinned(blob))
                    return bytes(await stream.readall()).decode()
        except (Conflict, KeyError, UnicodeDecodeError):
            return None

    async def _listing(self, revision: str) -> Listing:
        kept = await _kept(await self.load_store(), revision)
        if kept is None:
            raise Mistake(
                f"the store keeps no listing {revision[:80]!a} of {self}. Leave the revision empty for what is there now."
            )
        return kept

    async def _load_again(self, revision: str, track: str, folder: Path) -> None:
        """The same content may have been uploaded once more: then its new ETags are pinned."""
        try:
            if await self.newest() == revision:
                await self._load_all((await self._listing(revision)).files(track), folder)
                return
        except (Conflict, KeyError):
            pass
        raise NewerData(
            f"newer data have come to {self} since the listing {revision[:_DIGITS]}, and blobs keep no older state. A newer "
            "run does them; start one if nothing does."
        )

    async def _load_all(self, files: Mapping[str, Blob], folder: Path) -> None:
        limit = asyncio.Semaphore(_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                for path, blob in files.items():
                    group.create_task(self._load(path, blob, folder / path, limit))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _load(self, path: str, blob: Blob, target: Path, limit: asyncio.Semaphore) -> None:
        client = await CLIENTS.get(self.container)
        async with limit:
            target.parent.mkdir(parents=True, exist_ok=True)
            with explained(str(self), path), target.open("wb") as file:
                loaded = client.get_blob_client(f"{self._folder}{path}")
                await (await loaded.download_blob(max_concurrency=PARALLEL, **_pinned(blob))).readinto(file)


def _key(revision: str) -> str:
    return f"listings/{revision}.json"


async def _kept(store: Store, revision: str) -> Listing | None:
    """A kept listing that still is what its name says."""
    stored = await store.read(_key(revision)) if revision.isalnum() else None
    listing = Listing.model_validate_json(stored.data) if stored else None
    return listing if listing and listing.revision == revision else None


def _pinned(blob: Blob) -> dict[str, Any]:
    return {"etag": f'"{blob.etag}"', "match_condition": MatchConditions.IfNotModified}


def _blob(found: BlobProperties) -> Blob:
    md5 = bytes(found.content_settings.content_md5 or b"").hex()
    return Blob(etag=str(found.etag).strip('"'), md5=md5, size=int(found.size))


def _is_folder(found: BlobProperties) -> bool:
    """Data Lake Storage lists folders as blobs with this mark; tools mark them by a slash at the end."""
    return (found.metadata or {}).get("hdi_isfolder") == "true" or found.name.endswith("/")
