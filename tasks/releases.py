"""Releases: what may go live, and the record of what did."""

from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict

from domain.golden import LONGEST_SECONDS, Golden, Hearing, golden_utterances
from domain.ledger import Benchmark, Kind, News, Pending, Release, State, Withdrawn
from domain.mistakes import Mistake
from domain.naming import Identity, release_endpoint_identity
from domain.rollback import refusal, withdrawn_after
from domain.ruling import ModelRef, Ruling, Subject
from domain.versions import version_of
from tasks.approvals import Approvals, require_approval
from tasks.blocks import load_store
from tasks.ledger import Ledger
from tasks.listening import Verified
from tasks.release_cards import keep_card
from tasks.retrying import FRESH
from tasks.snapshots import short_recordings
from tasks.store import Store
from tasks.vault import read_comparison, read_ruling


class Order(BaseModel):
    """A release that may go ahead: the ruling, the head it applies to, and the recordings that will prove it."""

    model_config = ConfigDict(frozen=True)

    digest: str
    ruling: Ruling
    state: State
    golden: dict[str, Golden]
    """What was said and what the evaluation heard, by recording."""
    kind: Kind = "release"
    approval: str = ""
    """Id of the approval, when one was asked for."""
    reason: str = ""
    """Of a rollback."""
    by: str = ""
    """Who asked for a rollback."""
    version: str = ""
    """Of a rollback: the version that the model had."""
    takes_back: Withdrawn | None = None
    """Of a rollback: what counts as taken back once it is done."""

    staging: Hearing | None = None
    """What the staging endpoint made of the golden utterances."""

    @property
    def new_endpoint(self) -> Identity | None:
        """The endpoint that this release makes for itself; None when it changes the one that clients know.

        A rollback makes none, whatever the mode: ids never change because of it.
        """
        track = self.ruling.subject.track
        if self.kind == "rollback" or track.release.mode == "stable-id" or self.is_done(self.state):
            return None
        return release_endpoint_identity(track.name, self.ruling.subject.candidate.path, next_number(self.state))

    @property
    def former(self) -> ModelRef | None:
        """The model that is live until now."""
        return self.state.release.ref if self.state.release else None

    @property
    def pending(self) -> Pending:
        """What the head says while this is under way."""
        return Pending(
            model_name=self.ruling.subject.candidate.name,
            evidence=self.digest,
            kind=self.kind,
            flow_run=str(flow_run.id or ""),
            approval=self.approval,
            reason=self.reason,
            by=self.by,
            takes_back=self.takes_back,
        )

    def is_begun(self, head: State) -> bool:
        """Whether the head says that this very release was begun, by this run or one that was interrupted."""
        return head.pending is not None and (head.pending.kind, head.pending.evidence) == (self.kind, self.digest)

    def is_ours(self, head: State) -> bool:
        """Whether this very run is at it, and no other has taken it over."""
        return self.is_begun(head) and head.pending is not None and head.pending.flow_run == self.pending.flow_run

    def is_done(self, head: State) -> bool:
        """Whether this very model is live already, on this very evidence, and nothing is under way."""
        return head.pending is None and head.release is not None and head.release.evidence == self.digest

    @property
    def is_known(self) -> bool:
        """Whether it was begun or done before: then it needs no leave any more."""
        return self.is_begun(self.state) or self.is_done(self.state)


@task(name="check-release", description="Does the verdict allow it, and does it still apply?", **FRESH)
async def check_release(store: str, track: str, model: str, verdict: str, approval: str = "") -> Order:
    """Read the ruling and refuse what must not go live. Whether somebody approved it is asked when it is claimed.

    Raises:
        Mistake: the verdict is not PASS, is about another model, or was made against another benchmark or other data.
    """
    keep = await load_store(store)
    ruling, state = await read_ruling(keep, verdict), await Ledger(keep, track).state()
    _refuse_wrong(ruling, track, model)
    golden = await golden_of(keep, ruling)
    order = Order(digest=verdict, ruling=ruling, state=state, golden=golden, approval=approval)
    refuse_overtaken(order, state)
    noted = state.pending.approval if state.pending and order.is_begun(state) else ""
    return order.model_copy(update={"approval": approval or noted})


