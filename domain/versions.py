"""Versions of models: 1.0.0 for the first, then by what is new about a model. People and tags tell models apart by them.

Another base model is a major step, other training data (or another weight) a minor one, the same recipe trained anew a
patch. A version belongs to a model: it keeps it when it goes live again, and no other model ever gets it.
"""

import re
from collections.abc import Iterable

from domain.ledger import Release, State

_VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")
Numbers = tuple[int, int, int]


def version_of(state: State, model: str, base_model: str, recipe: str) -> str:
    """The version of a model that is about to go live.

    Args:
        state: the track's head, without this release.
        model: the model's path.
        base_model: path of the base model that it was trained from.
        recipe: hash of what it was trained from.
    """
    known = [*([state.release] if state.release else []), *state.previous_releases]
    own = next((one.version for one in known if one.model == model and numbers(one.version)), "")
    if own:
        return own
    taken = [numbers(version) for version in (*_of(known), *(one.version for one in state.withdrawn))]
    found = [version for version in taken if version]
    return ".".join(map(str, _next(found, known, base_model, recipe)))


def numbers(version: str) -> Numbers | None:
    """The parts of a version, which sort as versions do; None for what is none.

    >>> numbers("1.10.0") > numbers("1.9.3"), numbers("1.0"), numbers("01.0.0")
    (True, None, None)
    """
    found = _VERSION.fullmatch(version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _next(taken: list[Numbers], known: list[Release], base_model: str, recipe: str) -> Numbers:
    if not taken:
        return 1, 0, 0
    same = next((found for one in known if one.recipe == recipe and (found := numbers(one.version))), None)
    if same:
        return *same[:2], max(one[2] for one in taken if one[:2] == same[:2]) + 1
    live = known[0] if known else None
    now = numbers(live.version) if live else None
    if live and now and live.base_model == base_model:
        return now[0], max(one[1] for one in taken if one[0] == now[0]) + 1, 0
    return max(taken)[0] + 1, 0, 0


def _of(releases: Iterable[Release]) -> Iterable[str]:
    return (one.version for one in releases)
