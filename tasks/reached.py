"""How far each track's history had reached, noted apart from the history: a history that has lost its end is seen to.

`reached/<track>.json` holds the number and the digest of the newest entry. It is written after the head, so that a crash
in between leaves it behind the head, never before it, and it only ever rises.
"""

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.ledger import State
from domain.mistakes import Mistake
from tasks.store import ABSENT, Conflict, Store

FOLDER = "reached/"


class LostHistory(Mistake):
    """A history is shorter than it was, or another one."""


def accept_by(track: str) -> str:
    """The command that goes on without what is lost."""
    return f'`speechops begin-anew {track} --reason "…"`, with --store unless it is .speechops/store'


class Reached(BaseModel):
    """The newest entry that was noted; number 0 is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = 0
    digest: str = ""

    @classmethod
    def by(cls, state: State) -> "Reached":
        """What a head has reached."""
        return cls(number=state.last.number, digest=state.last.digest) if state.last else cls()

    def is_lost_in(self, state: State) -> bool:
        """Whether the head knows less than was noted, or something else."""
        there = Reached.by(state)
        return there.number < self.number or (there.number == self.number and there != self)


def reached_key(track: str) -> str:
    """Where it is noted."""
    return f"{FOLDER}{track}.json"


async def read_reached(store: Store, track: str) -> Reached:
    """How far the history had reached; not at all where nobody has noted it, as before there were such notes.

    Raises:
        Mistake: the note is damaged.
    """
    return (await _read(store, track))[0]


async def raise_reached(store: Store, state: State) -> None:
    """Note what the head has reached, unless more is noted already."""
    new = Reached.by(state)
    while True:
        held, etag = await _read(store, state.track)
        if held.number >= new.number:
            return None
        try:
            return await _write(store, state.track, new, etag)
        except Conflict:
            continue


async def reset_reached(store: Store, state: State) -> None:
    """Note what the head has reached although more was noted: somebody accepts the loss."""
    await _write(store, state.track, Reached.by(state), None)


async def _write(store: Store, track: str, new: Reached, etag: str | None) -> None:
    await store.write(reached_key(track), new.model_dump_json().encode(), if_match=etag)


async def _read(store: Store, track: str) -> tuple[Reached, str]:
    stored = await store.read(reached_key(track))
    if stored is None:
        return Reached(), ABSENT
    try:
        return Reached.model_validate_json(stored.data), stored.etag
    except ValidationError:
        raise Mistake(
            f"{reached_key(track)} in the store {store} cannot be read: it is damaged, or another version of speechops wrote "
            "it. Bring it back from a backup."
        ) from None
