"""Rulings: from evidence to a verdict, kept as evidence itself and told to the ledger."""

from typing import Any

from prefect import task
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from domain.comparison import Comparison, Measured, ServiceScore
from domain.gate import check, decide
from domain.ledger import Benchmark, News, State
from domain.normalise import normaliser_for
from domain.ruling import Decision, Ruling, Subject, Work
from domain.verdict import Outcome, Verdict
from domain.wer import Scorecard
from speech_client import Evaluation
from tasks import evidence
from tasks.blocks import load_store
from tasks.ledger import Ledger
from tasks.retrying import FRESH
from tasks.store import Store

_FILE = "ruling.json"


@task(name="read-state", description="The track's head in the ledger: benchmark, release, endpoint.", **FRESH)
async def read_state(store: str, track: str) -> State:
    """Where the track stands now."""
    return await Ledger(await load_store(store), track).state()


@task(name="find-ruling", description="Has this very candidate been judged already?", **FRESH)
async def find_ruling(store: str, subject: Subject, state: State) -> Decision | None:
    """An earlier ruling that still answers: the recipe is live already, or was judged under the same conditions."""
    keep = await load_store(store)
    live = state.release
    if live and live.recipe == subject.recipe and await evidence.is_kept(keep, live.evidence):
        digest: str | None = live.evidence
    else:
        digest = await evidence.find(keep, _identity(subject))
    return Decision(digest=digest, ruling=await read_ruling(keep, digest), settled=True) if digest else None


@task(name="judge", description="Apply the gate's rules to the evidence.", **FRESH)
async def judge(store: str, subject: Subject, measurement: str, work: Work) -> Decision:
    """Decide about the candidate, and keep the ruling as evidence."""
    keep = await load_store(store)
    comparison = await read_comparison(keep, subject, measurement)
    return await _decision(keep, subject, decide(comparison, subject.track.gate), measurement, work)


@task(name="check-measurement", description="Is the evidence valid?", **FRESH)
async def check_measurement(store: str, subject: Subject, measurement: str, work: Work) -> Decision:
    """Ask whether a measurement that decides nothing can be trusted, and keep the answer as evidence."""
    keep = await load_store(store)
    comparison = await read_comparison(keep, subject, measurement)
    return await _decision(keep, subject, check(comparison, subject.track.gate), measurement, work)


@task(name="record-ruling", description="Tell the ledger what was decided.", **FRESH)
async def record_ruling(store: str, decision: Decision) -> None:
    """Append the ruling to the history; the benchmark's WER on these testing data becomes the benchmark WER.

    When another model went live meanwhile, the benchmark stays as it is. INVALID is not remembered as an answer.
    """
    keep = await load_store(store)
    ruling = decision.ruling
    verdict, subject = ruling.verdict, ruling.subject
    facts = {"ruling": decision.digest, "outcome": verdict.outcome.value, "candidate": verdict.candidate,
             "benchmark_wer": verdict.benchmark_wer, "candidate_wer": verdict.candidate_wer}  # fmt: skip

    def change(state: State) -> dict[str, Any]:
        measured = _benchmark(subject.benchmark.path, subject.benchmark.name, verdict.benchmark_wer, ruling)
        if measured is None or state.benchmark_or(subject.base).path != subject.benchmark.path:
            return {}
        return {"base_model": subject.base.path, "benchmark": measured}

    await _append_once(keep, subject, News(kind="training-update", facts=facts, **_told_by(subject)), change)
    if verdict.outcome is not Outcome.INVALID:
        await evidence.index(keep, _identity(subject), decision.digest)
    get_run_logger().info("%s: %s", verdict.outcome.value, "; ".join(verdict.reasons))


