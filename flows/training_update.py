"""Training data changed: train a candidate, and let it go live only if it is really better."""

import asyncio

from prefect import flow

from domain.approval import Hold, binding
from domain.ledger import Release, State
from domain.mistakes import Mistake
from domain.promotion import refuse_promoted
from domain.rollback import refusal
from domain.ruling import Decision, ModelRef, Report, Subject, Work
from domain.verdict import Outcome
from flows.consent import consent
from flows.deploy import deploy_within
from flows.finishing import finish_interrupted
from flows.naming import run_name
from tasks.approvals import was_asked
from tasks.code_releases import publish_github_release
from tasks.datasets import await_datasets, start_datasets
from tasks.entities import Remote
from tasks.evaluations import measure
from tasks.models import await_model, candidate_identity, choose_base, discard_candidate, model_exists, start_model
from tasks.orchestrator import crashes_when_cut_off
from tasks.pages import refuse_leaks
from tasks.reports import publish_verdict, report_verdict
from tasks.results import KEPT
from tasks.retention import retire
from tasks.rulings import Measurements, find_ruling, judge, read_state, record_ruling
from tasks.snapshots import Snapshot, subject_of, take_snapshot
from tasks.turns import take_turn


@flow(
    name="training-update",
    description="Trains a candidate on the track's training data, compares it with the benchmark model in one "
    "evaluation, and deploys it only when the verdict is PASS.",
    flow_run_name=run_name,
    **KEPT,
)
@crashes_when_cut_off
async def training_update(
    track: str,
    revision: str = "",
    data: str = "data",
    source: str = "",
    speech: str = "speechops",
    store: str = "speechops",
    base: str = "",
) -> Report:
    """Train, evaluate, compare, and deploy on real improvement.

    Args:
        track: Name of the track: a folder with a track.toml, inside the data folder.
        revision: What to call this state of the data; left empty, the git commit.
        data: Folder that holds the tracks; a relative path starts in the project's folder.
        source: Name of a Git Data or Blob Data block; left empty, the folder `data` is read.
        speech: Name of the Speech Resource block.
        store: Name of the store's block.
        base: Train from another base model this time: newest, or its display name. Then the candidate may go live when it is not worse than the live model (mode non-inferiority). Left empty, the track's settings decide.
    """
    await take_turn(f"track:{track}")
    snapshot = retrained(await take_snapshot(track, data, revision, store, training=True, source=source), base)
    await refuse_leaks(store, snapshot)
    refuse_promoted(track, (await read_state(store, track)).speech)
    state = await finish_interrupted(track, speech, store)
    origin = await choose_base(speech, snapshot, state, anew=bool(base))
    await retire(speech, store, track)  # such as what a crash left
    candidate = candidate_identity(snapshot, origin)
    unknown = ModelRef(path="", name=candidate.name)
    question = subject_of(snapshot, origin.ref, state.benchmark_or(origin.ref), unknown, candidate.content_hash)
    decision = await find_ruling(store, question, state)
    if taken_back := refusal(state, candidate.content_hash):
        return await refuse_taken_back(decision, taken_back, speech, store)
    if decision is None or not await still_applies(decision, speech):
        decision = await train_and_judge(question, snapshot, origin, speech, store)
    outcome = None
    if decision.ruling.verdict.releases:
        outcome = await release_once(decision, snapshot, state, speech, store)
    elif decision.ruling.verdict.outcome is not Outcome.INVALID and snapshot.track.release.discards:
        await discard_candidate(speech, decision.ruling.subject, state)
    return await report_verdict(speech, store, decision, outcome)


async def refuse_taken_back(decision: Decision | None, why: str, speech: str, store: str) -> Report:
    """The same recipe again, after its model was taken back: nothing is trained, and nothing goes live."""
    if decision is None:
        raise Mistake(why)
    return await report_verdict(speech, store, decision, Hold(name="Refused", message=why))


def retrained(snapshot: Snapshot, base: str) -> Snapshot:
    """The snapshot with the settings for a training from another base model, if one is wanted."""
    return snapshot.model_copy(update={"track": snapshot.track.retrained_from(base)})


async def still_applies(decision: Decision, speech: str) -> bool:
    """A verdict that lets a model go live is worth nothing when somebody has deleted the model."""
    verdict, subject = decision.ruling.verdict, decision.ruling.subject
    return not verdict.releases or await model_exists(speech, subject.candidate)


async def train_and_judge(question: Subject, snapshot: Snapshot, base: Remote, speech: str, store: str) -> Decision:
    """Upload, train, evaluate and judge; what is there already is found and used."""
    track, revision = snapshot.track, snapshot.revision
    *training, testing = await start_datasets(speech, store, track, revision, [*snapshot.training, snapshot.testing])
    await await_datasets(speech, track, [*training, testing], testing)
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


async def release_once(
    decision: Decision, snapshot: Snapshot, state: State, speech: str, store: str
) -> Release | Hold | None:
    """Deploy the candidate, unless somebody has to agree first, or it has to wait; None when it is live already."""
    track, candidate = snapshot.track.name, decision.ruling.subject.candidate
    if state.release and state.release.evidence == decision.digest:
        if decision.ruling.subject.track.release.github_release:
            await publish_github_release(speech, store, track)
        return None
    asks = binding(decision.ruling, snapshot.track.release).approval.required
    if not (asks and await was_asked(store, decision.ruling, decision.digest)):
        await prepare(decision, speech, store, asks=asks)
    settings, authors = snapshot.track.release, snapshot.authors
    given = await consent(decision, settings, speech, store, authors=authors)
    if isinstance(given, Hold):
        return given
    return await deploy_within(track, candidate.name, decision.digest, speech, store, given)


async def prepare(decision: Decision, speech: str, store: str, *, asks: bool) -> None:
    """What has to be known before anybody is asked: the ledger knows the verdict, and people can read it."""
    if decision.settled:
        await record_ruling(store, decision)
    if asks:
        await publish_verdict(speech, store, decision)
