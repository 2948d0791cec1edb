"""What changed between two states of the data, and what of it matters to which track.

```
<data>/<track>/testing/**, testing.zip    testing data
<data>/<track>/training/**                training data
<data>/<track>/track.toml                 settings
```
Nothing else matters; nor do hidden files, a README, or a name whose accents are only stored another way (NFC, NFD).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from domain.corpus import canonical_name

SETTINGS = "track.toml"
_README = re.compile(r"readme(\.(md|markdown|txt|rst|adoc|org|html?))?", re.IGNORECASE)
_ZONE = ":Zone.Identifier"


class Part(StrEnum):
    """The parts of a track that a flow reads."""

    TESTING = "testing"
    TRAINING = "training"
    SETTINGS = SETTINGS


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs. `path` is relative to the repository; `before` and `after` identify its content.

    Any identity will do, such as git's blob id; it is empty where there is no such file. A renamed file is two changes:
    one path that is gone, and one that is new.
    """

    path: str
    before: str = ""
    after: str = ""


class Place(NamedTuple):
    """Where a file belongs: its track, the part of it, and its path within that part (in NFC)."""

    track: str
    part: Part
    name: str


TracksThere = Mapping[str, Collection[Part]]
"""The folders of a state that hold anything that flows read, with the parts that each has."""

Contents = frozenset[tuple[Part, str, str]]
"""Part, name and content of files."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What one track has lost and gained; a file with other content is in both."""

    lost: Contents = frozenset()
    gained: Contents = frozenset()

    def names(self, part: Part) -> tuple[str, ...]:
        """The files of a part that differ in content, sorted."""
        return tuple(sorted({name for where, name, _ in self.lost | self.gained if where == part}))


def place_of(path: str, data: str) -> Place | None:
    """Where a file belongs, or None when no flow reads it.

    Args:
        path: relative to the repository, with forward slashes.
        data: the folder of all tracks, likewise; empty when the repository itself is that folder.

    >>> place_of("data/sharjah/testing/a.wav", "data")
    Place(track='sharjah', part=<Part.TESTING: 'testing'>, name='a.wav')
    >>> place_of("data/sharjah/testing.zip", "data").part, place_of("data/sharjah/testing/README.md", "data")
    (<Part.TESTING: 'testing'>, None)
    """
    words = words_below(path, data)
    if len(words) < 2 or _is_ignored(words):
        return None
    track, first, *rest = words
    if not rest:
        kinds = {"testing.zip": Part.TESTING, SETTINGS: Part.SETTINGS}
        return Place(track, kinds[first], first) if first in kinds else None
    return Place(track, Part(first), "/".join(rest)) if first in (Part.TESTING, Part.TRAINING) else None


def words_below(path: str, data: str) -> list[str]:
    """The parts of a path below the folder of all tracks, in NFC; none when it lies elsewhere.

    >>> words_below("speech/data/taxi/track.toml", "speech/data/"), words_below("src/main.py", "data")
    (['taxi', 'track.toml'], [])
    """
    folder = PurePosixPath(canonical_name(data)).as_posix()
    prefix = f"{folder}/" if folder != "." else ""
    path = canonical_name(path)
    return path.removeprefix(prefix).split("/") if path.startswith(prefix) else []


def differences(changes: Iterable[Change], data: str) -> Mapping[str, Difference]:
    """By track, what differs in content, whatever the order of the changes."""
    lost, gained = defaultdict[str, set[tuple[Part, str, str]]](set), defaultdict[str, set[tuple[Part, str, str]]](set)
    for change in changes:
        if place := place_of(change.path, data):
            for side, content in ((lost, change.before), (gained, change.after)):
                if content:
                    side[place.track].add((place.part, place.name, content))
    return {
        track: Difference(frozenset(lost[track] - gained[track]), frozenset(gained[track] - lost[track]))
        for track in sorted(lost.keys() | gained.keys())
    }


def parts_of_tracks(paths: Iterable[str], data: str) -> TracksThere:
    """By track, the parts that are there.

    >>> parts = parts_of_tracks(["data/taxi/track.toml", "data/taxi/testing.zip", "README.md"], "data")
    >>> {track: sorted(found) for track, found in parts.items()}
    {'taxi': [<Part.TESTING: 'testing'>, <Part.SETTINGS: 'track.toml'>]}
    """
    found = defaultdict[str, set[Part]](set)
    for path in paths:
        if place := place_of(path, data):
            found[place.track].add(place.part)
    return {track: frozenset(parts) for track, parts in found.items()}


def misspelt(changes: Iterable[Change], data: str) -> Iterator[str]:
    """Places that are new or changed, and would be read if only their letters were small."""
    for change in changes:
        words = words_below(change.path, data)
        if change.after and len(words) > 1 and words[1] != words[1].lower():
            small = "/".join([words[0], words[1].lower(), *words[2:]])
            if place_of(small, ""):
                yield f"{words[0]}/{words[1]}"


def shown(name: str) -> str:
    """A name that is safe to print: what cannot be seen is escaped.

    >>> shown("küste.wav"), shown("a\\tb.wav"), shown("\\udcff.wav")
    ('küste.wav', 'a\\\\tb.wav', '\\\\udcff.wav')
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)


def _is_ignored(words: list[str]) -> bool:
    name = words[-1]
    hidden = any(word.startswith((".", "__MACOSX")) for word in words) or name.endswith(_ZONE)
    return hidden or _README.fullmatch(name) is not None
