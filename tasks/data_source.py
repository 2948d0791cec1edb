"""Where the data of tracks come from: a git repository or a blob container, at any of its revisions.

The name of a source is the name of its block. Flows that are given a local folder instead need none of this.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from domain.changes import Part, TracksThere
from domain.mistakes import Mistake
from domain.plan import Plan
from domain.pushes import PushRules


@dataclass(frozen=True, slots=True)
class Opened:
    """Data on this machine, for as long as a context lasts.

    Attributes:
        data: the folder that holds the tracks' folders.
        revision: what people call this state: 12 digits of a commit, or of a listing's hash.
        authors: who made it, such as `Ada <ada@example.org>`; empty when nobody can tell.
    """

    data: Path
    revision: str
    authors: tuple[str, ...] = ()


class DataSource(Protocol):
    """A place with the data of tracks. A revision is a full commit id, or the full hash of a listing."""

    @property
    def name(self) -> str:
        """The name of its block."""
        ...

    @property
    def rules(self) -> PushRules:
        """Which pushes to it matter."""
        ...

    async def newest(self, ref: str = "") -> str:
        """The revision that it is at now.

        Args:
            ref: a full name such as `refs/tags/baseline/taxi`, for git; empty for the branch that the source follows.

        Raises:
            Mistake: it cannot be reached with these settings, or has no such ref.
        """
        ...

    async def plan(self, before: str, after: str, occasion: str = "") -> Plan:
        """What has to run for the data at `after` when everything is done for those at `before` (empty: for nothing).

        The revision of the planned runs is the full one. A `before` that is gone (a forced push) counts as nothing.
        """
        ...

    async def plan_retest(self, revision: str, tag: str, occasion: str = "") -> Plan:
        """What has to run because a tag asks for a new test."""
        ...

    def opened(self, revision: str, track: str = "") -> AbstractAsyncContextManager[Opened]:
        """The data at a revision: of one track, or of all of them.

        Raises:
            Mistake: they cannot be had (any more); the message says what to do.
        """
        ...

    def is_repository(self, address: str) -> bool:
        """Whether this source reads that repository, whatever user or `.git` stands in the address."""
        ...

    def holds_blob(self, account: str, container: str, blob: str) -> bool:
        """Whether a blob of that path belongs to this source."""
        ...


def check_track(there: TracksThere, track: str, place: str) -> None:
    """Refuse a track that a state of a source does not have.

    Args:
        there: what it has.
        track: the track's name; empty for all of them.
        place: what to call the source and its state.

    Raises:
        Mistake: the track is not there.
    """
    known = sorted(name for name, parts in there.items() if Part.SETTINGS in parts)
    if track and track not in known:
        raise Mistake(
            f"there is no track '{track}' in {place} (known: {', '.join(known) or 'none'}). Correct the name."
        )
