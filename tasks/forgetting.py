"""A speaker's data in the store: find what holds them, note that they go, remove them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError

from domain.corpus import canonical_name
from domain.ledger import News
from domain.lineage.forgetting import Holding, label_print, needed_by
from domain.lineage.verified import FORGET
from domain.ruling import Ruling
from tasks.beside import side_by_side
from tasks.leaks import Prints, prints_in
from tasks.ledger import Ledger
from tasks.lineage import Past, read_pasts
from tasks.store import Store
from tasks.verifying import beside_rulings, data_of, parts_of

_SHORT = 3
"""Letters: shorter labels stand in any text by chance."""
_LAST = ("inputs.json", "sheet.json")
"""Of a bundle: by these it is found again, when removing was interrupted."""


@dataclass
class Search:
    """What the store has of a speaker, as it is found."""

    store: Store
    speaker: str
    pasts: Sequence[Past]
    only: str = ""
    """A track's name, when only what belongs to it is meant."""
    names: set[str] = field(default_factory=set)
    """Of the speaker's recordings."""
    prints: set[str] = field(default_factory=set)
    """SHA-256 of their bytes, and of their sound."""
    holdings: list[Holding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    """Content hash of each dataset that holds them, and Azure's kind."""
    owners: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By key, the tracks whose verdicts rest on it."""
    parts: dict[str, set[str]] = field(default_factory=dict)
    """By comparison, the bundles that it points to."""

    @classmethod
    async def begun(cls, store: Store, speaker: str, only: str = "") -> "Search":
        """A search that knows which verdict rests on what.

        Raises:
            Mistake: a track cannot be read, or there is none.
        """
        search = cls(store, speaker, await read_pasts(store), only)
        rulings = [one for past in search.pasts for one in past.rulings.values()]
        digests = sorted({one.comparison for one in rulings if one.comparison})
        found = await side_by_side(lambda digest: parts_of(store, digest), digests)
        search.parts = dict(zip(digests, found, strict=True))
        for past in search.pasts:
            for key in search.named_by(past):
                search.owners[key] = tuple(dict.fromkeys([*search.owners.get(key, ()), past.state.track]))
        return search

    def named_by(self, past: Past) -> Iterator[str]:
        """The keys of all that a track's history leads to."""
        yield from (f"evidence/{digest}" for digest in beside_rulings(past))
        for digest, ruling in past.rulings.items():
            yield from self.rests_on(digest, ruling)

    def rests_on(self, digest: str, ruling: Ruling) -> Iterator[str]:
        """The keys of all that a ruling rests on, and its own."""
        yield from data_of(ruling)
        bundles = (digest, ruling.measurement, ruling.comparison, *self.parts.get(ruling.comparison, ()))
        yield from (f"evidence/{one}" for one in bundles if one)

    def is_meant(self, key: str) -> bool:
        """Whether it belongs to the track that is asked about."""
        return not self.only or self.only in self.owners.get(key, ())

    async def sheets(self) -> None:
        """Testing data in which the label stands: sheet, recordings and their prints."""
        keys = [key for key in await self.store.keys("snapshots/") if key.endswith(".sheet.json")]
        for key in keys:
            stored = await self.store.read(key)
            ours, others = _split(_labels(stored.data if stored else b""), self.speaker)
            if not ours:
                continue
            if not self.is_meant(key):
                self._beside(key)
                continue
            content_hash = PurePosixPath(key).name.partition(".")[0]
            self.names |= ours
            self.hashes[content_hash] = "Acoustic"
            await self._learn_prints(f"snapshots/{content_hash}.zip", ours)
            self._hold("what was said, and labels", key, len(ours), others)
            await self._recordings(f"snapshots/{content_hash}.zip", "testing recordings", len(ours), others)

    async def training(self) -> None:
        """Training recordings that are the speaker's, by their bytes or their sound."""
        subjects = [ruling.subject for past in self.pasts for ruling in past.rulings.values()]
        acoustic = {part.key: part for one in subjects for part in one.training if part.kind == "Acoustic"}
        for key, part in acoustic.items():
            prints = await self._prints(key)
            ours = [one for one in prints.recordings if {one.contents, one.sound} & self.prints] if prints else []
            if prints and ours and self.is_meant(key) and part.content_hash not in self.hashes:
                self.hashes[part.content_hash] = "Acoustic"
                await self._recordings(key, "training recordings", len(ours), len(prints.recordings) - len(ours))

    async def evidence(self) -> None:
        """Bundles with per-recording results of the speaker, and the pages that show them."""
        files = _by_bundle(await self.store.keys("evidence/"))
        held = {digest for digest in files if await self._holds(digest, files[digest])}
        for past in self.pasts:
            for digest, ruling in past.rulings.items():
                resting = {ruling.measurement, ruling.comparison, *self.parts.get(ruling.comparison, ())}
                if resting & held and f"evidence/{digest}/report.html" in files.get(digest, ()):
                    self._hold("report page", f"evidence/{digest}/report.html", len(self.names), 0, (past.state.track,))
                if resting & held:
                    await self._named_in_verdict(digest, past.state.track)

    async def _holds(self, digest: str, keys: Sequence[str]) -> bool:
        names, key = {key.rpartition("/")[2] for key in keys}, f"evidence/{digest}"
        if "leaks.json" in names:
            stored = await self.store.read(f"{key}/leaks.json")
            if self.names and stored and _names_any(stored.data, self.names):
                self._hold("findings of a search for leaks", key, len(self.names), 0)
            return False
        described = next((name for name in _LAST if name in names), None)
        stored = await self.store.read(f"{key}/{described}") if described else None
        ours, others = _split(_labels(stored.data if stored else b""), self.speaker)
        if not ours or not self.is_meant(key):
            return False
        self._hold("results per recording", key, len(ours), others)
        return True

    async def _named_in_verdict(self, digest: str, track: str) -> None:
        stored = await self.store.read(f"evidence/{digest}/ruling.json")
        words = {self.speaker, *self.names}
        if stored and _names_any(stored.data, (word for word in words if len(word) > _SHORT)):
            self.notes.append(
                f"the verdict {digest[:8]} of '{track}' may name recordings, or the label, in its reasons; it stays, as the "
                "record of what was decided."
            )

    async def _recordings(self, key: str, what: str, ours: int, others: int) -> None:
        if await self.store.exists(key):
            self._hold(what, key, ours, others)
        for prints in await self.store.keys(f"{key}.prints-"):
            self._hold("prints of the recordings", prints, ours, others, self.owners.get(key, ()))

    async def _learn_prints(self, key: str, ours: set[str]) -> None:
        if prints := await self._prints(key):
            found = [one for one in prints.recordings if one.name in ours]
            self.prints |= {one.contents for one in found} | {one.sound for one in found if one.sound}

    async def _prints(self, key: str) -> Prints | None:
        try:
            return await prints_in(self.store, key, keep=False)
        except KeyError:
            return None

    def _hold(self, what: str, key: str, ours: int, others: int, tracks: Sequence[str] | None = None) -> None:
        owners = self.owners.get(key, ()) if tracks is None else tuple(tracks)
        if all(one.key != key for one in self.holdings):
            self.holdings.append(
                Holding(place="store", what=what, key=key, tracks=owners, recordings=ours, others=others)
            )

    def _beside(self, key: str) -> None:
        owners = ", ".join(self.owners.get(key, ())) or "no track that is known"
        self.notes.append(f"{key} has the same label, but belongs to {owners}; it is left alone.")

    def spared(self, in_use: bool) -> None:
        """Keep what the heads of tracks need, unless that is to go too; then tell what stops to work."""
        needed: dict[str, str] = {}
        for past in self.pasts:
            needed |= needed_by(past.state, past.rulings, self.parts)
        needed |= {f"{key}.prints-1.json": why for key, why in needed.items() if key.endswith(".zip")}
        for place, held in enumerate(self.holdings):
            if held.key in needed and in_use:
                self.notes.append(f"{needed[held.key]}: without it, it can be neither replayed nor gone back to.")
            elif held.key in needed:
                self.holdings[place] = held.model_copy(update={"fate": "kept", "why": needed[held.key]})
        self.notes = list(dict.fromkeys(self.notes))


def _names_any(document: bytes, words: Iterable[str]) -> bool:
    """Whether a JSON document of ours, in which letters stand for themselves, holds one of these words."""
    return any(json.dumps(word, ensure_ascii=False)[1:-1].encode() in document for word in words)


def _labels(data: bytes) -> Mapping[str, Any]:
    """The labels by recording in a sheet, or in the inputs of a comparison; none when it cannot be read."""
    try:
        document = json.loads(data) if data else {}
    except ValueError:
        return {}
    labels = document.get("labels") if isinstance(document, dict) else None
    return labels if isinstance(labels, dict) else {}


def _split(labels: Mapping[str, Any], speaker: str) -> tuple[set[str], int]:
    """The names of the speaker's recordings, and how many others there are."""
    wanted = canonical_name(speaker)
    spoken = {name: str(row.get("speaker", "")) for name, row in labels.items() if isinstance(row, dict)}
    ours = {name for name, label in spoken.items() if canonical_name(label) == wanted}
    return ours, len(labels) - len(ours)


def _by_bundle(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        digest = key.split("/")[1]
        if digest != "index":
            found.setdefault(digest, []).append(key)
    return found


async def note_forgotten(store: Store, search: Search, by: str) -> tuple[str, ...]:
    """Let the histories of all tracks that are concerned tell what goes, before it goes; the tracks.

    A run that is killed after this is run again: what is left is found, and noted once more.
    """
    going = [one for one in search.holdings if one.fate == "to remove"]
    tracks = sorted(
        {track for one in going for track in one.tracks} or ({search.only} if search.only and going else set())
    )
    for track in tracks:
        ours = [one for one in going if track in one.tracks]
        facts = label_print(search.speaker) | {
            "recordings": max(one.recordings for one in ours),
            "removed": sorted(one.key for one in ours),
            "kept": sum(one.fate == "kept" and track in one.tracks for one in search.holdings),
            "by": by,
        }
        await Ledger(store, track).append(News(kind=FORGET, flow_run="", revision="", facts=facts))
    return tuple(tracks)


async def remove_held(store: Store, holdings: Sequence[Holding]) -> list[Holding]:
    """Remove what is to go; what cannot be removed is told, and the rest goes on."""
    going = [one for one in holdings if one.fate == "to remove"]
    bundles = {one.key.removeprefix("evidence/") for one in going if _is_bundle(one.key)}
    await _unindex(store, bundles)
    order = sorted(going, key=lambda one: (one.key.endswith(".sheet.json"), not one.key.startswith("evidence/")))
    fates = {one.key: await _removed(store, one.key) for one in order}
    return [one.model_copy(update=fates.get(one.key, {})) for one in holdings]


def _is_bundle(key: str) -> bool:
    return key.startswith("evidence/") and key.count("/") == 1


async def _removed(store: Store, key: str) -> dict[str, str]:
    try:
        keys = await store.keys(f"{key}/") if _is_bundle(key) else [key]
        for one in sorted(keys, key=lambda name: (name.rpartition("/")[2] in _LAST, name)):
            await store.delete(one)
    except (OSError, ValueError) as error:  # a Mistake is a ValueError
        return {"fate": "failed", "why": str(error)}
    return {"fate": "removed"}


async def _unindex(store: Store, bundles: set[str]) -> None:
    """Nobody may take what is gone for an answer that is known: it is measured, or judged, anew."""
    if not bundles:
        return
    for key in await store.keys("evidence/index/"):
        stored = await store.read(key)
        digest = stored.data.decode(errors="replace") if stored else ""
        if digest in bundles or await _rests_on(store, digest, bundles):
            await store.delete(key)


async def _rests_on(store: Store, digest: str, bundles: set[str]) -> bool:
    stored = await store.read(f"evidence/{digest}/ruling.json")
    try:
        ruling = Ruling.model_validate_json(stored.data) if stored else None
    except ValidationError:
        return False
    return ruling is not None and bool({ruling.measurement, ruling.comparison} & bundles)
