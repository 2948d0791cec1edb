"""Approvals in the store: one document for each request, changed by compare-and-swap, so that there is one decision.

Whoever has the decision tells the ledger; whoever comes later finds it, and is told who was faster.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import ValidationError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from domain.approval import (
    REQUEST_ID,
    Answer,
    Request,
    check_open,
    check_usable,
    plain,
    refusal_of,
    request_id,
)
from domain.ledger import News, State
from domain.mistakes import Mistake
from domain.release_policy import ApprovalSettings
from domain.ruling import Ruling
from tasks.blocks import load_store
from tasks.ledger import Ledger
from tasks.retrying import FRESH
from tasks.store import ABSENT, Conflict, Store, may_pass

Sleep = Callable[[float], Awaitable[None]]
Change = Callable[[Request, State, datetime], Request]
"""The document as it should be, from how it is, the track's head, and the time."""

_MOST_TRIES = 15
_MOST_NAME = 200
"""Characters of an author, as a commit gives it."""


class Approvals:
    """The requests of one track in a store."""

    def __init__(self, store: Store, track: str, *, sleep: Sleep = asyncio.sleep) -> None:
        """Nothing is read yet."""
        self._store = store
        self._track = track
        self._sleep = sleep
        self._ledger = Ledger(store, track)

    async def find(self, request: str) -> Request | None:
        """The request with this id, or None."""
        found = await self._read(self._key(request)) if REQUEST_ID.fullmatch(request) else None
        return found[0] if found else None

    async def all(self) -> list[Request]:
        """All requests, the oldest first, as they stand now: what nobody may answer any more is closed."""
        head, now = await self._ledger.state(), datetime.now(UTC)
        found = [await self._read(key) for key in await self._store.keys(f"{self._folder}/")]
        return sorted((one.settled(head, now) for one, _ in filter(None, found)), key=lambda one: one.asked_at)

    async def open(self, request: Request) -> Request:
        """Note a request, unless it is there already; as it stands now."""
        try:
            await self._store.write(self._key(request.id), _bytes(request), if_match=ABSENT)
        except Conflict:
            return await self.change(request.id, lambda held, head, now: held.settled(head, now))
        return request

    async def change(self, request: str, change: Change) -> Request:
        """Change a request by compare-and-swap.

        Raises:
            Mistake: there is none, or what `change` raises.
        """
        return await self._tries()(self._swap, request, change)

    def _tries(self) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception(may_pass),
            stop=stop_after_attempt(_MOST_TRIES),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            sleep=self._sleep,
            reraise=True,
        )

    async def decide(self, request: str, answer: Answer) -> Request:
        """Answer a request, and tell the ledger. The same answer twice is no mistake.

        Raises:
            Mistake: somebody else was faster, it is too late, or this person may not; the message says which.
        """

        def change(held: Request, head: State, now: datetime) -> Request:
            if held.is_answer(answer):
                return held
            held = held.settled(head, now)
            if held.status in ("expired", "stale"):
                return held
            check_open(held)
            if why := refusal_of(held, answer):
                raise Mistake(f"{why}. Nothing has changed.")
            return held.answered(answer, now)

        decided = await self.tell(await self.change(request, change))
        if decided.approved is None:
            check_open(decided)
        return decided

    async def take(self, request: str, answer: Answer, turn: int) -> Request:
        """The answer of a form, of the `turn`-th time that was asked; one that does not count leaves the request open."""

        def change(held: Request, head: State, now: datetime) -> Request:
            held = held.settled(head, now)
            if held.is_over or held.turn != turn:
                return held
            why = refusal_of(held, answer)
            return held.asked_again(why) if why else held.answered(answer, now)

        return await self.tell(await self.change(request, change))

    async def tell(self, request: Request) -> Request:
        """Tell the ledger, once, and whoever listens, how a request ended."""
        if not request.is_over or request.told:
            return request
        known = {entry.facts.get("id") for entry in await self._ledger.history() if entry.kind == "approval"}
        if request.id not in known:
            news = News(kind="approval", flow_run=request.flow_run, revision=request.revision, facts=_facts(request))
            await self._ledger.append(news)
            emit(request)
        return await self.change(request.id, lambda held, *_: held.model_copy(update={"told": True}))

    async def use(self, request: str) -> None:
        """Note that an approval was used; again does no harm."""

        def change(held: Request, *_: object) -> Request:
            return held.model_copy(update={"status": "used"}) if held.approved else held

        await self.change(request, change)

    @property
    def _folder(self) -> str:
        return f"tracks/{self._track}/approvals"

    def _key(self, request: str) -> str:
        return f"{self._folder}/{request}.json"

    async def _swap(self, request: str, change: Change) -> Request:
        found = await self._read(self._key(request))
        if found is None:
            raise Mistake(f"track '{self._track}' has no request {request}. `speechops approvals` lists what is open.")
        held, etag = found
        changed = change(held, await self._ledger.state(), datetime.now(UTC))
        if changed != held:
            await self._store.write(self._key(request), _bytes(changed), if_match=etag)
        return changed

    async def _read(self, key: str) -> tuple[Request, str] | None:
        stored = await self._store.read(key)
        try:
            return (Request.model_validate_json(stored.data), stored.etag) if stored else None
        except ValidationError:
            raise Mistake(
                f"{key} in the store {self._store} cannot be read: it is damaged, or another version of speechops wrote it. "
                "Bring it back from a backup, or delete it and run training-update again: it asks anew."
            ) from None


