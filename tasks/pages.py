"""Report pages: kept beside the evidence that they show, and linked from the Prefect UI where somebody serves them."""

import asyncio
from collections.abc import Sequence

from prefect import task
from prefect.artifacts import acreate_image_artifact, acreate_link_artifact, acreate_markdown_artifact
from prefect.logging import get_run_logger

from domain.comparison import Comparison
from domain.leakage import as_problems
from domain.ledger import Entry
from domain.problems import DataRejected
from domain.report import HistoryPoint, ModelCard, TrainingData, charts_png, html_report, leak_page, measurement_report
from domain.report import table as markdown_table
from domain.ruling import Decision, TrainedOn
from tasks import evidence, vault
from tasks.blocks import load_store, reports_url
from tasks.ledger import Ledger
from tasks.retrying import FRESH
from tasks.snapshots import Snapshot
from tasks.store import Store

PAGE, CHARTS = "report.html", "charts.png"
_ROWS_SHOWN = 50


async def publish_page(store: str, decision: Decision, comparison: Comparison) -> str:
    """Write a decision's report and charts beside its evidence, and link them in the UI. Returns the page's key."""
    keep, subject = await load_store(store), decision.ruling.subject
    history = await _history(keep, subject.track.name)
    make = measurement_report if decision.ruling.measures_only else html_report
    card = await _card(keep, decision)
    page = await asyncio.to_thread(make, decision, comparison, history=history, card=card)
    charts = await asyncio.to_thread(charts_png, decision, comparison, history=history)
    key = f"evidence/{decision.digest}/{PAGE}"
    await keep.write(key, page.encode())
    await keep.write(f"evidence/{decision.digest}/{CHARTS}", charts)
    if address := await reports_url(store):
        track, folder = subject.track.name, f"{address}/{decision.digest}"
        await acreate_link_artifact(
            link=f"{folder}/{PAGE}", link_text="Report", key=f"{track}-report", description=f"at {subject.revision}"
        )
        await acreate_image_artifact(image_url=f"{folder}/{CHARTS}", key=f"{track}-charts", description="WER")
    return key


@task(name="refuse-leaks", description="Have testing data leaked into the training data?", **FRESH)
async def refuse_leaks(store: str, snapshot: Snapshot) -> None:
    """Tell what training and testing data share; a leak ends the run before anything is uploaded, if the track says so.

    Raises:
        DataRejected: with file and line of every leak, and the address of the page that shows them.
    """
    report, track = snapshot.leaks, snapshot.track
    if report is None or report.outcome == "clean":
        return
    keep = await load_store(store)
    digest = await evidence.keep(keep, {"leaks.json": report.model_dump_json(indent=2).encode()})
    page = leak_page(report, track.name, snapshot.revision)
    await keep.write(f"evidence/{digest}/{PAGE}", page.encode())
    where = f"{await reports_url(store) or 'evidence'}/{digest}/{PAGE}"
    rows = [[leak.kind, f"{leak.file}:{leak.line or ''}", leak.reason] for leak in report.leaks[:_ROWS_SHOWN]]
    text = f"# Leaks: {report.outcome}\n\n{markdown_table(['what', 'where', 'why'], rows)}\n\nAll: {where}"
    await acreate_markdown_artifact(markdown=text, key=f"{track.name}-leaks", description=report.outcome)
    if report.outcome == "leaked" and track.gate.leaks == "block":
        raise DataRejected(as_problems(report), f"Report: {where}")
    get_run_logger().warning("Training and testing data share something: %s", where)


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


async def _card(store: Store, decision: Decision) -> ModelCard:
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
