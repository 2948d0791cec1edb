"""Training data changed: train a candidate, and let it go live only if it is really better."""

import asyncio

from prefect import flow
from prefect.logging import get_run_logger

from domain.ledger import State
from domain.ruling import Decision, ModelRef, Report, Subject, Work
from domain.verdict import Outcome
from flows.deploy import deploy
from flows.naming import run_name
from tasks.datasets import await_datasets, start_datasets
from tasks.endpoints import ReleaseFailed
from tasks.entities import Remote
from tasks.evaluations import measure
from tasks.models import await_model, candidate_identity, choose_base, discard_candidate, model_exists, start_model
from tasks.pages import refuse_leaks
from tasks.reports import report_verdict
from tasks.rulings import Measurements, find_ruling, judge, read_state, record_ruling
from tasks.snapshots import Snapshot, subject_of, take_snapshot
from tasks.turns import take_turn


@flow(
    name="training-update",
    description="Trains a candidate on the track's training data, compares it with the benchmark model in one "
    "evaluation, and deploys it only when the verdict is PASS.",
    flow_run_name=run_name,
    persist_result=True,
)
async def training_update(
    track: str,
    revision: str = "",
    data: str = "data",
    source: str = "",
    speech: str = "speechops",
    store: str = "speechops",
) -> Report:
    """Train, evaluate, compare, and deploy on real improvement.

    Args:
        track: Name of the track: a folder with a track.toml, inside the data folder.
        revision: What to call this state of the data; left empty, the git commit.
        data: Folder that holds the tracks; a relative path starts in the project's folder.
        source: Name of a Git Data or Blob Data block; left empty, the folder `data` is read.
        speech: Name of the Speech Resource block.
        store: Name of the store's block.
    """
    await take_turn(f"track:{track}")
    snapshot = await take_snapshot(track, data, revision, store, training=True, source=source)
    await refuse_leaks(store, snapshot)
    state = await finish_interrupted(track, await read_state(store, track), speech, store)
    base = await choose_base(speech, snapshot, state)
    candidate = candidate_identity(snapshot, base)
    unknown = ModelRef(path="", name=candidate.name)
    question = subject_of(snapshot, base.ref, state.benchmark_or(base.ref), unknown, candidate.content_hash)
    decision = await find_ruling(store, question, state)
    if decision is None or not await still_applies(decision, speech):
        decision = await train_and_judge(question, snapshot, base, speech, store)
    if decision.ruling.verdict.releases:
        await release_once(decision, state, speech, store)
    elif decision.ruling.verdict.outcome is not Outcome.INVALID and snapshot.track.release.discards:
        await discard_candidate(speech, decision.ruling.subject, state)
    return await report_verdict(speech, store, decision)


async def finish_interrupted(track: str, state: State, speech: str, store: str) -> State:
    """Finish a release that a crash interrupted, or take it back, before anything else is decided."""
    if state.pending is None:
        return state
    try:
        await deploy(track, state.pending.model_name, state.pending.evidence, speech, store)
    except ReleaseFailed as error:
        get_run_logger().warning("The release of '%s' was interrupted, and failed now: %s", track, error)
    return await read_state(store, track)


async def still_applies(decision: Decision, speech: str) -> bool:
    """A verdict that lets a model go live is worth nothing when somebody has deleted the model."""
    verdict, subject = decision.ruling.verdict, decision.ruling.subject
    return not verdict.releases or await model_exists(speech, subject.candidate)


async def train_and_judge(question: Subject, snapshot: Snapshot, base: Remote, speech: str, store: str) -> Decision:
    """Upload, train, evaluate and judge; what is there already is found and used."""
    track, revision = snapshot.track, snapshot.revision
    *training, testing = await start_datasets(speech, store, track, revision, [*snapshot.training, snapshot.testing])
    await await_datasets(speech, track, [*training, testing])
    model = await start_model(speech, snapshot, base, training)
    await await_model(speech, track, model)
    subject = question.model_copy(update={"candidate": model.ref})
    measured, evaluated = await measure_all(subject, speech, store, testing)
    uploaded = sum(dataset.created for dataset in (*training, testing))
    work = Work(uploaded=uploaded, trained=model.created, evaluated=evaluated)
    decision = await judge(store, subject, measured, snapshot.leaks, work)
    await record_ruling(store, decision)
    return decision


async def measure_all(subject: Subject, speech: str, store: str, testing: Remote) -> tuple[Measurements, int]:
    """ONE evaluation of benchmark and candidate; the base model comes from the testing update, or from a second one."""
    if subject.base.path == subject.benchmark.path:
        pair, evaluated = await measure(speech, store, subject, testing)
        return Measurements(pair=pair), int(evaluated)
    beside = subject.model_copy(update={"benchmark": subject.base, "candidate": subject.benchmark})
    (pair, first), (base, second) = await asyncio.gather(
        measure(speech, store, subject, testing), measure(speech, store, beside, testing)
    )
    return Measurements(pair=pair, base=base), first + second


async def release_once(decision: Decision, state: State, speech: str, store: str) -> None:
    """Deploy the candidate, unless this very ruling has put it live already."""
    if state.release and state.release.evidence == decision.digest:
        return
    if decision.settled:
        await record_ruling(store, decision)
    subject = decision.ruling.subject
    await deploy(subject.track.name, subject.candidate.name, decision.digest, speech, store)
