"""What a plan tells besides its runs: what happened to folders that are no tracks, or no more."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from domain.changes import Change, Difference, Part, TracksThere, misspelt, shown
from domain.track import TRACK_NAME


def folder_notes(found: Mapping[str, Difference], tracks: Collection[str], there: TracksThere) -> Iterator[str]:
    """Tell of changed folders that are no tracks, are tracks no more, or are called otherwise now."""
    for name, difference in found.items():
        if name in tracks:
            continue
        if not TRACK_NAME.fullmatch(name):
            yield f"{shown(name)}: nothing runs, for this is not a track's name (lower-case letters, digits, dashes)"
        elif difference.names(Part.SETTINGS):
            yield _gone(name, difference, {track: found[track] for track in tracks if track in found})
        elif name in there:
            yield f"{name}: nothing runs, for there is no track.toml"


def misspelt_notes(changes: Iterable[Change], data: str) -> Iterator[str]:
    """Tell of files that would be read if only their folders were written in small letters."""
    for place in sorted(set(misspelt(changes, data))):
        yield f"{shown(place)}: not read, for its name must be in small letters"


def _gone(name: str, difference: Difference, others: Mapping[str, Difference]) -> str:
    heir = next((track for track, other in others.items() if other.gained == difference.lost and not other.lost), "")
    if heir:
        return f"{name}: now called {heir}, which starts a history of its own; models and endpoint of {name} stay"
    return f"{name}: the track is gone, so nothing runs; its models and its endpoint stay"
