"""Read what stands beside a track's ledger: which tracks there are, open requests for approval, what the watch found."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from pydantic import ValidationError

from domain.approval import Request
from domain.lineage.places import approvals_prefix, first_entry_key, state_key, watch_key
from domain.mistakes import Mistake
from domain.track import TRACK_NAME
from domain.watch.findings import WatchReport
from tasks.reached import FOLDER, reached_key
from tasks.store import Store

_T = TypeVar("_T")
_R = TypeVar("_R")
_AT_ONCE: Final = 32


async def all_tracks(store: Store) -> list[str]:
    """The names of all tracks with a head, or that had one, sorted; their ledgers are not listed."""
    names = {name for name in await store.folders("tracks/") if TRACK_NAME.fullmatch(name)}
    noted = {key.removeprefix(FOLDER).removesuffix(".json") for key in await store.keys(FOLDER)}
    unsure = sorted(names - noted)
    there = await side_by_side(lambda name: _is_begun(store, name), unsure)
    return sorted(noted | {name for name, is_there in zip(unsure, there, strict=True) if is_there})


async def _is_begun(store: Store, track: str) -> bool:
    return await store.exists(state_key(track)) or await store.exists(first_entry_key(track))


async def known_track(store: Store, track: str) -> str:
    """The track's name, when it is one.

    Raises:
        Mistake: the store has no such track; it says which there are.
    """
    if TRACK_NAME.fullmatch(track) and (await _is_begun(store, track) or await store.exists(reached_key(track))):
        return track
    known = ", ".join(await all_tracks(store)) or "none"
    raise Mistake(
        f"the store {store} has no track {track[:80]!a} (known: {known}). Correct the name, or name the store with --store."
    )


async def read_watched(store: Store, track: str) -> WatchReport | None:
    """What the watch found last; None when it has never looked, or this version cannot read what it wrote."""
    stored = await store.read(watch_key(track))
    try:
        return WatchReport.model_validate_json(stored.data) if stored else None
    except ValidationError:
        return None


async def read_requests(store: Store, track: str) -> list[Request]:
    """All requests for approval that can be read, the oldest first."""
    keys = [key for key in await store.keys(approvals_prefix(track)) if key.endswith(".json")]
    found = [one for one in await side_by_side(lambda key: _request(store, key), keys) if one]
    return sorted(found, key=lambda one: one.asked_at)


async def _request(store: Store, key: str) -> Request | None:
    stored = await store.read(key)
    try:
        return Request.model_validate_json(stored.data) if stored else None
    except ValidationError:
        return None


async def side_by_side(work: Callable[[_T], Awaitable[_R]], items: Iterable[_T]) -> list[_R]:
    """The results of many small reads, in order; not all at once."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(item: _T) -> _R:
        async with turn:
            return await work(item)

    return await asyncio.gather(*map(one, items))
