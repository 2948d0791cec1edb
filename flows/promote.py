"""The live model goes to other Speech resources: copied, tested again, and released where it is what it is at home."""

import asyncio

from prefect import flow
from prefect.logging import get_run_logger
from pydantic import BaseModel, ConfigDict

from domain.approval import Hold
from domain.ledger import State
from domain.mistakes import Mistake
from domain.promotion import PromotionReport, Region, apart
from domain.rollback import refusal
from domain.ruling import Decision, Subject, Work
from domain.track import check_name
from flows.consent import consent
from flows.deploy import deploy_within
from flows.finishing import finish_interrupted
from flows.naming import promotion_name
from flows.training_update import still_applies
from speech_client import SpeechError
from tasks.acting import act_on
from tasks.approvals import was_asked
from tasks.datasets import await_datasets, start_datasets
from tasks.evaluations import measure
from tasks.lines import snapshot_of_line
from tasks.model_copies import await_copy, find_base, start_copy
from tasks.orchestrator import crash_if_cut_off, crashes_when_cut_off
from tasks.promotions import (
    Line,
    Promotion,
    leaks_at_home,
    plan_promotion,
    question_of,
    record_promotion,
    refuse_others_lines,
    report_promotion,
)
from tasks.reports import publish_verdict
from tasks.results import NOT_KEPT
from tasks.rulings import Measurements, find_ruling, judge, record_ruling
from tasks.store_errors import StoreTrouble
from tasks.turns import take_turn


class Judged(BaseModel):
    """A copy at its target with the verdict on it there."""

    model_config = ConfigDict(frozen=True)

    line: Line
    state: State
    decision: Decision


@flow(
    name="promote",
    description="Copies the live model to other Speech resources, tests it there against what is live there, and releases it "
    "where it is not worse and the same as at home. Each target has a history and an endpoint of its own.",
    flow_run_name=promotion_name,
    **NOT_KEPT,
)
@crashes_when_cut_off
async def promote(
    track: str,
    target: str = "",
    version: str = "",
    data: str = "data",
    source: str = "",
    speech: str = "speechops",
    store: str = "speechops",
) -> PromotionReport:
    """Promote a model.

    Args:
        track: Name of the track.
        target: Name of one promotion target of the track; left empty, all of them.
        version: Version, release number or name of a model that was live; left empty, the live one.
        data: Folder that holds the tracks; a relative path starts in the project's folder.
        source: Name of a Git Data or Blob Data block; left empty, the folder `data` is read.
        speech: Name of the Speech Resource block that has the model.
        store: Name of the store's block.
    """
    check_name(track)
    plan = await plan_promotion(track, target, version, data, source, store)
    act_on(track)  # its history tells where its model went
    for line in sorted(plan.lines, key=lambda line: line.name):
        await take_turn(f"track:{line.name}")
    await refuse_others_lines(plan, store)
    judged = await asyncio.gather(*(try_there(plan, line, speech, store) for line in plan.lines))
    regions = [one if isinstance(one, Region) else await release_there(plan, one, store) for one in judged]
    return await report_promotion(store, plan, regions)


async def try_there(plan: Promotion, line: Line, speech: str, store: str) -> Judged | Region:
    """Bring the model to one target and judge it there; whatever goes wrong does not stop the others."""
    try:
        return await judge_there(plan, line, speech, store)
    except Exception as error:
        crash_if_cut_off(error)
        return failed(line, error)


async def judge_there(plan: Promotion, line: Line, speech: str, store: str) -> Judged | Region:
    """The verdict on the copy, which an earlier run may have come to."""
    base = await find_base(line.speech, line.track, plan.subject.base)
    state = await finish_interrupted(line.name, line.speech, store)
    if taken_back := refusal(state, plan.subject.recipe):
        return region_of(line, "Refused", taken_back)
    question = question_of(plan, line, base, state)
    decision = await find_ruling(store, question, state)
    if decision is None or not await still_applies(decision, line.speech):
        decision = await copy_and_judge(plan, line, question, speech, store)
    return Judged(line=line, state=state, decision=decision)


