"""Rollbacks: which model takes over, claimed in the head before anything changes for clients."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any, cast

from prefect import task
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict

from domain.approval import plain
from domain.golden import Golden
from domain.ledger import News, Release, State
from domain.mistakes import Mistake
from domain.rollback import Target, already_told, earlier, known, named, next_best, taken_back, withdrawal
from domain.ruling import Ruling
from speech_client import NotFound, SpeechClient, Status
from tasks.blocks import load_speech, load_store
from tasks.ledger import Ledger
from tasks.releases import Order, golden_of
from tasks.retrying import FRESH, REMOTE
from tasks.store import Store
from tasks.vault import read_ruling

_MOST_NAME, _MOST_REASON = 200, 1000
"""Characters."""


class Wish(BaseModel):
    """What somebody asked for."""

    model_config = ConfigDict(frozen=True)

    track: str
    to: str = ""
    """Version, release number or model name; empty is the one before."""
    reason: str = ""
    by: str = ""

    @classmethod
    def of(cls, track: str, to: str, reason: str, by: str) -> "Wish":
        """As it was typed: one line each, of a decent length, for the history keeps it."""
        return cls(track=track, to=to, reason=plain(reason)[:_MOST_REASON], by=plain(by)[:_MOST_NAME])


class Choice(BaseModel):
    """What a rollback has to do, or that it has nothing to do any more: then `live` is what is live."""

    model_config = ConfigDict(frozen=True)

    order: Order | None = None
    live: Release | None = None
    told: str = ""


class _MovedOn(Exception):
    """The head is no longer what the choice was made from."""


@task(name="choose-rollback", description="Which model takes over? It must be there, and not expired.", **REMOTE)
async def choose_rollback(speech: str, store: str, head: State, wish: Wish) -> Choice:
    """Choose from the head as it is now; what a dead run left pending is gone on with, or replaced.

    Raises:
        Mistake: there is nothing to go back to, or what was named cannot be used; the message names the next best.
    """
    if head.release is None:
        raise Mistake(f"track '{wish.track}' has no release yet: there is nothing to go back from.")
    wish = _as_begun(head, wish)
    if _is_done(head, wish):
        return Choice(live=head.release, told=already_told(head))
    keep = await load_store(store)
    async with (await load_speech(speech)).client() as client:
        present = await _present(client, keep, head)
        target = await _named(client, head, wish.to) if wish.to else await _nearest(client, head, present)
    return Choice(order=await _order(keep, head, present, target, wish))


@task(name="claim-rollback", description="Tell the ledger that the endpoint is about to change.", **FRESH)
async def claim_rollback(store: str, order: Order) -> bool:
    """Note in the head that a rollback has begun; False when the head has changed since the choice was made."""
    subject = order.ruling.subject
    facts = {"ruling": order.digest, "model": subject.candidate.name, "version": order.version,
             "why": order.reason, "by": order.by}  # fmt: skip

    def change(head: State) -> dict[str, Any]:
        if (head.pending, head.release) != (order.state.pending, order.state.release):
            raise _MovedOn
        return {"pending": order.pending}

    news = News(
        kind="rollback-started",
        flow_run=str(flow_run.id or ""),
        revision=subject.revision,
        facts=_replaced(order) | facts,
    )
    try:
        await Ledger(await load_store(store), subject.track.name).append(news, change)
    except _MovedOn:
        return False
    return True


@task(name="read-pending", description="What was begun, and by the head is not over.", **FRESH)
async def read_pending(store: str, track: str) -> Order | None:
    """The order of what is pending, as far as it takes to end it; None when nothing is."""
    keep = await load_store(store)
    head = await Ledger(keep, track).state()
    if head.pending is None:
        return None
    begun = head.pending.model_dump(include={"kind", "approval", "reason", "by", "takes_back"})
    ruling = await read_ruling(keep, head.pending.evidence)
    return Order(digest=head.pending.evidence, ruling=ruling, state=head, golden={}, **begun)


async def report_rollback(choice: Choice, release: Release | None = None) -> Release:
    """End the run in a state that says what came of it: Rolled back, or Already live."""
    if release is not None:
        instead = (
            f", instead of '{choice.order.takes_back.model_name}'" if choice.order and choice.order.takes_back else ""
        )
        message = f"'{release.model_name}' ({release.version or f'release {release.number}'}) is live again{instead}"
        return cast("Release", Completed(name="Rolled back", message=message, data=release))
    return cast("Release", Completed(name="Already live", message=choice.told, data=choice.live))


@task(name="name-next-best", description="What else could be gone back to?", **REMOTE)
async def name_next_best(speech: str, head: State, failed: str) -> str:
    """The command for the next best choice, after the model `failed` (its path) could not be put live."""
    async with (await load_speech(speech)).client() as client:
        return await _next_best(client, head, without=failed)


async def why_unusable(client: SpeechClient, model: str) -> str:
    """Why a model (its path) cannot be put live; empty when it can.

    Azure answers through the endpoint of an expired model with the newest base model, silently.
    """
    try:
        entity = await client.models.get(model)
    except NotFound:
        return "is deleted"
    dates = entity.properties.deprecation_dates if entity.properties else None
    ends = dates.transcription_date_time if dates else None
    if entity.status != Status.SUCCEEDED:
        return f"is {entity.status}"
    return f"expired on {ends:%Y-%m-%d}" if ends and ends <= datetime.now(UTC) else ""


def _as_begun(head: State, wish: Wish) -> Wish:
    """A rollback that was interrupted is gone on with, unless somebody wants to go somewhere else."""
    begun = head.pending
    if begun is None or begun.kind != "rollback" or wish.to not in ("", begun.model_name):
        return wish
    changes = {"to": begun.model_name, "reason": begun.reason or wish.reason, "by": begun.by or wish.by}
    return wish.model_copy(update=changes)


def _is_done(head: State, wish: Wish) -> bool:
    """Whether that model is live already, or the last release was taken back already: asking twice is one rollback."""
    if head.pending is not None or head.release is None:
        return False
    if wish.to:
        return named(head, wish.to).model == head.release.model
    return taken_back(head) is not None


async def _present(client: SpeechClient, store: Store, head: State) -> Target:
    """What clients have: the live model or, when a release was interrupted after the endpoint had changed, that one."""
    assert head.release is not None  # noqa: S101  (asked before)
    live = next(target for target in known(head) if target.model == head.release.model)
    if head.pending is None or head.pending.kind != "release" or head.endpoint is None:
        return live
    begun = await read_ruling(store, head.pending.evidence)
    try:
        endpoint = await client.endpoints.get(head.endpoint)
    except NotFound:
        return live
    serves = endpoint.model.id if endpoint.model else ""
    return _unreleased(begun, head.pending.evidence) if begun.subject.candidate.path.endswith(f"/{serves}") else live


async def _named(client: SpeechClient, head: State, to: str) -> Target:
    target = named(head, to)
    if why := await why_unusable(client, target.model):
        raise Mistake(f"{target.told} cannot be put live: it {why}. {await _next_best(client, head, target.model)}")
    return target


async def _nearest(client: SpeechClient, head: State, present: Target) -> Target:
    passed: list[str] = []
    for target in earlier(head, present.model):
        why = await why_unusable(client, target.model)
        if not why:
            return target
        passed.append(f"{target.told} {why}")
        get_run_logger().warning("%s cannot be gone back to: it %s", target.told, why)
    missing = f" ({'; '.join(passed)})" if passed else ""
    raise Mistake(
        f"track '{head.track}' has no earlier release to go back to{missing}. "
        f"{await _next_best(client, head, present.model)}"
    )


async def _next_best(client: SpeechClient, head: State, without: str) -> str:
    live = head.release.model if head.release else ""
    away = {one.model for one in head.withdrawn}

    async def usable(targets: Iterable[Target]) -> AsyncIterator[Target]:
        for target in targets:
            if target.model not in (without, live) and not await why_unusable(client, target.model):
                yield target

    backwards = [target async for target in usable(earlier(head, live))]
    others = [target async for target in usable(known(head)) if target not in backwards]
    others.sort(key=lambda target: target.model in away)
    return next_best(head.track, backwards, others)


async def _order(store: Store, head: State, present: Target, target: Target, wish: Wish) -> Order:
    ruling = await read_ruling(store, target.evidence)
    reason = wish.reason or "no reason was given"
    begun = head.pending if head.pending and head.pending.kind == "rollback" else None
    same = begun is not None and begun.evidence == target.evidence
    fresh = withdrawal(head, present, target, reason, datetime.now(UTC))
    return Order(
        digest=target.evidence,
        ruling=ruling,
        state=head,
        golden=await _golden(store, ruling),
        kind="rollback",
        reason=reason,
        by=wish.by,
        version=target.version,
        takes_back=begun.takes_back if begun and same else fresh,
    )


async def _golden(store: Store, ruling: Ruling) -> dict[str, Golden]:
    """What the model should say. Clients wait: without the evidence, a model that was verified once goes live unheard."""
    try:
        return await golden_of(store, ruling)
    except Mistake as error:
        get_run_logger().warning("Nothing can be sent through the endpoint to verify it: %s", error)
        return {}


def _unreleased(ruling: Ruling, digest: str) -> Target:
    model = ruling.subject.candidate
    return Target(
        number=0, version="", model=model.path, model_name=model.name, recipe=ruling.subject.recipe, evidence=digest
    )


def _replaced(order: Order) -> dict[str, Any]:
    """What a dead run had begun, and is ended by this."""
    begun = order.state.pending
    return {"instead_of": begun.model_name, "begun_by": begun.flow_run} if begun else {}