@task(name="claim-release", description="Tell the ledger that the endpoint is about to change.", **FRESH)
async def claim_release(store: str, order: Order) -> None:
    """Note in the head that a release has begun, and by whom, before anything changes for clients.

    One that another run had begun, and that was interrupted, is taken over: should that run live after all, it finds out.

    Raises:
        Mistake: another release was faster, or is under way, or nobody has approved this one and somebody has to.
    """
    subject, keep = order.ruling.subject, await load_store(store)
    if order.kind == "release":
        await require_approval(keep, order.ruling, order.digest, order.approval, begun=order.is_known)

    def change(head: State) -> dict[str, Any]:
        refuse_overtaken(order, head)
        if head.pending != order.state.pending:
            raise Mistake(f"another run has gone on with the {order.kind} of '{subject.candidate.name}' meanwhile.")
        return {"pending": order.pending}

    ledger = Ledger(keep, subject.track.name)
    if not order.is_ours(await ledger.state()) and not order.is_done(order.state):  # ours: the answer got lost before
        news = _news(f"{order.kind}-started", order, {"ruling": order.digest, "model": subject.candidate.name})
        await ledger.append(news, change)
    if order.approval:
        await Approvals(keep, subject.track.name).use(order.approval)


@task(name="record-release", description="Release, benchmark and history change together.", **FRESH)
async def record_release(store: str, order: Order, endpoint: Verified) -> Release:
    """Tell the ledger what is live now; a release that is recorded already is not recorded twice."""
    subject, keep = order.ruling.subject, await load_store(store)
    ledger = Ledger(keep, subject.track.name)
    state = await ledger.state()
    if state.release and order.is_done(state):
        return await _moved(ledger, order, state.release, endpoint)
    release = _release(order, endpoint, state, datetime.now(UTC))
    card = await keep_card(keep, order.ruling, release, endpoint, order.staging, endpoint.hearing)
    release = release.model_copy(update={"card": card})

    def change(head: State) -> dict[str, Any]:
        refuse_overtaken(order, head)
        refuse_taken_over(order, head)
        withdrawn = withdrawn_after(head, subject.candidate.path)
        return head.released(release, _benchmark(order.ruling)) | {"withdrawn": withdrawn}

    await ledger.append(_news(order.kind, order, _facts(order, release, endpoint)), change)
    _tell(subject.track.name, release)
    return release


async def _moved(ledger: Ledger, order: Order, release: Release, endpoint: Verified) -> Release:
    """A release that was recorded before; when its endpoint was deleted, the head follows it to the new one."""
    if release.endpoint == endpoint.path:
        return release
    moved = release.model_copy(update={"endpoint": endpoint.path})
    facts = {"ruling": order.digest, "model": release.model_name, "endpoint": endpoint.path, "gone": release.endpoint}

    def change(head: State) -> dict[str, Any]:
        return {"release": moved, "endpoint": moved.endpoint} if head.release == release else {}

    await ledger.append(_news("endpoint-moved", order, facts), change)
    return moved


@task(name="record-failed-release", description="Tell the ledger that the former model is back.", **FRESH)
async def record_failed_release(store: str, order: Order, reason: str) -> None:
    """Close a release that was begun and taken back."""
    facts = {"ruling": order.digest, "model": order.ruling.subject.candidate.name, "reason": reason}
    ledger = Ledger(await load_store(store), order.ruling.subject.track.name)

    def change(head: State) -> dict[str, Any]:
        refuse_taken_over(order, head)
        return {"pending": None}

    await ledger.append(_news(f"{order.kind}-failed", order, facts), change)


@task(name="check-ownership", description="Is this still ours to finish or take back?", **FRESH)
async def check_ownership(store: str, order: Order) -> None:
    """Refuse to touch the endpoint for a release that another run has taken over; one that was done before is nobody's.

    Raises:
        Mistake: it has.
    """
    if not order.is_done(order.state):
        refuse_taken_over(order, await Ledger(await load_store(store), order.ruling.subject.track.name).state())


async def golden_of(store: Store, ruling: Ruling) -> dict[str, Golden]:
    """The recordings that tell the candidate from the benchmark best, with what was said and what the evaluation heard."""
    comparison = await read_comparison(store, ruling.comparison)
    ranked = golden_utterances(comparison.benchmark.scorecard, comparison.candidate.scorecard)
    short = await short_recordings(store, ruling.subject.testing, LONGEST_SECONDS)
    texts = {u.id: Golden(said=u.reference, heard=u.hypothesis) for u in comparison.candidate.scorecard.utterances}
    chosen = [name for name in ranked if name in short][: ruling.subject.track.release.golden_utterances]
    return {name: texts[name] for name in chosen}


def _refuse_wrong(ruling: Ruling, track: str, model: str) -> None:
    subject, verdict = ruling.subject, ruling.verdict
    if subject.track.name != track:
        raise Mistake(
            f"the verdict is about track '{subject.track.name}', not '{track}'. Give the track's own verdict."
        )
    if subject.candidate.name != model:
        raise Mistake(f"the verdict is about '{subject.candidate.name}', not '{model}'. Give that model's own verdict.")
    if not verdict.releases:
        raise Mistake(
            f"'{model}' must not go live: its verdict is {verdict.outcome.value} ({'; '.join(verdict.reasons)})."
        )


