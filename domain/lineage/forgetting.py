"""A speaker's data: what holds them, what is removed, what cannot be."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.ledger import State
from domain.ruling import Ruling

Place = Literal["store", "service", "data folder"]
Fate = Literal["to remove", "kept", "by hand", "removed", "failed"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Holding(_Record):
    """One thing that holds recordings of the speaker, or what was heard in them."""

    place: Place
    what: str
    """For people, such as `testing recordings`."""
    key: str
    """The store's key, `evidence/<digest>` for a bundle; a path on the Speech service; a file."""
    tracks: tuple[str, ...] = ()
    recordings: int = 0
    """Of the speaker."""
    others: int = 0
    """Recordings of other people that go with them."""
    fate: Fate = "to remove"
    why: str = ""
    """Why it is kept, or what has to be done."""


class Forgotten(_Record):
    """The answer of `speechops forget`. It names neither the speaker nor what was said."""

    recordings: int
    """Different recordings of the speaker in the store."""
    asked_to_remove: bool
    holdings: tuple[Holding, ...] = ()
    noted_in: tuple[str, ...] = ()
    """Tracks whose history tells of it."""
    notes: tuple[str, ...] = ()
    """What follows, and what cannot be done from here."""

    @property
    def is_done(self) -> bool:
        """Whether nothing went wrong; what has to be done by hand, or was only listed, is no fault."""
        return all(one.fate != "failed" for one in self.holdings)


BACKUPS = (
    "git keeps deleted files in its history: rewrite it, and tell everybody who has a copy.",
    "backups of the store, and soft delete of a blob container, keep what was removed until they expire.",
    "exported transcripts, reports that were sent by mail, and Prefect's artifacts are beyond this command.",
)


def label_print(label: str) -> dict[str, str]:
    """A salted, slow hash of a speaker's label: who knows the label can show that it was this one, nobody can read it.

    >>> first, second = label_print("ada"), label_print("ada")
    >>> first == second, is_print_of("ada", first), is_print_of("bob", first)
    (False, True, False)
    """
    salt = secrets.token_hex(16)
    return {"salt": salt, "fingerprint": _slow(label, salt)}


def is_print_of(label: str, facts: Mapping[str, Any]) -> bool:
    """Whether an entry of the history is about this label."""
    salt, told = facts.get("salt"), facts.get("fingerprint")
    return isinstance(salt, str) and isinstance(told, str) and secrets.compare_digest(_slow(label, salt), told)


def _slow(label: str, salt: str) -> str:
    return hashlib.scrypt(label.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=32).hex()


def needed_by(state: State, rulings: Mapping[str, Ruling], also: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """What a track's head needs now, by the store's key, with a sentence: verification, rollback, measuring again.

    Args:
        state: the head.
        rulings: by digest.
        also: by digest of a comparison, those of the bundles that it points to.
    """
    needed: dict[str, str] = {}
    for why, digest in _in_use(state):
        ruling = rulings.get(digest)
        if ruling is None:
            continue
        bundles = [ruling.measurement, ruling.comparison, *also.get(ruling.comparison, ())]
        subject = ruling.subject
        keys = [*(f"evidence/{one}" for one in bundles if one), subject.testing, subject.sheet]
        for key in [*keys, *(one.key for one in subject.training)]:
            needed.setdefault(key, why)
    if state.benchmark:
        needed.setdefault(
            f"evidence/{state.benchmark.evidence}", f"the benchmark of '{state.track}' was measured by it"
        )
    return needed


def _in_use(state: State) -> Iterable[tuple[str, str]]:
    if state.pending:
        yield f"the {state.pending.kind} under way in '{state.track}' rests on it", state.pending.evidence
    for release, how in zip(
        (state.release, *state.previous_releases[:1]), ("is live on", "can be gone back to by"), strict=False
    ):
        if release:
            yield f"release {release.version or release.number} of '{state.track}' {how} it", release.evidence
