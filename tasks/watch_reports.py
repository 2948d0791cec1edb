"""What becomes of a watch's findings: events, an artifact, an entry in the history, and `tracks/<track>/watch.json`."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import ValidationError

from domain.ledger import News
from domain.lineage.places import watch_key
from domain.watch.findings import Finding, Look, Part, WatchReport, told_before
from domain.watch.page import headline, watch_page
from tasks.blocks import load_store
from tasks.ledger import Ledger
from tasks.orchestrator import displayed
from tasks.retrying import FRESH
from tasks.store import Store
from tasks.track_pages import publish_track_page

FINDING = "speechops.track.finding"
"""The event of each finding; automations tell people of those with the label `speechops.new` true."""


async def report_watch(store: str, report: WatchReport) -> WatchReport:
    """Tell people what was found, and end the run in a state that says it: All well, Findings or Nothing live."""
    await publish_track_page(store, report.track)
    name = "Nothing live" if not report.model else "Findings" if report.findings else "All well"
    return cast("WatchReport", Completed(name=name, message=headline(report), data=report))


@task(name="report-watch", description="Events, the artifact, and what is known of the live model today.", **FRESH)
async def publish_watch(
    store: str,
    track: str,
    revision: str,
    model: str,
    parts: Iterable[Part],
    *,
    testing_hash: str = "",
    back_to: str = "",
) -> WatchReport:
    """Put the parts of a watch together, tell what is new since the last one, and keep it.

    Args:
        store: name of the store's block.
        track: the track's name.
        revision: of the data that were tested on.
        model: display name of the live model; empty while nothing is live.
        parts: what was looked at.
        testing_hash: of the testing data.
        back_to: the release that the watch went back to.
    """
    keep, now, parts = await load_store(store), datetime.now(UTC), tuple(parts)
    last = await _last(keep, track)
    report = WatchReport(
        track=track,
        at=now,
        flow_run=str(flow_run.id or ""),
        revision=revision,
        model=model,
        looks=tuple(Look(name=part.name, told=part.told) for part in parts),
        findings=told_before((finding for part in parts for finding in part.findings), last, now),
        drifts=tuple(drift for part in parts for drift in part.drifts),
        expiry=tuple(row for part in parts for row in part.expiry),
        testing_hash=testing_hash,
        rolled_back_to=back_to,
    )
    await _tell_history(keep, report, last, next((part.evidence for part in parts if part.evidence), ""))
    await displayed(
        acreate_markdown_artifact, markdown=watch_page(report), key=f"{track}-watch", description=headline(report)
    )
    for finding in report.findings:
        _tell(track, finding)
    kept = report.model_dump_json(indent=2).encode()
    await keep.write(watch_key(track), kept)  # last: after a crash everything is told once more, rather than never
    return report


async def _last(store: Store, track: str) -> WatchReport | None:
    """What the watch before found; None when there was none, or another version wrote it."""
    stored = await store.read(watch_key(track))
    try:
        return WatchReport.model_validate_json(stored.data) if stored else None
    except ValidationError:
        get_run_logger().warning("What the last watch of '%s' found cannot be read: everything counts as new", track)
        return None


async def _tell_history(store: Store, report: WatchReport, last: WatchReport | None, digest: str) -> None:
    """A line in the history when anything is other than it was: a daily line that says the same would bury the rest."""
    facts = _facts(report) | ({"measurement": digest} if digest else {})
    if not report.model or (last and _noted(_facts(last)) == _noted(facts) and last.model == report.model):
        return
    news = News(kind="watch", flow_run=report.flow_run, revision=report.revision, facts=facts)
    await Ledger(store, report.track).append(news)


def _noted(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != "measurement"}


def _facts(report: WatchReport) -> dict[str, Any]:
    drift = next(iter(report.drifts), None)
    measured = {"wer": drift.now.wer, "words": drift.now.words, "base_wer": drift.base_now} if drift else {}
    tested = {"testing": report.testing_hash} if drift else {}
    kinds = sorted({finding.identity for finding in report.findings})
    return {"model": report.model, "findings": kinds, **measured, **tested}


def _tell(track: str, finding: Finding) -> None:
    """Payload and labels say what was found, never what people said."""
    get_run_logger().warning("%s (%s): %s", finding.title, finding.severity, finding.what_to_do)
    emit_event(
        event=FINDING,
        resource={
            "prefect.resource.id": f"speechops.track.{track}",
            "prefect.resource.name": track,
            "speechops.kind": finding.kind,
            "speechops.severity": finding.severity,
            "speechops.new": str(finding.new).lower(),
        },
        payload=finding.model_dump(mode="json", include={"kind", "title", "detail", "what_to_do", "facts", "since"}),
    )
