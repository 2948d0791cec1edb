"""Releases: what may go live, and the record of what did."""

from datetime import UTC, datetime

from prefect import task
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict

from domain.golden import golden_utterances
from domain.ledger import Benchmark, News, Release, State
from domain.mistakes import Mistake
from domain.ruling import ModelRef, Ruling
from tasks.blocks import load_store
from tasks.entities import Remote
from tasks.ledger import Ledger
from tasks.rulings import read_comparison, read_ruling


class Order(BaseModel):
    """A release that may go ahead: the ruling, the head it applies to, and the recordings that will prove it."""

    model_config = ConfigDict(frozen=True)

    digest: str
    ruling: Ruling
    state: State
    golden: dict[str, str]
    """The candidate's normalised text by recording."""

    @property
    def former(self) -> ModelRef | None:
        """The model that is live until now."""
        live = self.state.release
        return ModelRef(path=live.model, name=live.model_name) if live else None


@task(name="check-release", description="Does the verdict allow it, and does it still apply?")
async def check_release(store: str, track: str, model: str, verdict: str) -> Order:
    """Read the ruling and refuse what must not go live.

    Raises:
        Mistake: the verdict is not PASS, is about another model, or was made against another benchmark.
    """
    keep = await load_store(store)
    ruling, state = await read_ruling(keep, verdict), await Ledger(keep, track).state()
    _refuse_wrong(ruling, state, track, model)
    comparison = await read_comparison(keep, ruling.subject, ruling.measurement)
    count = ruling.subject.track.release.golden_utterances
    names = golden_utterances(comparison.benchmark.scorecard, comparison.candidate.scorecard, count)
    texts = {u.id: u.hypothesis for u in comparison.candidate.scorecard.utterances}
    return Order(digest=verdict, ruling=ruling, state=state, golden={name: texts[name] for name in names})


@task(name="record-release", description="Release, benchmark and history change together.")
async def record_release(store: str, order: Order, endpoint: Remote) -> Release:
    """Tell the ledger what is live now; a release that is recorded already is not recorded twice."""
    ruling, track = order.ruling, order.ruling.subject.track.name
    ledger = Ledger(await load_store(store), track)
    live = (await ledger.state()).release
    if live and live.evidence == order.digest:
        return live
    facts = {"ruling": order.digest, "model": ruling.subject.candidate.name, "endpoint": endpoint.path}
    news = News(kind="release", flow_run=str(flow_run.id or ""), revision=ruling.subject.revision, facts=facts)
    at = datetime.now(UTC)
    state = await ledger.append(
        news, lambda head: head.released(_release(order, endpoint, head, at), _benchmark(ruling))
    )
    release = state.release
    if release is None:
        raise RuntimeError("the ledger has lost the release that it just took")
    _tell(track, release)
    return release


def _refuse_wrong(ruling: Ruling, state: State, track: str, model: str) -> None:
    subject, verdict = ruling.subject, ruling.verdict
    current = state.benchmark.model if state.benchmark else subject.base.path
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
    if current not in (subject.benchmark.path, subject.candidate.path):
        raise Mistake(
            f"the verdict is out of date: it compared with '{subject.benchmark.name}', which is no longer the benchmark. "
            "Run training-update again."
        )


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
