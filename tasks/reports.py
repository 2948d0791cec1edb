"""What people see of a run: artifacts in the Prefect UI, and the state in which the run ends."""

import asyncio
from collections.abc import Callable
from typing import cast

from prefect import task
from prefect.artifacts import acreate_link_artifact, acreate_markdown_artifact, acreate_table_artifact
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from domain.approval import Hold
from domain.ledger import Release, State
from domain.report import measurement_page, percent, verdict_page, wer_rows
from domain.ruling import Decision, Report
from domain.verdict import Outcome
from tasks.blocks import load_speech, load_store
from tasks.entities import Remote
from tasks.ledger import Ledger
from tasks.orchestrator import displayed
from tasks.pages import publish_page
from tasks.release_cards import read_card_page
from tasks.releases import Order
from tasks.replays import Forgotten, comparison_of
from tasks.retrying import FRESH
from tasks.track_pages import publish_track_page


async def report_verdict(speech: str, store: str, decision: Decision, outcome: Release | Hold | None = None) -> Report:
    """Tell people what was decided, and end the run in a state that says it: Released, Refused or Invalid.

    Args:
        speech: name of the Speech Resource block.
        store: name of the store's block.
        decision: what was decided.
        outcome: the release that this run made, or why a model that passed is not live; None otherwise.
    """
    report = await publish_verdict(speech, store, decision)
    await publish_track_page(store, decision.ruling.subject.track.name)
    verdict = decision.ruling.verdict
    if report.released:
        name = "Released" if isinstance(outcome, Release) else "Already live"
        return _ended(name, f"'{verdict.candidate}' is live: {verdict.summary}", report)
    if isinstance(outcome, Hold):
        return _ended(outcome.name, outcome.message, report)
    return _ended("Refused", f"{verdict.outcome.value}: {verdict.summary}", report)


async def report_measurement(speech: str, store: str, decision: Decision) -> Report:
    """Tell people what was measured, and end the run in a state that says it: Recorded, Unchanged or Invalid."""
    report = await publish_measurement(speech, store, decision)
    await publish_track_page(store, decision.ruling.subject.track.name)
    name = "Unchanged" if decision.settled else "Recorded"
    return _ended(name, f"benchmark WER {percent(report.benchmark_wer)}", report)


@task(name="report-verdict", description="The verdict page, the WER table, and the run's result.", **FRESH)
async def publish_verdict(speech: str, store: str, decision: Decision) -> Report:
    """Publish the verdict and return the run's result."""
    state, page = await _publish(store, decision, "verdict", verdict_page)
    verdict = decision.ruling.verdict
    live = state.release is not None and state.release.evidence == decision.digest
    report = await _report("training-update", speech, state, decision)
    rates = {"benchmark_wer": verdict.benchmark_wer, "candidate_wer": verdict.candidate_wer}
    return report.model_copy(update=rates | {"released": live, "page": page})


@task(
    name="report-measurement", description="The page of the measurement, the WER table, and the run's result.", **FRESH
)
async def publish_measurement(speech: str, store: str, decision: Decision) -> Report:
    """Publish the benchmark's result on the new testing data and return the run's result."""
    state, page = await _publish(store, decision, "benchmark", measurement_page)
    verdict = decision.ruling.verdict
    report = await _report("testing-update", speech, state, decision)
    rates = {"base_wer": verdict.benchmark_wer, "benchmark_wer": verdict.candidate_wer}
    return report.model_copy(update=rates | {"page": page})


@task(name="report-release", description="The release's card, and a link to its endpoint.", **FRESH)
async def report_release(speech: str, store: str, order: Order, release: Release, live: Remote) -> None:
    """Publish what is live now and where clients reach it."""
    subject = order.ruling.subject
    link = await _address(speech, live.path, subject.track.locale)
    what = f"{release.kind.capitalize()} {release.number} of track '{subject.track.name}'"
    text = f"{what}: {release.model_name} ({release.version or 'no version'})"
    await displayed(
        acreate_link_artifact, link=link, link_text=live.name, key=f"{subject.track.name}-endpoint", description=text
    )
    if release.card:
        card = await read_card_page(await load_store(store), release.card)
        await displayed(acreate_markdown_artifact, markdown=card, key=f"{subject.track.name}-release", description=text)


async def _publish(store: str, decision: Decision, kind: str, page: Callable[..., str]) -> tuple[State, str]:
    subject, keep = decision.ruling.subject, await load_store(store)
    try:
        comparison = await comparison_of(keep, decision.ruling)
    except Forgotten as told:  # what was decided stands
        get_run_logger().warning("There is no report of '%s': %s", decision.ruling.verdict.candidate, told)
        return await Ledger(keep, subject.track.name).state(), ""
    track, shown = subject.track.name, subject.track.report.transcripts
    verdict, measured = decision.ruling.verdict, kind == "benchmark"
    title = f"{f'WER {percent(verdict.candidate_wer)}' if measured else verdict.outcome.value} at {subject.revision}"
    key, link = await publish_page(store, decision, comparison)
    text = await asyncio.to_thread(page, decision, comparison, report_link=link, transcripts=shown)
    rows = wer_rows(comparison, ("base model", "benchmark") if measured else ("benchmark", "candidate"))
    await displayed(acreate_markdown_artifact, markdown=text, key=f"{track}-{kind}", description=title)
    await displayed(
        acreate_table_artifact, table=rows, key=f"{track}-wer", description=f"WER per model at {subject.revision}"
    )
    return await Ledger(keep, track).state(), key


async def _report(flow: str, speech: str, state: State, decision: Decision) -> Report:
    locale = decision.ruling.subject.track.locale
    return Report(
        flow=flow,
        flow_run=str(flow_run.id or ""),
        decision=decision,
        endpoint=state.endpoint,
        address=await _address(speech, state.endpoint, locale) if state.endpoint else None,
    )


async def _address(speech: str, endpoint: str, locale: str) -> str:
    async with (await load_speech(speech)).client() as client:
        return client.recognition_address(endpoint, locale=locale)


def _ended(name: str, message: str, report: Report) -> Report:
    """The state in which Prefect shows the run; awaiting the flow gives the report that it carries."""
    if report.decision.ruling.verdict.outcome is Outcome.INVALID:
        message = f"{'; '.join(report.decision.ruling.verdict.reasons)}. To measure again, delete the evaluation in Speech Studio."
        return cast("Report", Failed(name="Invalid", message=message, data=report))
    return cast("Report", Completed(name=name, message=message, data=report))