def refuse_overtaken(order: Order, head: State) -> None:
    """The verdict must still apply to the head as it is now; for a release that was begun, that was settled then.

    Raises:
        Mistake: something else is under way, or something else is live, or measured, by now.
    """
    if order.is_begun(head) or order.is_done(head):
        return
    if head.pending:
        raise Mistake(
            f"the {head.pending.kind} of '{head.pending.model_name}' is under way, or was interrupted. Run training-update "
            "again: it finishes what was interrupted."
        )
    if order.kind == "release":
        _refuse_out_of_date(order.ruling.subject, head)
        if taken_back := refusal(head, order.ruling.subject.recipe):
            raise Mistake(taken_back)


def refuse_taken_over(order: Order, head: State) -> None:
    """Two runs must not work on one endpoint: who was taken for dead, and is not, stops here.

    Raises:
        Mistake: another run has taken it over, or has ended it.
    """
    if not order.is_ours(head):
        raise Mistake(f"the {order.kind} of '{order.ruling.subject.candidate.name}' was taken over by another run.")


def _refuse_out_of_date(subject: Subject, head: State) -> None:
    if head.benchmark_or(subject.base).path != subject.benchmark.path:
        raise Mistake(
            f"the verdict is out of date: it compared with '{subject.benchmark.name}', which is no longer the benchmark. "
            "Run training-update again."
        )
    if head.benchmark and head.benchmark.testing_hash != subject.testing_hash:
        raise Mistake("the verdict is out of date: the testing data have changed since. Run training-update again.")


def next_number(head: State) -> int:
    """The number of the next release or rollback."""
    return head.release.number + 1 if head.release else 1


def _news(kind: str, order: Order, facts: dict[str, Any]) -> News:
    if order.kind == "rollback":
        facts |= {"version": order.version, "by": order.by, "why": order.reason}
        facts |= {"taken_back": order.takes_back.model_name} if order.takes_back else {}
    return News(kind=kind, flow_run=str(flow_run.id or ""), revision=order.ruling.subject.revision, facts=facts)


def _release(order: Order, endpoint: Verified, head: State, at: datetime) -> Release:
    subject = order.ruling.subject
    return Release(
        number=next_number(head),
        model=subject.candidate.path,
        model_name=subject.candidate.name,
        recipe=subject.recipe,
        endpoint=endpoint.path,
        evidence=order.digest,
        revision=subject.revision,
        released_at=at,
        kind=order.kind,
        version=order.version or _version(order, head),
        base_model=subject.base.path,
        wer=order.ruling.verdict.candidate_wer,
        approval=order.approval,
        reason=order.reason,
        by=order.by,
        latency=endpoint.hearing.latency,
    )


def _version(order: Order, head: State) -> str:
    """A model that goes back live has the version that it had; one from before there were versions has none."""
    subject = order.ruling.subject
    return (
        "" if order.kind == "rollback" else version_of(head, subject.candidate.path, subject.base.path, subject.recipe)
    )


def _facts(order: Order, release: Release, endpoint: Verified) -> dict[str, Any]:
    golden = {"staging": order.staging, "live": endpoint.hearing}
    return {
        "ruling": order.digest,
        "model": release.model_name,
        "endpoint": release.endpoint,
        "release": release.number,
        "version": release.version,
        "card": release.card,
        "approval": release.approval,
        "golden": {where: heard.model_dump() for where, heard in golden.items() if heard and heard.recordings},
    }


def _benchmark(ruling: Ruling) -> Benchmark:
    verdict, subject = ruling.verdict, ruling.subject
    if verdict.candidate_wer is None:
        raise RuntimeError("a verdict that releases has a WER")
    return Benchmark(
        model=subject.candidate.path,
        model_name=subject.candidate.name,
        wer=verdict.candidate_wer,
        words=verdict.words,
        testing_hash=subject.testing_hash,
        evidence=ruling.measurement,
    )


def _tell(track: str, release: Release) -> None:
    get_run_logger().info("Release %d of '%s': %s", release.number, track, release.model_name)
    emit_event(
        event=f"speechops.track.{'rolled-back' if release.kind == 'rollback' else 'released'}",
        resource={"prefect.resource.id": f"speechops.track.{track}", "prefect.resource.name": track},
        payload={"release": release.number, "model": release.model_name, "revision": release.revision},
    )
