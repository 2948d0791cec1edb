"""The page of each track and the index of all: written to the store after every flow, linked in the UI where they are served."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from prefect import task
from prefect.artifacts import acreate_link_artifact
from prefect.logging import get_run_logger

from domain.ledger import State
from domain.lineage.places import INDEX, page_key
from domain.mistakes import Mistake
from domain.report.track_page import Summary, TrackFacts, index_page, linked_digests, track_page
from domain.ruling import Ruling
from tasks.beside import all_tracks, read_requests, read_watched, side_by_side
from tasks.blocks import load_store, reports_url
from tasks.ledger import Ledger
from tasks.orchestrator import displayed
from tasks.retrying import FRESH
from tasks.store import ABSENT, Conflict, Store
from tasks.vault import read_ruling

_MOST_TRIES: Final = 8
"""Of one page, while other runs keep writing it."""


@task(name="track-page", description="The track's page and the index of all tracks, as they stand now.", **FRESH)
async def publish_track_page(store: str, track: str) -> None:
    """Write the track's page and the index anew, and link the page in the UI.

    A page that cannot be made is told in the log and holds nothing up.

    Args:
        store: name of the store's block.
        track: name of the track.
    """
    try:
        await write_pages(await load_store(store), track)
        if served := await reports_url(store):
            link = f"{served}/{page_key(track)}"
            await displayed(acreate_link_artifact, link=link, link_text=f"Track {track}", key=f"{track}-page")
    except Exception as error:  # its message may quote what people said
        place = traceback.extract_tb(error.__traceback__)[-1]
        get_run_logger().error(
            "The page of track '%s' could not be made (%s at %s:%s). What is live and what is recorded stand.",
            track, type(error).__name__, place.name, place.lineno,
        )  # fmt: skip


async def write_pages(store: Store, track: str) -> None:
    """Write the track's page and the index, each from what the store says at that moment.

    Raises:
        Mistake: the track's head or history cannot be read.
    """
    await _write(store, page_key(track), lambda: _page(store, track))
    await _write(store, INDEX, lambda: _index(store))


async def _write(store: Store, key: str, made: Callable[[], Awaitable[str]]) -> None:
    """Of two runs that write a page at once, the second makes it anew, and so nothing that one of them knew gets lost."""
    for left in reversed(range(_MOST_TRIES)):
        held = await store.read(key)
        page = (await made()).encode()
        if held and held.data == page:
            return
        try:
            await store.write(key, page, if_match=held.etag if held else ABSENT)
        except Conflict:
            if not left:
                raise
        else:
            return


async def _page(store: Store, track: str) -> str:
    ledger, now = Ledger(store, track), datetime.now(UTC)
    state, entries = await ledger.state(), await ledger.history()
    requests = [one for one in await read_requests(store, track) if not one.is_over and one.expires_at > now]
    wanted = sorted(linked_digests(state, entries))
    there = await side_by_side(lambda digest: store.exists(f"evidence/{digest}/report.html"), wanted)
    ruling = await _ruling(store, state)
    facts = TrackFacts(
        state,
        entries,
        now,
        watched=await read_watched(store, track),
        requests=requests,
        pages=frozenset(digest for digest, is_there in zip(wanted, there, strict=True) if is_there),
        locale=ruling.subject.track.locale if ruling else "",
        description=ruling.subject.track.description if ruling else "",
    )
    return await asyncio.to_thread(track_page, facts)


async def _ruling(store: Store, state: State) -> Ruling | None:
    """Of what is live, for what the track is called and for."""
    try:
        return await read_ruling(store, state.release.evidence) if state.release else None
    except Mistake:
        return None


async def _index(store: Store) -> str:
    tracks = await all_tracks(store)
    return index_page(await side_by_side(lambda name: _summary(store, name), tracks), datetime.now(UTC))


async def _summary(store: Store, track: str) -> Summary:
    """What the index says of a track; one that is damaged takes nobody else's place away."""
    now = datetime.now(UTC)
    try:
        state = await Ledger(store, track).state()
    except Mistake as mistake:
        return Summary(State(track=track), problem=str(mistake))
    waiting = sum(not one.is_over and one.expires_at > now for one in await read_requests(store, track))
    return Summary(state, await read_watched(store, track), waiting)
