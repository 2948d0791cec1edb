"""Orphans: what we made on the Speech service and no track uses any more, with the reason and what it costs."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.ledger import State
from domain.retention import Held, endpoints_in_use, superfluous
from domain.temporary import pull_of

HOURS_A_MONTH = 730
_YOUNG = timedelta(hours=1)
"""A run that has just made something may not have told anybody yet."""


class Orphan(BaseModel):
    """One of them. `deletable` says that nothing and nobody can still depend on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["endpoint", "evaluation", "model", "dataset"]
    name: str
    track: str
    path: str
    why: str
    age_days: float | None = None
    monthly_cost: float = 0.0
    """Of hosting, in the currency of the price that was given. Models, evaluations and datasets cost nothing to keep."""
    deletable: bool = True
    deleted: bool = False


class Known(BaseModel):
    """What a store, and the Prefect server, know of one track."""

    model_config = ConfigDict(frozen=True)

    head: State
    keep_models: int
    wanted: frozenset[str] = frozenset()
    """Paths and names of models that somebody waits for, or may go back to."""
    busy: bool = False
    """Whether a run is at work: nothing of it is an orphan."""


def find_orphans(
    held: Collection[Held], known: Mapping[str, Known], hosting_price: float, now: datetime, pulls: Collection[str] = ()
) -> tuple[Orphan, ...]:
    """What nobody uses, in the order in which the service lets it go.

    Args:
        held: all that we made on the Speech service.
        known: what is known of each track, by its name.
        hosting_price: of one endpoint, per hour.
        now: the time.
        pulls: numbers of the pull requests that have a run at work.
    """
    needed = frozenset(used for one in held for used in one.uses)
    succeeded = frozenset(one.content_hash for one in held if one.status != "Failed")
    found: dict[str, Orphan] = {}
    for one in held:
        why, deletable = _why(one, known.get(one.track), pulls, needed, succeeded) or ("", False)
        if why and (one.created is None or now - one.created > _YOUNG or one.is_staging):
            found[one.path] = _orphan(one, why, deletable, hosting_price, now)
    for track in known.values():
        for one in superfluous(held, track.head, track.keep_models, track.wanted) if not track.busy else ():
            found.setdefault(one.path, _orphan(one, _beyond(one, track), True, hosting_price, now))
    return tuple(sorted(found.values(), key=lambda orphan: (_ORDER.index(orphan.kind), orphan.track, orphan.name)))


_ORDER = ("endpoint", "evaluation", "model", "dataset")


def _why(
    one: Held, track: Known | None, pulls: Collection[str], needed: Collection[str], succeeded: Collection[str]
) -> tuple[str, bool] | None:
    """Why nobody uses it, and whether it can be deleted safely; None when somebody may use it."""
    if (number := pull_of(one.name, {"track": one.track})) is not None:
        return (
            None if str(number) in pulls else (f"left by pull request {number}, which has no run at work", one.is_final)
        )
    if track is None:
        return "this store knows no such track; another store may", False
    if track.busy or track.head.pending is not None:
        return None
    return next(_reasons(one, track, needed, succeeded), None)


def _reasons(
    one: Held, track: Known, needed: Collection[str], succeeded: Collection[str]
) -> Iterator[tuple[str, bool]]:
    """A failed attempt stays while a later one is in use: were it missing, the first would be made again."""
    head = track.head
    if one.is_staging:
        yield "staging endpoint of a release that is over", True
    if one.is_live_endpoint and one.path not in endpoints_in_use(head):
        yield ("a former endpoint of the track", True) if head.release else ("the track has no release", False)
    if one.kind in ("evaluation", "dataset") and one.status == "Failed":
        yield "failed", one.content_hash not in succeeded
    measured = head.benchmark.testing_hash if head.benchmark else ""
    if one.kind == "dataset" and one.is_final and one.id not in needed and one.content_hash != measured:
        yield "no model and no evaluation uses it", True


def _beyond(one: Held, track: Known) -> str:
    if one.kind == "model":
        return f"older than the newest {track.keep_models} models, and not in use"
    return "of a model that is not kept" if one.kind == "evaluation" else "a former endpoint of the track"


def _orphan(one: Held, why: str, deletable: bool, price: float, now: datetime) -> Orphan:
    age = round((now - one.created) / timedelta(days=1), 1) if one.created else None
    cost = round(price * HOURS_A_MONTH, 2) if one.kind == "endpoint" else 0.0
    return Orphan(
        kind=one.kind, name=one.name, track=one.track, path=one.path, why=why,
        age_days=age, monthly_cost=cost, deletable=deletable,
    )  # fmt: skip


def total_cost(orphans: Iterable[Orphan]) -> float:
    """Per month, of those that are still there."""
    return round(sum(orphan.monthly_cost for orphan in orphans if not orphan.deleted), 2)
