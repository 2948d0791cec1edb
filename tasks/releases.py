"""Releases: what may go live, and the record of what did."""

from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict

from domain.golden import LONGEST_SECONDS, golden_utterances
from domain.ledger import Benchmark, Kind, News, Pending, Release, State
from domain.mistakes import Mistake
from domain.ruling import ModelRef, Ruling, Subject
from tasks.blocks import load_store
from tasks.entities import Remote
from tasks.ledger import Ledger
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
    golden: dict[str, str]
    """The candidate's normalised text by recording."""
    kind: Kind = "release"
    approval: str = ""
    """Id of the approval, when one was asked for."""
    reason: str = ""
    """Of a rollback."""

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
        )

    def is_begun(self, head: State) -> bool:
        """Whether the head says that this very release was begun, by this run or one that was interrupted."""
        return head.pending is not None and (head.pending.kind, head.pending.evidence) == (self.kind, self.digest)

    def is_done(self, head: State) -> bool:
        """Whether this very model is live already, on this very evidence."""
        return head.release is not None and head.release.evidence == self.digest


@task(name="check-release", description="Does the verdict allow it, and does it still apply?", **FRESH)
async def check_release(store: str, track: str, model: str, verdict: str) -> Order:
    """Read the ruling and refuse what must not go live.

    Raises:
        Mistake: the verdict is not PASS, is about another model, or was made against another benchmark or other data.
    """
    keep = await load_store(store)
    ruling, state = await read_ruling(keep, verdict), await Ledger(keep, track).state()
    _refuse_wrong(ruling, track, model)
    order = Order(digest=verdict, ruling=ruling, state=state, golden=await golden_of(keep, ruling))
    refuse_overtaken(order, state)
    return order


@task(name="claim-release", description="Tell the ledger that the endpoint is about to change.", **FRESH)
async def claim_release(store: str, order: Order) -> None:
    """Note in the head that a release has begun, before anything changes for clients.

    Raises:
        Mistake: another release was faster, or is under way.
    """
    subject = order.ruling.subject

    def change(head: State) -> dict[str, Any]:
        refuse_overtaken(order, head)
        return {"pending": order.pending}

    if not order.is_begun(order.state) and not order.is_done(order.state):
        news = _news(f"{order.kind}-started", order, {"ruling": order.digest, "model": subject.candidate.name})
        await Ledger(await load_store(store), subject.track.name).append(news, change)


@task(name="record-release", description="Release, benchmark and history change together.", **FRESH)
async def record_release(store: str, order: Order, endpoint: Remote) -> Release:
    """Tell the ledger what is live now; a release that is recorded already is not recorded twice."""
    subject = order.ruling.subject
    ledger = Ledger(await load_store(store), subject.track.name)
    state = await ledger.state()
    if state.release and order.is_done(state):
        return state.release
    at = datetime.now(UTC)

    def change(head: State) -> dict[str, Any]:
        refuse_overtaken(order, head)
        return head.released(_release(order, endpoint, head, at), _benchmark(order.ruling))

    facts = {"ruling": order.digest, "model": subject.candidate.name, "endpoint": endpoint.path}
    release = (await ledger.append(_news(order.kind, order, facts), change)).release
    if release is None:
        raise RuntimeError("the ledger has lost the release that it just took")
    _tell(subject.track.name, release)
    return release


@task(name="record-failed-release", description="Tell the ledger that the former model is back.", **FRESH)
async def record_failed_release(store: str, order: Order, reason: str) -> None:
    """Close a release that was begun and taken back."""
    facts = {"ruling": order.digest, "model": order.ruling.subject.candidate.name, "reason": reason}
    ledger = Ledger(await load_store(store), order.ruling.subject.track.name)
    await ledger.append(_news(f"{order.kind}-failed", order, facts), lambda _: {"pending": None})


async def golden_of(store: Store, ruling: Ruling) -> dict[str, str]:
    """The recordings that tell the candidate from the benchmark best, with the text that the evaluation heard."""
    comparison = await read_comparison(store, ruling.comparison)
    ranked = golden_utterances(comparison.benchmark.scorecard, comparison.candidate.scorecard)
    short = await short_recordings(store, ruling.subject.testing, LONGEST_SECONDS)
    texts = {u.id: u.hypothesis for u in comparison.candidate.scorecard.utterances}
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


def _refuse_out_of_date(subject: Subject, head: State) -> None:
    if head.benchmark_or(subject.base).path != subject.benchmark.path:
        raise Mistake(
            f"the verdict is out of date: it compared with '{subject.benchmark.name}', which is no longer the benchmark. "
            "Run training-update again."
        )
    if head.benchmark and head.benchmark.testing_hash != subject.testing_hash:
        raise Mistake("the verdict is out of date: the testing data have changed since. Run training-update again.")


def _news(kind: str, order: Order, facts: dict[str, Any]) -> News:
    return News(kind=kind, flow_run=str(flow_run.id or ""), revision=order.ruling.subject.revision, facts=facts)


def _release(order: Order, endpoint: Remote, head: State, at: datetime) -> Release:
    subject = order.ruling.subject
    return Release(
        number=head.release.number + 1 if head.release else 1,
        model=subject.candidate.path,
        model_name=subject.candidate.name,
        recipe=subject.recipe,
        endpoint=endpoint.path,
        evidence=order.digest,
        revision=subject.revision,
        released_at=at,
        kind=order.kind,
        base_model=subject.base.path,
        wer=order.ruling.verdict.candidate_wer,
        approval=order.approval,
        reason=order.reason,
    )


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
        event="speechops.track.released",
        resource={"prefect.resource.id": f"speechops.track.{track}", "prefect.resource.name": track},
        payload={"release": release.number, "model": release.model_name, "revision": release.revision},
    )
