"""`speechops forget`: everywhere that a speaker's recordings are, and what becomes of them."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployments.stores import opened_store
from domain.corpus import canonical_name
from domain.lineage.forgetting import BACKUPS, Forgotten, Holding
from domain.mistakes import Mistake
from domain.naming import dataset_identity
from domain.track import check_name
from speech_client import SpeechError
from tasks.acoustic import LABELS
from tasks.beside import known_track
from tasks.filesets import leads_out
from tasks.forgetting import Search, note_forgotten, remove_held
from tasks.store import Store


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for; `remove` is off for a mere list."""

    speaker: str
    track: str
    remove: bool
    in_use: bool
    by: str
    speech: str
    """Name of the Speech Resource block; empty leaves the service alone."""
    data: Path


async def forget(store_name: str, wish: Wish) -> Forgotten:
    """List what holds a speaker's recordings and, if asked, remove it.

    The history notes it before anything goes: who is interrupted runs it again.

    Args:
        store_name: a store's folder, or the name of its block.
        wish: what is asked for.

    Raises:
        Mistake: nothing holds the label, or it stands in several tracks, where it may mean different people.
    """
    store = await opened_store(store_name)
    in_data = await asyncio.to_thread(lambda: list(_in_data(wish)))
    search = await _found(store, wish, await asyncio.to_thread(_prints_in_data, wish))
    if not search.holdings and not in_data:
        raise Mistake(
            "no testing data in the store, and none in the data folder, have that label as `speaker`. Write it as "
            "utterances.tsv does; `--store` and `--data` name other places."
        )
    _refuse_several(search, wish)
    search.spared(wish.in_use)
    noted = await note_forgotten(store, search, wish.by) if wish.remove else ()
    on_service = await _on_service(search, wish)
    held = await remove_held(store, search.holdings) if wish.remove else search.holdings
    if wish.remove:
        await _pages(store, noted)
    return Forgotten(
        recordings=len(search.names),
        asked_to_remove=wish.remove,
        holdings=(*held, *on_service, *in_data),
        noted_in=noted,
        notes=(*search.notes, *BACKUPS),
    )


async def _found(store: Store, wish: Wish, prints: set[str]) -> Search:
    if not wish.speaker.strip():
        raise Mistake("name the speaker, as the labels in utterances.tsv do.")
    if wish.track:
        check_name(wish.track)
        await known_track(store, wish.track)
    search = await Search.begun(store, wish.speaker, wish.track)
    search.prints |= prints
    await search.sheets()
    await search.training()
    await search.evidence()
    return search


def _refuse_several(search: Search, wish: Wish) -> None:
    """`s01` of one track need not be `s01` of another."""
    groups = {one.tracks for one in search.holdings if one.key.endswith(".sheet.json") and one.tracks}
    apart = [set(one) for one in groups]
    if wish.remove and not wish.track and any(not one & other for one in apart for other in apart):
        names = ", ".join(sorted({track for one in groups for track in one}))
        raise Mistake(
            f"the label stands in data of several tracks ({names}), where it may mean different people. Nothing was removed: "
            "look at the list without --yes, then name one track with --track."
        )


async def _on_service(search: Search, wish: Wish) -> Sequence[Holding]:
    """What the Speech service has; listed by name when nobody can ask it."""
    if not wish.speech or not search.hashes:
        return ()
    try:
        return await _asked_service(search, wish)
    except (Mistake, SpeechError) as error:
        return list(_by_hand(search, f"the Speech service could not be asked ({error})", wish.remove))


async def _asked_service(search: Search, wish: Wish) -> Sequence[Holding]:
    from deployments.deploy_command import server  # imports Prefect, which a mere list in a folder does not need
    from tasks.blocks import load_speech
    from tasks.forgetting_service import held_by_service, remove_from_service

    async with server():
        resource = await load_speech(wish.speech)
    kept = {one.key for one in search.holdings if one.fate == "kept"}
    hashes = [one for one in search.hashes if not any(key.startswith(f"snapshots/{one}.") for key in kept)]
    async with resource.client() as client:
        held = await held_by_service(client, hashes, wish.track)
        return await remove_from_service(client, held) if wish.remove else held


def _by_hand(search: Search, why: str, failed: bool) -> Iterator[Holding]:
    names = {
        dataset_identity(track, kind, content_hash).name
        for content_hash, kind in search.hashes.items()
        for key, owners in search.owners.items()
        if key.startswith(f"snapshots/{content_hash}.")
        for track in owners
    }
    for name in sorted(names):
        yield Holding(
            place="service", what="dataset, and the evaluations that use it", key=name, fate="failed" if failed else "by hand",
            why=f"{why}: remove it in Speech Studio, or run this again",
        )  # fmt: skip


def _in_data(wish: Wish) -> Iterator[Holding]:
    """Label files of the data folder in which the speaker stands, with how many recordings; nothing there is touched."""
    for file in _tables(wish):
        names, others = _named(file, wish.speaker)
        if names:
            yield Holding(
                place="data folder", what="recordings, transcripts and labels", key=str(file), recordings=len(names), others=others,
                tracks=(file.relative_to(wish.data).parts[0],), fate="by hand",
                why="take them out, also of zips beside it, and commit; then testing-update and training-update run without them",
            )  # fmt: skip


def _prints_in_data(wish: Wish) -> set[str]:
    """SHA-256 of the speaker's recordings there: only the data folder knows who speaks in training recordings."""
    found = set()
    for labels in _tables(wish):
        for name in _named(labels, wish.speaker)[0]:
            path = labels.parent / name
            if path.is_file() and not leads_out(path, wish.data):
                found.add(hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def _tables(wish: Wish) -> list[Path]:
    """The tables of labels in the data folder; links that lead out of it are none."""
    found = sorted(wish.data.glob(f"{wish.track or '*'}/**/{LABELS}"))
    return [file for file in found if not leads_out(file, wish.data)]


def _named(file: Path, speaker: str) -> tuple[list[str], int]:
    """The names of the speaker's recordings in a table of labels, and how many others there are."""
    try:
        rows = [line.split("\t") for line in file.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        return [], 0
    column = rows[0].index("speaker") if rows and "speaker" in rows[0] else None
    if column is None:
        return [], 0
    ours = [
        row[0].strip()
        for row in rows[1:]
        if len(row) > column and canonical_name(row[column].strip()) == canonical_name(speaker)
    ]
    return ours, len(rows) - 1 - len(ours)


async def _pages(store: Store, tracks: Sequence[str]) -> None:
    """The tracks' pages link to no report that is gone."""
    from tasks.track_pages import write_pages

    for track in tracks:
        await write_pages(store, track)
