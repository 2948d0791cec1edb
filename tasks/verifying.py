"""`speechops verify`: every hash of a store, worked out anew."""

import asyncio
import hashlib
import json
import re
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path

from domain.corpus import content_hash
from domain.ledger import Entry
from domain.lineage.verified import FORGET, Check, Verified, chain_check, head_checks
from domain.mistakes import Mistake
from domain.ruling import Ruling
from tasks import evidence
from tasks.beside import all_tracks, known_track, side_by_side
from tasks.ledger import Ledger
from tasks.lineage import Past, digests_of, read_rulings
from tasks.packing import PLAIN_TEXT, PRONUNCIATIONS
from tasks.store import Store
from tasks.store_errors import StoreTrouble

_BESIDE = ("card", "evidence", "measurement", "comparison")
"""Facts of an entry, beside its ruling, that name evidence."""
_DIGEST = re.compile("[0-9a-f]{64}")
_NAMES = {"Language": PLAIN_TEXT, "Pronunciation": PRONUNCIATIONS}


async def verify_store(store: Store, track: str = "") -> Verified:
    """Check the history, the evidence and the data of a track, or of all.

    Raises:
        Mistake: there is no such track, or the store has none.
    """
    tracks = [await known_track(store, track)] if track else await all_tracks(store)
    if not tracks:
        raise Mistake(f"the store {store} has no track. Name the store with --store.")
    forgotten = await read_forgotten(store)
    checks = [check for name in tracks for check in await _verify_track(store, name, forgotten)]
    return Verified(checks=tuple(checks))


async def read_forgotten(store: Store) -> dict[str, str]:
    """What the histories of all tracks say was removed for a speaker: keys and `evidence/<digest>`, with a sentence."""
    found: dict[str, str] = {}
    for track in await all_tracks(store):
        try:
            entries = await Ledger(store, track).history()
        except StoreTrouble:
            raise
        except Mistake:
            continue  # told where that track is verified
        for entry in entries:
            if entry.kind == FORGET:
                told = f"forgotten on {entry.at:%Y-%m-%d}, by entry {entry.number} of '{track}'"
                found |= dict.fromkeys(map(str, entry.facts.get("removed", ())), told)
    return found


async def _verify_track(store: Store, track: str, forgotten: dict[str, str]) -> list[Check]:
    try:
        past = await _read(store, track)
    except StoreTrouble:
        raise
    except Mistake as mistake:
        return [
            Check(track=track, what="head and history", state="broken", detail=str(mistake), what_to_do="As it says.")
        ]
    checks = [await _chain(store, past)]
    checks += head_checks(past.state, list(past.entries), past.rulings)
    checks += [check async for check in _files(store, track, past, forgotten)]
    return checks


async def _read(store: Store, track: str) -> Past:
    ledger = Ledger(store, track)
    state = await ledger.state()
    entries = await ledger.entries(state)
    return Past(state, entries, *await read_rulings(store, digests_of(state, entries)))


async def _chain(store: Store, past: Past) -> Check:
    folder = f"tracks/{past.state.track}/ledger/"
    keys = await store.keys(folder)
    last = past.state.last
    written = await store.read(f"{folder}{last.number:06}.json") if last else None
    entry = Entry.model_validate_json(written.data) if written else None
    numbers = [int(name) for name in (Path(key).stem for key in keys) if name.isdigit()]
    return chain_check(past.state, list(past.entries), entry, numbers)


async def _files(store: Store, track: str, past: Past, forgotten: dict[str, str]) -> AsyncIterator[Check]:
    """Evidence and data, one row for all that is well and one for each that is not."""
    bundles = await _bundles(store, past)
    benchmark = past.state.benchmark
    bundles |= {benchmark.evidence} if benchmark and benchmark.evidence else set()
    files = {one for ruling in past.rulings.values() for one in data_of(ruling)}
    for check in await _checked(store, track, "evidence", {f"evidence/{one}" for one in bundles}, forgotten):
        yield check
    for check in await _checked(store, track, "data", files, forgotten):
        yield check


async def _checked(
    store: Store, track: str, what: str, keys: Iterable[str], forgotten: Mapping[str, str]
) -> list[Check]:
    named = sorted(keys)
    find = _bundle_problem if what == "evidence" else _data_problem
    problems = await side_by_side(lambda key: find(store, key), named)
    wrong = [(key, problem) for key, problem in zip(named, problems, strict=True) if problem]
    detail = f"{len(named) - len(wrong)} of {len(named)} are what was stored"
    return [
        Check(track=track, what=what, state="ok", detail=detail),
        *(_wrong(track, key, problem, forgotten) for key, problem in wrong),
    ]


def _wrong(track: str, key: str, problem: str, forgotten: Mapping[str, str]) -> Check:
    if key in forgotten:
        return Check(track=track, what=key, state="forgotten", detail=forgotten[key])
    remedy = "Bring it back from a backup. What rests on it cannot be replayed, and must not be trusted."
    return Check(track=track, what=key, state="broken", detail=problem, what_to_do=remedy)


async def _bundles(store: Store, past: Past) -> set[str]:
    """The digests of all evidence that the history leads to."""
    found = {*past.rulings, *past.lost, *beside_rulings(past)}
    for ruling in past.rulings.values():
        found |= {one for one in (ruling.measurement, ruling.comparison) if one}
    compared = [one.comparison for one in past.rulings.values() if one.comparison]
    for parts in await side_by_side(lambda digest: parts_of(store, digest), compared):
        found |= parts
    return found


def beside_rulings(past: Past) -> set[str]:
    """The digests of evidence that the history names beside rulings, such as what a watch measured."""
    told = (entry.facts.get(name) for entry in past.entries for name in _BESIDE)
    return {one for one in told if isinstance(one, str) and _DIGEST.fullmatch(one)}


async def parts_of(store: Store, comparison: str) -> set[str]:
    """The digests of the bundles that a comparison points to; none when it cannot be read."""
    stored = await store.read(f"evidence/{comparison}/parts.json")
    try:
        parts = json.loads(stored.data) if stored else {}
        return {part["bundle"] for part in parts.values() if part["bundle"]}
    except (ValueError, TypeError, KeyError, AttributeError):
        return set()


async def _bundle_problem(store: Store, key: str) -> str:
    digest = key.removeprefix("evidence/")
    try:
        for name in await evidence.files(store, digest):
            await evidence.recall(store, digest, name)
    except StoreTrouble:
        raise
    except (Mistake, ValueError) as error:
        return str(error)
    return ""


def data_of(ruling: Ruling) -> Iterator[str]:
    """The store's keys of the data that went into a ruling."""
    subject = ruling.subject
    yield from (subject.testing, subject.sheet, *(one.key for one in subject.training))


async def _data_problem(store: Store, key: str) -> str:
    name = Path(key).name
    try:
        async with store.local_copy(key) as path:
            found = await asyncio.to_thread(_hash_of, path, name)
    except KeyError:
        return "it is not there"
    except StoreTrouble:
        raise
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        return f"it cannot be read ({type(error).__name__})"
    return "" if found else "it is not what was stored"


def _hash_of(path: Path, name: str) -> bool:
    """Whether a snapshot's content is what its name says."""
    if name.endswith(".sheet.json"):
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12] == name.split(".")[1]
    if name.endswith(".zip"):
        return content_hash(_members(path)) == name.removesuffix(".zip")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return name.partition(".")[0] in {content_hash([(called, digest)]) for called in _NAMES.values()}


def _members(path: Path) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            with archive.open(member) as file:
                yield member, hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