async def copy_and_judge(plan: Promotion, line: Line, question: Subject, speech: str, store: str) -> Decision:
    """Copy the model, bring the testing data, and evaluate it beside what is live there; all that is there is found."""
    copy = await start_copy(speech, line.speech, store, line.track, plan.subject)
    (testing,) = await start_datasets(
        line.speech, store, line.track, question.revision, [snapshot_of_line(question).testing]
    )
    await await_datasets(line.speech, line.track, [testing], testing)
    model = await await_copy(speech, line.speech, line.track, plan.subject, copy)
    subject = question.model_copy(update={"candidate": model.ref})
    measured, evaluated = await measure(line.speech, store, subject, testing)
    work = Work(uploaded=testing.created, evaluated=evaluated)
    leaks = await leaks_at_home(store, plan)
    decision = await judge(store, subject, Measurements(pair=measured), leaks, work)
    await record_ruling(store, decision, kind="promotion", line=line.told_of(plan.track))
    await publish_verdict(line.speech, store, decision)
    return decision


async def release_there(plan: Promotion, judged: Judged, store: str) -> Region:
    """Release the copy if it may go live; whatever goes wrong does not stop the others.

    One after the other: an approval suspends the whole run, and a first region that fails warns of the next.
    """
    line, decision = judged.line, judged.decision
    try:
        region = await put_live(plan, judged, store)
    except Exception as error:
        crash_if_cut_off(error)
        return with_figures(failed(line, error), plan, decision)
    region = with_figures(region, plan, decision)
    if region.outcome in ("Released", "Already live"):
        await record_promotion(store, plan, region)
    return region


async def put_live(plan: Promotion, judged: Judged, store: str) -> Region:
    """Ask for leave, and deploy."""
    line, decision, live = judged.line, judged.decision, judged.state.release
    verdict, model = decision.ruling.verdict, decision.ruling.subject.candidate
    if live and live.evidence == decision.digest:
        done = region_of(line, "Already live", f"'{model.name}' is live there")
        return done.model_copy(update={"release": live.number, "endpoint": live.endpoint})
    if not verdict.releases:
        return region_of(line, "Refused", f"{verdict.outcome.value}: {verdict.summary}")
    if different := apart(plan.wer, verdict.candidate_wer, line.target.tolerance_points):
        return region_of(line, "Refused", different)
    if decision.settled and not await was_asked(store, decision.ruling, decision.digest):
        await record_ruling(store, decision, kind="promotion", line=line.told_of(plan.track))
    given = await consent(decision, line.track.release, line.speech, store)
    if isinstance(given, Hold):
        return region_of(line, given.name, given.message)
    release = await deploy_within(line.name, model.name, decision.digest, line.speech, store, given)
    done = region_of(line, "Released", verdict.summary)
    return done.model_copy(update={"release": release.number, "endpoint": release.endpoint})


def region_of(line: Line, outcome: str, told: str) -> Region:
    """What became of it at one target."""
    return Region.model_validate({"target": line.target.name, "line": line.name, "outcome": outcome, "told": told})


def with_figures(region: Region, plan: Promotion, decision: Decision) -> Region:
    """The same with the rates at home and there."""
    verdict = decision.ruling.verdict
    rates = {"home_wer": plan.wer, "there_wer": verdict.candidate_wer, "former_wer": verdict.benchmark_wer}
    return region.model_copy(update=rates | {"model": verdict.candidate, "ruling": decision.digest})


def failed(line: Line, error: Exception) -> Region:
    """What went wrong at one target; of an error that is not ours only its kind, for it may quote anything."""
    get_run_logger().error("The promotion to '%s' failed", line.target.name, exc_info=error)
    told = (
        str(error)
        if isinstance(error, Mistake | SpeechError | StoreTrouble)
        else f"{type(error).__name__}; the run's log tells more"
    )
    return region_of(line, "Failed", told)
