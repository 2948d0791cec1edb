"""Report pages: kept beside the evidence that they show, and linked from the Prefect UI where somebody serves them."""

import asyncio
import logging
import traceback
from collections.abc import Sequence

from prefect import task
from prefect.artifacts import acreate_image_artifact, acreate_link_artifact, acreate_markdown_artifact
from prefect.logging import get_run_logger

from domain.comparison import Comparison
from domain.latency import Latency
from domain.leakage import as_problems
from domain.ledger import Entry
from domain.problems import DataRejected
from domain.report import (
    HistoryPoint,
    ModelCard,
    TrainingData,
    charts_png,
    html_report,
    leak_markdown,
    leak_page,
    measurement_report,
)
from domain.ruling import Decision, TrainedOn
from tasks import evidence, vault
from tasks.blocks import load_store, reports_url
from tasks.ledger import Ledger
from tasks.orchestrator import displayed
from tasks.retrying import FRESH
from tasks.snapshots import Snapshot
from tasks.store import Store

PAGE, CHARTS = "report.html", "charts.png"


async def publish_page(store: str, decision: Decision, comparison: Comparison) -> tuple[str, str]:
    """Write a decision's report and charts beside its evidence, and link them in the UI.

    A page that cannot be made is told in the log and holds nothing up: what was decided, or released, stands.

    Returns:
        The page's key, and the address where people can open it; both empty without a page.
    """
    try:
        return await _publish(store, decision, comparison)
    except Exception as error:  # its message may quote what people said
        place = traceback.extract_tb(error.__traceback__)[-1]
        get_run_logger().error(
            "The report could not be made (%s at %s:%s). The verdict stands, and so does its evidence.",
            type(error).__name__, place.name, place.lineno,
        )  # fmt: skip
        return "", ""


async def _publish(store: str, decision: Decision, comparison: Comparison) -> tuple[str, str]:
    keep, subject = await load_store(store), decision.ruling.subject
    history = await _history(keep, subject.track.name)
    make = measurement_report if decision.ruling.measures_only else html_report
    card, shown = await model_card(keep, decision), subject.track.report.transcripts
    latency = await _latency(keep, decision)
    page = await asyncio.to_thread(
        make, decision, comparison, history=history, card=card, latency=latency, transcripts=shown
    )
    charts = await asyncio.to_thread(charts_png, decision, comparison, history=history)
    await keep.write(f"evidence/{decision.digest}/{CHARTS}", charts)
    key, address = await _keep_page(store, keep, decision.digest, page, subject.track.name)
    if address:
        image = address.replace(PAGE, CHARTS)
        await displayed(acreate_image_artifact, image_url=image, key=f"{subject.track.name}-charts", description="WER")
    return key, address


@task(name="refuse-leaks", description="Have testing data leaked into the training data?", **FRESH)
async def refuse_leaks(store: str, snapshot: Snapshot) -> None:
    """Tell what training and testing data share; a leak ends the run before anything is uploaded, if the track says so.

    Raises:
        DataRejected: with file and line of every leak, and the address of the page that shows them.
    """
    report, track = snapshot.leaks, snapshot.track.name
    if report is None or not report.leaks:
        return
    keep = await load_store(store)
    digest = await evidence.keep(keep, {"leaks.json": report.model_dump_json(indent=2).encode()})
    page = leak_page(report, track, snapshot.revision)
    key, address = await _keep_page(store, keep, digest, page, track)
    text = leak_markdown(report, track, snapshot.revision, report_link=address)
    await displayed(acreate_markdown_artifact, markdown=text, key=f"{track}-leaks", description=report.outcome)
    if report.outcome == "leaked" and snapshot.track.gate.leaks == "block":
        raise DataRejected(as_problems(report), f"Report: {address or key}")
    get_run_logger().log(
        logging.WARNING if report.outcome != "clean" else logging.INFO,
        "Looking for leaks between training and testing data, we found something to look at: %s", address or key,
    )  # fmt: skip


async def _keep_page(store: str, keep: Store, digest: str, page: str, track: str) -> tuple[str, str]:
    """Write a page beside its evidence and link it; its key, and its address if somebody serves it."""
    key = f"evidence/{digest}/{PAGE}"
    await keep.write(key, page.encode())
    served = await reports_url(store)
    address = f"{served}/{digest}/{PAGE}" if served else ""
    if address:
        await displayed(acreate_link_artifact, link=address, link_text="Report", key=f"{track}-report")
    return key, address


async def _latency(store: Store, decision: Decision) -> Latency | None:
    """How quickly the live endpoint answers, when it serves the model that this is about."""
    live = (await Ledger(store, decision.ruling.subject.track.name).state()).release
    return live.latency if live and live.model == decision.ruling.subject.candidate.path else None


async def _history(store: Store, track: str) -> Sequence[HistoryPoint]:
    """What was measured so far: each verdict's and each testing update's WER."""
    points = (_point(entry) for entry in await Ledger(store, track).history())
    return [point for point in points if point]


def _point(entry: Entry) -> HistoryPoint | None:
    facts = entry.facts
    measured = {"training-update": "candidate_wer", "testing-update": "benchmark_wer"}.get(entry.kind, "")
    if facts.get(measured) is None or "testing" not in facts:
        return None
    kind = "benchmark" if entry.kind == "testing-update" else str(facts.get("outcome", "")).lower()
    return HistoryPoint(
        at=entry.at,
        wer=facts[measured],
        words=facts["words"],
        kind=kind,
        testing_hash=facts["testing"],
        model=facts.get("candidate", ""),
        revision=entry.revision,
    )


async def model_card(store: Store, decision: Decision) -> ModelCard:
    """What the evidence says of the candidate: its purpose, what it learnt from, and the code that judged it."""
    subject, versions = decision.ruling.subject, await vault.read_versions(store, decision.digest)
    return ModelCard(
        purpose=subject.track.description,
        training=tuple(_training(one) for one in subject.training),
        versions=(("speechops", versions.speechops), *versions.libraries.items()) if versions else (),
    )


def _training(one: TrainedOn) -> TrainingData:
    audio = f"{one.items} recordings, {one.seconds / 60:.1f} minutes"
    return TrainingData(kind=one.kind, amount=audio if one.seconds else f"{one.items:,} lines", digest=one.content_hash)