@task(
    name="ask-for-approval", description="Note the question in the store; a run that goes on finds it there.", **FRESH
)
async def open_request(
    store: str, ruling: Ruling, verdict: str, settings: ApprovalSettings, authors: tuple[str, ...]
) -> Request:
    """The request of this run for a ruling, as it stands now.

    Args:
        store: name of the store's block.
        ruling: what let the model pass.
        verdict: its digest.
        settings: who may answer, and for how long.
        authors: of the data; what an earlier run knew of them counts as well.
    """
    keep, subject = await load_store(store), ruling.subject
    approvals = Approvals(keep, subject.track.name)
    known = [author for one in await approvals.all() if one.verdict == verdict for author in one.authors]
    run, now = str(flow_run.id), datetime.now(UTC)
    request = Request(
        id=request_id(run, subject.candidate.path, verdict),
        track=subject.track.name,
        flow_run=run,
        model=subject.candidate,
        verdict=verdict,
        summary=ruling.verdict.summary,
        benchmark_wer=ruling.verdict.benchmark_wer,
        candidate_wer=ruling.verdict.candidate_wer,
        revision=subject.revision,
        benchmark=subject.benchmark.path,
        testing_hash=subject.testing_hash,
        authors=tuple(dict.fromkeys(plain(author)[:_MOST_NAME] for author in (*authors, *known))),
        settings=settings,
        asked_at=now,
        expires_at=now + timedelta(hours=settings.expires_hours),
    )
    asked = await approvals.open(request)
    if asked == request:
        emit(request)
    return await approvals.tell(asked)


@task(name="take-answer", description="Take the form's answer to the store: what stands there decides.", **FRESH)
async def take_answer(store: str, request: Request, answer: Answer) -> Request:
    """The request after an answer; open when the answer does not count."""
    after = await Approvals(await load_store(store), request.track).take(request.id, answer, request.turn)
    get_run_logger().info("The request %s is %s", after.id, after.refusal or after.outcome)
    return after


@task(name="check-approval", description="Is there an approval for this model and this verdict?", **FRESH)
async def check_approval(store: str, ruling: Ruling, verdict: str, approval: str) -> None:
    """Refuse an approval that is about something else, was not given, or was used.

    Raises:
        Mistake: so it is.
    """
    found = await Approvals(await load_store(store), ruling.subject.track.name).find(approval)
    check_usable(found, ruling.subject.candidate.path, verdict)


@task(name="was-asked", description="Has this run asked before, and gone on since?", **FRESH)
async def was_asked(store: str, ruling: Ruling, verdict: str) -> bool:
    """Whether this run has a request for this ruling already."""
    subject = ruling.subject
    request = request_id(str(flow_run.id), subject.candidate.path, verdict)
    return await Approvals(await load_store(store), subject.track.name).find(request) is not None


async def require_approval(store: Store, ruling: Ruling, verdict: str, approval: str, *, begun: bool) -> None:
    """Refuse a release that somebody has to approve, or was asked to, and has not. One that was begun has had it.

    Raises:
        Mistake: so it is.
    """
    subject, approvals = ruling.subject, Approvals(store, ruling.subject.track.name)
    if not approval and begun:
        return
    asked = subject.track.release.approval.required or verdict in {one.verdict for one in await approvals.all()}
    if approval or asked:
        check_usable(await approvals.find(approval), subject.candidate.path, verdict, begun=begun)


async def tracks_with_requests(store: Store) -> list[str]:
    """The names of all tracks that ever asked."""
    found = {key.split("/")[1] for key in await store.keys("tracks/") if key.split("/")[2:3] == ["approvals"]}
    return sorted(found)


async def open_requests(store: Store, track: str) -> list[Request]:
    """What waits for a person, the oldest first."""
    return [one for one in await Approvals(store, track).all() if not one.is_over]


def emit(request: Request) -> None:
    """Tell whoever listens on the Prefect server that something is asked, or how it ended."""
    emit_event(
        event="speechops.track.approval",
        resource={
            "prefect.resource.id": f"speechops.track.{request.track}",
            "prefect.resource.name": request.track,
            "speechops.decision": request.status,
        },
        payload=_facts(request) | {"flow_run": request.flow_run, "expires_at": request.expires_at.isoformat()},
    )


def _facts(request: Request) -> dict[str, str]:
    return {
        "id": request.id,
        "model": request.model.name,
        "ruling": request.verdict,
        "decision": request.status,
        "by": request.by,
        "reason": request.reason,
    }


def _bytes(request: Request) -> bytes:
    return request.model_dump_json(indent=2).encode()
