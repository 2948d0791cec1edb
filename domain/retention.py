"""What is kept on the Speech service, and what nobody needs any more.

Kept are: what is live and what it was compared with, whatever somebody still waits for, and the track's newest models.
Hosting an endpoint is charged by the hour; models, evaluations and datasets cost nothing to keep, but clutter the lists.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.ledger import State
from domain.naming import live_endpoint_name

_NO_DATE = datetime.fromtimestamp(0, UTC)


class Held(BaseModel):
    """Something on the Speech service that we made, as far as these rules need to know it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["endpoint", "evaluation", "model", "dataset"]
    path: str
    name: str
    track: str
    """For which track it was made, by its properties."""
    status: str = "Succeeded"
    content_hash: str = ""
    created: datetime | None = None
    uses: tuple[str, ...] = ()
    """Ids of the entities that it refers to."""

    @property
    def id(self) -> str:
        """Its id on the service."""
        return self.path.rpartition("/")[2]

    @property
    def is_final(self) -> bool:
        """Whether its job is over."""
        return self.status in ("Succeeded", "Failed")

    @property
    def is_staging(self) -> bool:
        """Whether it is an endpoint on which a candidate was tried."""
        return self.kind == "endpoint" and self.name.startswith(f"{self.track}-staging-")

    @property
    def is_live_endpoint(self) -> bool:
        """Whether it is an endpoint that was made for clients."""
        live = live_endpoint_name(self.track)
        return self.kind == "endpoint" and (self.name == live or self.name.startswith(f"{live}-"))

    @property
    def is_candidate(self) -> bool:
        """Whether it is a model that the track has trained."""
        return self.kind == "model" and self.name.startswith(f"{self.track}-model-")


def superfluous(held: Iterable[Held], head: State, keep_models: int, wanted: Collection[str] = ()) -> tuple[Held, ...]:
    """What of a track can be deleted, in the order in which the service lets it go; nothing while a release is pending.

    Args:
        held: what there is, of any track.
        head: of the track.
        keep_models: so many of its newest models are kept, whatever they are.
        wanted: paths and names of models that somebody waits for, or may go back to.
    """
    if head.pending is not None:
        return ()
    ours = [one for one in held if one.track == head.track]
    endpoints = [one for one in ours if one.is_staging or _is_former(one, head)]
    models = _old_models(ours, endpoints, head, keep_models, wanted)
    gone = {model.id for model in models}
    evaluations = [one for one in ours if one.kind == "evaluation" and gone & set(one.uses)]
    return (*endpoints, *evaluations, *models)


def endpoints_in_use(head: State) -> frozenset[str]:
    """Paths of the endpoints that clients may be using: the live one, and the one before, from which they move away."""
    now = {head.endpoint} if head.endpoint else set()
    former = next((release.endpoint for release in head.previous_releases if release.endpoint not in now), None)
    return frozenset(now | ({former} if former else set()))


def _is_former(one: Held, head: State) -> bool:
    return head.release is not None and one.is_live_endpoint and one.path not in endpoints_in_use(head)


def _old_models(
    ours: Sequence[Held], leaving: Sequence[Held], head: State, keep: int, wanted: Collection[str]
) -> list[Held]:
    """All attempts at a recipe stay or go together: were one missing, the recipe would be trained again."""
    needed = {*_paths_in_use(head), *wanted}
    busy = {used for one in ours if one not in leaving and _holds(one) for used in one.uses}
    old: list[Held] = []
    for number, attempts in enumerate(_by_recipe(ours)):
        ready = all(one.is_final and one.id not in busy for one in attempts)
        if number >= keep and ready and not needed & {name for one in attempts for name in (one.path, one.name)}:
            old += attempts
    return old


def _paths_in_use(head: State) -> set[str]:
    return {one.model for one in (head.release, head.benchmark) if one}


def _holds(one: Held) -> bool:
    """Whether the models that it refers to must stay: endpoints serve them, evaluations are under way."""
    return one.kind == "endpoint" or (one.kind == "evaluation" and not one.is_final)


def _by_recipe(ours: Iterable[Held]) -> list[list[Held]]:
    """The models by recipe, the newest first, and of each recipe the latest attempt first."""
    models = sorted((one for one in ours if one.is_candidate), key=lambda one: one.content_hash)
    groups = [list(group) for _, group in groupby(models, key=lambda one: one.content_hash)]
    for group in groups:
        group.sort(key=_age_key, reverse=True)
    return sorted(groups, key=lambda group: _age_key(group[0]), reverse=True)


def _age_key(one: Held) -> tuple[datetime, str]:
    return one.created or _NO_DATE, one.path
