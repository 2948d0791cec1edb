"""`speechops used-by`: find a recording, commit, dataset or model in the history and the evidence of all tracks."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from domain.corpus import canonical_name
from domain.ledger import Entry
from domain.lineage.uses import (
    Kind,
    Told,
    Uses,
    datasets_of,
    models_called,
    models_of,
    releases_of,
    revisions_like,
    told_by,
    uses_of_data,
    uses_of_model,
    verdicts_of,
)
from domain.mistakes import Mistake
from tasks.beside import side_by_side
from tasks.leaks import prints_in
from tasks.lineage import Past, read_pasts
from tasks.snapshots import read_sheet
from tasks.store import Store

_HASH: Final = re.compile("[0-9a-f]{8,64}")
_SHA256: Final = re.compile("[0-9a-f]{64}")


class _Search:
    """The history and evidence of all tracks, and the questions to them."""

    def __init__(self, store: Store, asked: str, pasts: Sequence[Past]) -> None:
        self._store = store
        self._asked = asked
        self._pasts = pasts
        self._told = [one for past in pasts for one in told_by(past.rulings, past.entries, past.state)]
        self._entries: list[Entry] = [entry for past in pasts for entry in past.entries]
        self._unread = [f"{digest[:12]}…: {why}" for past in pasts for digest, why in past.lost.items()]

    async def answer(self) -> Uses | None:
        """What is found first, from the most definite to the vaguest."""
        if paths := models_called(self._told, self._asked):
            return self._answer("model", ", ".join(paths), uses_of_model(self._told, paths), paths)
        if found := self._revision():
            return self._answer("commit", found, [one for one in self._told if one.ruling.subject.revision == found])
        if known := self._datasets():
            return self._data("dataset", known[0], {known[0]: ()})
        holding = await self._holding()
        return self._data("recording", self._asked, holding) if holding else None

    def _revision(self) -> str | None:
        found = revisions_like(self._told, self._entries, self._asked) if len(self._asked) >= 4 else []
        if len(found) > 1:
            raise Mistake(f"{len(found)} commits begin with {self._asked}: {', '.join(found)}. Give more digits.")
        return found[0] if found else None

    def _datasets(self) -> list[str]:
        if not _HASH.fullmatch(self._asked):
            return []
        found = sorted({one for told in self._told for one in told.datasets if one.startswith(self._asked)})
        if len(found) > 1:
            raise Mistake(f"{len(found)} datasets begin with {self._asked}: {', '.join(found)}. Give more digits.")
        return found

    async def _holding(self) -> dict[str, tuple[str, ...]]:
        """By content hash the datasets that hold the recording, with what they call it."""
        digest = _digest_of(self._asked)
        if digest is None:
            name = canonical_name(PurePosixPath(self._asked.replace("\\", "/")).name)
            return await self._by_name(name)
        return await self._by_bytes(digest)

    async def _by_name(self, name: str) -> dict[str, tuple[str, ...]]:
        sheets = {one.ruling.subject.testing_hash: one.ruling.subject.sheet for one in self._told}

        async def tested(item: tuple[str, str]) -> tuple[str, bool]:
            content_hash, key = item
            try:
                return content_hash, name in (await read_sheet(self._store, key)).references
            except Mistake as mistake:
                self._unread.append(str(mistake))
                return content_hash, False

        found = {content_hash for content_hash, is_there in await side_by_side(tested, sheets.items()) if is_there}
        learnt = await self._recordings(self._acoustic(testing=False))
        found |= {content_hash for content_hash, names in learnt.items() if name in names.values()}
        return dict.fromkeys(sorted(found), (name,))

    async def _by_bytes(self, digest: str) -> dict[str, tuple[str, ...]]:
        held = await self._recordings(self._acoustic(testing=True))
        return {content_hash: (names[digest],) for content_hash, names in held.items() if digest in names}

    def _acoustic(self, *, testing: bool) -> dict[str, str]:
        """Keys of packed recordings by content hash."""
        subjects = [one.ruling.subject for one in self._told]
        learnt = {part.content_hash: part.key for one in subjects for part in one.training if part.kind == "Acoustic"}
        return learnt | ({one.testing_hash: one.testing for one in subjects} if testing else {})

    async def _recordings(self, keys: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """Of packed datasets: by content hash, SHA-256 of each recording and its name."""

        async def read(item: tuple[str, str]) -> tuple[str, dict[str, str]]:
            content_hash, key = item
            try:
                prints = await prints_in(self._store, key, keep=False)
            except KeyError:
                self._unread.append(f"{key} is not in the store any more")
                return content_hash, {}
            return content_hash, {one.contents: one.name for one in prints.recordings}

        return dict(await side_by_side(read, keys.items()))

    def _data(self, kind: Kind, name: str, holding: Mapping[str, Sequence[str]]) -> Uses:
        return self._answer(kind, name, uses_of_data(self._told, holding), only=holding)

    def _answer(
        self,
        kind: Kind,
        name: str,
        chosen: Sequence[Told],
        paths: Iterable[str] = (),
        only: Mapping[str, Sequence[str]] | None = None,
    ) -> Uses:
        wanted, digests = frozenset(paths), {one.digest for one in chosen}
        trained = [one for one in chosen if not wanted or one.ruling.subject.candidate.path in wanted]
        states = [past.state for past in self._pasts]
        return Uses(
            asked=self._asked,
            kind=kind,
            name=name,
            datasets=datasets_of(trained if wanted else chosen, only),
            verdicts=verdicts_of(chosen),
            models=models_of(trained),
            releases=releases_of(states, lambda one: one.model in wanted if wanted else one.evidence in digests),
            unread=tuple(dict.fromkeys(self._unread)),
        )


async def read_uses(store: Store, asked: str) -> Uses:
    """Where a recording, commit, dataset or model was used, and what it came from.

    Args:
        store: holds history and evidence.
        asked: a recording's name, path or SHA-256; the first digits of a commit (four at least) or of a dataset's content
            hash (eight at least); a model's name, path or id.

    Raises:
        Mistake: nothing is called like this, or several things are.
    """
    wanted = asked.strip()
    found = await _Search(store, wanted, await read_pasts(store)).answer() if wanted else None
    if found is None:
        raise Mistake(
            f"the store {store} knows no recording, commit, dataset or model {wanted[:80]!a}. Give a recording's file name, "
            "the first digits of a commit, or a model's name, as `speechops history` shows it."
        )
    return found


def _digest_of(asked: str) -> str | None:
    """SHA-256 of the recording that is meant: as it was given, or of the file that lies there; None for a mere name."""
    if _SHA256.fullmatch(asked):
        return asked
    path = Path(asked)
    if "/" not in asked or not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