@task(name="record-benchmark", description="The WER on the new testing data becomes the benchmark WER.", **FRESH)
async def record_benchmark(store: str, decision: Decision) -> bool:
    """Append the measurement to the history, unless the head says the same already. Returns whether it was appended.

    When another model went live meanwhile, the benchmark stays as it is.
    """
    keep = await load_store(store)
    ruling = decision.ruling
    verdict, subject = ruling.verdict, ruling.subject
    facts = {"ruling": decision.digest, "base_wer": verdict.benchmark_wer, "benchmark_wer": verdict.candidate_wer}
    measured = _benchmark(subject.candidate.path, subject.candidate.name, verdict.candidate_wer, ruling)
    if measured is None or measured == (await Ledger(keep, subject.track.name).state()).benchmark:
        return False
    news = News(kind="testing-update", facts=facts, **_told_by(subject))

    def change(state: State) -> dict[str, Any]:
        overtaken = state.benchmark_or(subject.base).path != subject.candidate.path
        return {} if overtaken else {"base_model": subject.base.path, "benchmark": measured}

    await _append_once(keep, subject, news, change)
    get_run_logger().info("The benchmark WER is now %.2f %%", 100 * measured.wer)
    return True


async def read_ruling(store: Store, digest: str) -> Ruling:
    """A ruling from the evidence.

    Raises:
        Mistake: there is none, or it has been changed.
    """
    return Ruling.model_validate_json(await evidence.recall(store, digest, _FILE))


async def read_comparison(store: Store, subject: Subject, measurement: str) -> Comparison:
    """Both models' results as the gate wants them, from the evidence alone."""
    entity = Evaluation.model_validate_json(await evidence.recall(store, measurement, "evaluation.json"))
    sides = []
    for number, (file, model) in enumerate(
        (("benchmark", subject.benchmark), ("candidate", subject.candidate)), start=1
    ):
        card = Scorecard.from_json(await evidence.recall(store, measurement, f"{file}.json"))
        sides.append(Measured(model=model.name, scorecard=card, service=_service_score(entity, number)))
    benchmark, candidate = sides
    return Comparison(benchmark, candidate)


def _service_score(evaluation: Evaluation, number: int) -> ServiceScore:
    sent = evaluation.properties.to_azure() if evaluation.properties else {}

    def figure(name: str) -> Any:
        value = sent.get(f"{name}{number}")
        return -1 if value is None else value

    return ServiceScore(
        status=str(evaluation.status),
        wer=float(figure("wordErrorRate")),
        words=int(figure("wordCount")),
        correct=int(figure("correctWordCount")),
        substitutions=int(figure("wordSubstitutionCount")),
        deletions=int(figure("wordDeletionCount")),
        insertions=int(figure("wordInsertionCount")),
    )


async def _decision(store: Store, subject: Subject, verdict: Verdict, measurement: str, work: Work) -> Decision:
    ruling = Ruling(subject=subject, verdict=verdict, measurement=measurement)
    digest = await evidence.keep(store, {_FILE: ruling.model_dump_json(indent=2).encode()})
    return Decision(digest=digest, ruling=ruling, work=work)


async def _append_once(store: Store, subject: Subject, news: News, change: Any) -> None:
    ledger = Ledger(store, subject.track.name)
    last = (await ledger.state()).last
    if last is None or (last.kind, last.facts.get("ruling")) != (news.kind, news.facts["ruling"]):
        await ledger.append(news, change)


def _benchmark(model: str, name: str, wer: float | None, ruling: Ruling) -> Benchmark | None:
    if wer is None or ruling.verdict.outcome is Outcome.INVALID:
        return None
    return Benchmark(
        model=model,
        model_name=name,
        wer=wer,
        words=ruling.verdict.words,
        testing_hash=ruling.subject.testing_hash,
        evidence=ruling.measurement,
    )


def _told_by(subject: Subject) -> dict[str, str]:
    return {"flow_run": str(flow_run.id or ""), "revision": subject.revision}


def _identity(subject: Subject) -> str:
    return subject.ruling_identity(normaliser_for(subject.track.locale).fingerprint)
