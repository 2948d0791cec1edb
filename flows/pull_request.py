"""A pull request changes the data: what would a merge do, are the data sound, and would the model be better?"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, Literal

from prefect import flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow
from prefect.logging import get_run_logger
from prefect.logging.loggers import flow_run_logger
from pydantic import Field

from domain.limits import LimitExceeded
from domain.mistakes import Mistake
from domain.pull_report import PullReport, TrackReport
from domain.ruling import Decision, Work
from domain.temporary import temporary_revision, temporary_track
from flows.naming import pull_name
from flows.training_update import measure_all
from speech_client import SpeechError
from tasks.code_hosts import PullRequest, Status
from tasks.datasets import await_datasets, start_datasets
from tasks.models import await_model, candidate_identity, choose_base, start_model
from tasks.orchestrator import crash_if_cut_off, crashes_when_cut_off
from tasks.pull_checks import ALL_TRACKS, check_tracks
from tasks.pull_data import checks_at_once, compare, find_pull
from tasks.pull_reports import DATA, MODEL, describe_verdict, publish_report, set_status
from tasks.results import NOT_KEPT
from tasks.rulings import judge, read_state
from tasks.snapshots import subject_of, take_snapshot
from tasks.temporary import FLOW, remove_left, remove_temporary
from tasks.turns import end_turn, take_turn


async def remove_what_is_left(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """After a cancellation the worker calls this. Not after a crash: the run is tried again, and goes on with what is there."""
    speech = str(flow_run.parameters.get("speech", "speechops"))
    await remove_left(speech, flow_run.id, flow_run_logger(flow_run, flow))


@flow(
    name=FLOW,
    description="Checks the data of a pull request within seconds and reports on it; when asked, trains a temporary model, "
    "judges it, and removes it. Nothing is recorded in the ledger, and nothing goes live.",
    flow_run_name=pull_name,
    on_cancellation=[remove_what_is_left],
    **NOT_KEPT,
)
@crashes_when_cut_off
async def pull_request(
    source: str,
    number: Annotated[int, Field(ge=1)],
    wanted: Literal["checks", "model"] = "checks",
    head: str = "",
    delivery: str = "",
    speech: str = "speechops",
    store: str = "speechops",
) -> PullReport:
    """Check a pull request, and try its model when that is wanted.

    Args:
        source: Name of a Git Data block.
        number: The pull request's number.
        wanted: Data checks, or a temporary model as well.
        head: The commit for which a model is wanted, or its beginning; a model from a fork needs it.
        delivery: The receiver's id of what told of it.
        speech: Name of the Speech Resource block.
        store: Name of the store's block.
    """
    asked = wanted == "model" and not why_not(await find_pull(source, number), head)
    queue = "pull-model" if asked else "pull"  # nobody waits hours for a check because a model is in training
    await take_turn(f"{queue}:{source}#{number}", tags=[f"delivery:{delivery}"] if delivery else [])
    place = f"pulls:{source}:{number % await checks_at_once(source)}"
    await take_turn(place)
    pull = await find_pull(source, number)
    report = await check(source, pull)
    await end_turn(place)
    refusal = why_not(pull, head) if wanted == "model" else ""
    if wanted == "model" and not refusal:
        return await try_models(source, pull, report, speech, store)
    if refusal:
        report = replace(report, notes=(*report.notes, f"No temporary model: {refusal}"))
    await publish_report(source, report)
    await clear_up(speech)
    return report


def why_not(pull: PullRequest, head: str) -> str:
    """Why no model is trained, for people; empty when one may be.

    Whoever may write to the repository could train one anyway. What others bring, somebody must have looked at: the commit
    that they meant must still be the newest, for it could have been replaced since. They must have named it by its full id:
    another commit whose id begins alike is made within minutes.
    """
    if head and not pull.head.startswith(head):
        return "a newer commit came after it was asked for. Ask again."
    if pull.from_fork and head != pull.head:
        return f"this comes from a fork. Look at its data, then set the label again, or comment /speechops train {pull.head}"
    return ""


async def check(source: str, pull: PullRequest) -> PullReport:
    """Compare and check the data; a commit never keeps the status that says that we are still at work."""
    await set_status(source, pull, DATA, Status.PENDING, "checking the data")
    notes: tuple[str, ...] = ()
    try:
        difference = await compare(source, pull)
        tracks, notes = await check_tracks(source, pull, difference), difference.plan.notes
    except LimitExceeded as limit:
        tracks = (TrackReport(ALL_TRACKS, not_judged=str(limit)),)
    except Exception as error:
        crash_if_cut_off(error)
        await set_status(source, pull, DATA, Status.FAILURE, "the data could not be checked; the run's log says why")
        raise
    report = PullReport(pull.number, pull.head, tracks, notes)
    await set_status(source, pull, DATA, Status.SUCCESS if report.is_sound else Status.FAILURE, report.summary)
    return report


async def clear_up(speech: str) -> None:
    """Remove what this run made, and what earlier ones had to leave behind; whatever cannot go now is for the next run.

    Checks need no Speech service: without one, nothing is left there.
    """
    try:
        await remove_temporary(speech)
    except Mistake as mistake:
        get_run_logger().info("Nobody looked for what earlier runs left behind: %s", mistake)
    except SpeechError as error:
        get_run_logger().warning("What is temporary could not be removed; the next run tries again: %s", error)


async def try_models(source: str, pull: PullRequest, report: PullReport, speech: str, store: str) -> PullReport:
    """Train and judge a temporary model for each track that can have one, tell, and remove them whatever happens."""
    await set_status(source, pull, MODEL, Status.PENDING, "training")
    try:
        report = replace(report, tracks=await try_each(source, pull, report.tracks, speech, store))
    except Exception as error:
        crash_if_cut_off(error)
        await set_status(source, pull, MODEL, Status.FAILURE, "no model could be tried; the run's log says why")
        raise
    finally:
        await clear_up(speech)
    await publish_report(source, report, tried=True)
    found = [track for track in report.tracks if track.outcome]
    summary = report.model_summary or "no model could be tried; the comment says why"
    await set_status(source, pull, MODEL, Status.SUCCESS if found else Status.FAILURE, summary)
    return report


async def try_each(
    source: str, pull: PullRequest, tracks: Iterable[TrackReport], speech: str, store: str
) -> tuple[TrackReport, ...]:
    """Try the models side by side. Nothing is left running when this ends, however it ends."""
    tries = (try_model(source, pull, track, speech, store) for track in tracks)
    done = await asyncio.gather(*tries, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return tuple(one for one in done if isinstance(one, TrackReport))


async def try_model(source: str, pull: PullRequest, track: TrackReport, speech: str, store: str) -> TrackReport:
    """The track's report with the verdict on a temporary model, or why there is none."""
    if not track.is_sound:
        return replace(track, note="its data cannot be used.")
    if not track.runs:
        return replace(track, note="nothing changed that a model depends on.")
    try:
        decision = await train_and_judge(source, pull, track.track, speech, store)
    except (Mistake, SpeechError) as error:
        get_run_logger().error("No temporary model of '%s': %s", track.track, error)
        return replace(track, note=f"it could not be tried ({type(error).__name__}); the run's log says why.")
    page = await describe_verdict(source, store, decision)
    return replace(track, outcome=decision.ruling.verdict.outcome, verdict=page)


async def train_and_judge(source: str, pull: PullRequest, track: str, speech: str, store: str) -> Decision:
    """Upload, train, evaluate and judge under names of the pull request's own; what the track has made is not touched."""
    snapshot = await take_snapshot(track, "", pull.head, store, training=True, source=source)
    revision = temporary_revision(pull.number, pull.head)
    own = snapshot.model_copy(update={"track": temporary_track(snapshot.track, pull.number), "revision": revision})
    state = await read_state(store, track)
    base = await choose_base(speech, snapshot, state)
    *training, testing = await start_datasets(speech, store, own.track, revision, [*own.training, own.testing])
    await await_datasets(speech, own.track, [*training, testing], testing)
    model = await start_model(speech, own, base, training)
    await await_model(speech, own.track, model)
    recipe = candidate_identity(snapshot, base).content_hash
    subject = subject_of(own, base.ref, state.benchmark_or(base.ref), model.ref, recipe)
    measured, evaluated = await measure_all(subject, speech, store, testing)
    work = Work(uploaded=len(training) + 1, trained=model.created, evaluated=evaluated)
    return await judge(store, subject.model_copy(update={"track": snapshot.track}), measured, snapshot.leaks, work)
