"""Lineage, read from the store: the history of tracks with the rulings that it tells of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from domain.ledger import Entry, State
from domain.lineage.history import Lines, lines_of
from domain.lineage.why import Why, why_of
from domain.mistakes import Mistake
from domain.ruling import Ruling
from tasks.beside import all_tracks, known_track, read_requests, read_watched, side_by_side
from tasks.ledger import Ledger
from tasks.store import Store
from tasks.store_errors import StoreTrouble
from tasks.vault import read_ruling


@dataclass(frozen=True, slots=True)
class Past:
    """A track's head and history, with those of its rulings that can be read; `lost` tells why others cannot."""

    state: State
    entries: Sequence[Entry]
    rulings: dict[str, Ruling] = field(default_factory=dict)
    """By digest."""
    lost: dict[str, str] = field(default_factory=dict)


async def read_past(store: Store, track: str, *, rulings: bool = True) -> Past:
    """A track with its rulings.

    Raises:
        Mistake: there is no such track, or its head or history cannot be read.
    """
    ledger = Ledger(store, await known_track(store, track))
    state, entries = await ledger.state(), await ledger.history()
    found, lost = await read_rulings(store, digests_of(state, entries) if rulings else [])
    return Past(state, entries, found, lost)


async def read_pasts(store: Store, tracks: Iterable[str] = ()) -> list[Past]:
    """Tracks with their rulings; without names all of the store.

    Raises:
        Mistake: a track cannot be read, or there is none at all.
    """
    names = list(tracks) or await all_tracks(store)
    if not names:
        raise Mistake(f"the store {store} has no track. Name the store with --store.")
    return [await read_past(store, name) for name in names]


def digests_of(state: State, entries: Iterable[Entry]) -> list[str]:
    """The digests of all rulings that head and history name, each once, the oldest first."""
    told = [str(one.facts["ruling"]) for one in entries if one.facts.get("ruling")]
    released = [one.evidence for one in (state.release, *state.previous_releases) if one]
    return list(dict.fromkeys([*told, *released, *([state.pending.evidence] if state.pending else [])]))


async def read_rulings(store: Store, digests: Iterable[str]) -> tuple[dict[str, Ruling], dict[str, str]]:
    """Rulings by digest, and of those that cannot be read, why."""

    async def read(digest: str) -> tuple[str, Ruling | str]:
        try:
            return digest, await read_ruling(store, digest)
        except StoreTrouble:
            raise
        except (Mistake, ValueError) as error:
            return digest, str(error)

    results = await side_by_side(read, digests)
    found = {digest: ruling for digest, ruling in results if isinstance(ruling, Ruling)}
    return found, {digest: why for digest, why in results if isinstance(why, str)}


async def read_why(store: Store, track: str) -> Why:
    """Why a track's model is live.

    Raises:
        Mistake: there is no such track, or its head or history cannot be read.
    """
    past = await read_past(store, track, rulings=False)
    wanted = [past.state.release.evidence] if past.state.release else []
    found, lost = await read_rulings(store, wanted)
    return why_of(
        past.state,
        past.entries,
        next(iter(found.values()), None),
        await read_requests(store, track),
        await read_watched(store, track),
        tuple(lost.values()),
    )


async def read_history(store: Store, track: str, last: int | None = None) -> Lines:
    """A track's history, the newest last.

    Args:
        store: holds the ledger.
        track: the track's name.
        last: only so many of the newest entries; None for all.

    Raises:
        Mistake: there is no such track, or its head or history cannot be read.
    """
    past = await read_past(store, track, rulings=False)
    lines = lines_of(past.entries, past.state)
    return Lines(track=track, entries=len(lines), lines=lines[-last:] if last else lines)
