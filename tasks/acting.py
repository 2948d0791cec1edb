"""The tracks that a run may change: those that it was started for, and whose turn it holds.

A run reads documents that name tracks: verdicts, evidence, heads. It must never take from them which track to change.
So it says at its beginning which tracks it acts on, and whatever writes to a ledger or changes an endpoint asks here.
"""

from contextvars import ContextVar

from domain.mistakes import Mistake

_TRACKS: ContextVar[frozenset[str] | None] = ContextVar("tracks", default=None)


class ForeignTrack(Mistake):
    """A run was about to change a track that it was not started for. Nothing has changed."""


def act_on(*tracks: str) -> None:
    """Allow this run to change these tracks, besides those that it acts on already; with none, it may change no track."""
    _TRACKS.set((_TRACKS.get() or frozenset()) | frozenset(tracks))


def refuse_foreign(track: str) -> None:
    """Refuse to change a track that this run does not act on. Outside runs, such as in commands, nothing is refused.

    Raises:
        ForeignTrack: it does not.
    """
    own = _TRACKS.get()
    if own is not None and track not in own:
        raise ForeignTrack(
            f"this run works on {', '.join(sorted(own)) or 'no track'}, and was about to change track '{track}'. Nothing has changed there. "
            "This is a fault of speechops: please report it, with the run's log."
        )
