"""Names of what is made on the Speech service for a pull request only, and removed again.

Such names have a dot, which no track's name can have: nothing that a track has made, or will make, is called like this.
"""

import re
from collections.abc import Mapping

from domain.track import TRACK_NAME, Track

_NAME = re.compile(rf"{TRACK_NAME.pattern}\.pr([1-9][0-9]*)")


def temporary_track(track: Track, number: int) -> Track:
    """The track under whose name a pull request's datasets, models and evaluations are made.

    >>> temporary_track(Track(name="taxi", locale="en-US"), 7).name
    'taxi.pr7'
    """
    return track.model_copy(update={"name": f"{track.name}.pr{number}"})


def temporary_revision(number: int, head: str) -> str:
    """What to call the data of a pull request."""
    return f"pull request {number} at {head[:12]}"


def pull_of(display_name: str, properties: Mapping[str, str] | None) -> int | None:
    """The pull request for which an entity was made; None when it was made for anything else.

    Args:
        display_name: the entity's.
        properties: its `customProperties`, in which we note for what we make things.

    >>> pull_of("taxi.pr7-model-abc", {"track": "taxi.pr7"}), pull_of("taxi-pr7-model-abc", {"track": "taxi-pr7"})
    (7, None)
    >>> pull_of("taxi.pr7-by-hand", None)
    """
    name = (properties or {}).get("track", "")
    found = _NAME.fullmatch(name)
    return int(found[1]) if found and display_name.startswith(f"{name}-") else None
