"""Promotions: what is brought to which target, whether it is there what it is at home, and the record of it."""

import re
from typing import cast

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import BaseModel, ConfigDict

from domain.leakage import LeakReport
from domain.ledger import News, State
from domain.mistakes import Mistake
from domain.promotion import PromotionReport, PromotionTarget, Region, chosen, line_name, refuse_collision
from domain.report.promotion_page import promotion_page
from domain.rollback import Target, named
from domain.ruling import ModelRef, Ruling, Subject
from domain.track import Track
from tasks.blocks import load_store
from tasks.entities import Remote
from tasks.ledger import Ledger
from tasks.model_copies import copy_identity
from tasks.orchestrator import displayed
from tasks.retrying import FRESH
from tasks.snapshots import read_settings
from tasks.store import Store
from tasks.track_pages import publish_track_page
from tasks.vault import read_comparison, read_ruling


class Line(BaseModel):
    """A track at a target: its settings under the line's name, and where it goes."""

    model_config = ConfigDict(frozen=True)

    track: Track
    target: PromotionTarget

    @property
    def name(self) -> str:
        """The line's."""
        return self.track.name

    @property
    def speech(self) -> str:
        """Name of the target's Speech Resource block."""
        return self.target.speech

    def told_of(self, home: str) -> dict[str, str]:
        """What the line's history says of it; `home` is the track's name."""
        return {"home": home, "target": self.target.name, "speech": self.speech}


class Promotion(BaseModel):
    """A model that is to go to some targets, with what it was tested on last at home."""

    model_config = ConfigDict(frozen=True)

    track: str
    version: str
    subject: Subject
    """Its candidate is the model at home."""
    wer: float | None
    """At home, on these testing data."""
    comparison: str
    """Digest of what let it go live at home."""
    lines: tuple[Line, ...]


@task(name="plan-promotion", description="Which model goes where?", **FRESH)
async def plan_promotion(track: str, target: str, version: str, data: str, source: str, store: str) -> Promotion:
    """Read what is live at home, or that version, and the targets that the track's settings name.

    Raises:
        Mistake: nothing is live, the version was taken back, or the settings have no such target.
    """
    keep = await load_store(store)
    head = await Ledger(keep, track).state()
    settings, tracks = await read_settings(track, data, store, source)
    lines = tuple(_line(settings, one) for one in chosen(settings.promotion, target, track))
    for line in lines:
        refuse_collision(line.name, tracks)
        await _refuse_history(keep, line.name, track)  # asked again when the turns are ours
    model = _wanted(head, version)
    ruling = await read_ruling(keep, model.evidence)
    subject, wer = await _tested_last(keep, head, ruling)
    return Promotion(
        track=track, version=model.version, subject=subject, wer=wer, comparison=ruling.comparison, lines=lines
    )


@task(name="check-lines", description="Are the histories at the targets this track's?", **FRESH)
async def refuse_others_lines(plan: Promotion, store: str) -> None:
    """Refuse a line that another track has begun: `a-b` at `c` and `a` at `b-c` have one name.

    Raises:
        Mistake: there is one.
    """
    keep = await load_store(store)
    for line in plan.lines:
        await _refuse_history(keep, line.name, plan.track)


def question_of(plan: Promotion, line: Line, base: Remote, state: State) -> Subject:
    """What is asked at a target; the candidate is not there yet."""
    candidate = ModelRef(path="", name=copy_identity(line.track, plan.subject).name)
    benchmark = state.benchmark_or(base.ref)
    changes = {"track": line.track, "base": base.ref, "benchmark": benchmark, "candidate": candidate}
    return plan.subject.model_copy(update=changes)


@task(name="read-leaks", description="What the search for leaks at home has found.", **FRESH)
async def leaks_at_home(store: str, plan: Promotion) -> LeakReport | None:
    """What training and testing data of the model share, as far as was looked when it went live."""
    return (await read_comparison(await load_store(store), plan.comparison)).leaks


@task(name="record-promotion", description="Tell the track's history where its model is live.", **FRESH)
async def record_promotion(store: str, plan: Promotion, region: Region) -> None:
    """Note a promotion in the history of the track at home, once."""
    ledger = Ledger(await load_store(store), plan.track)
    facts = {"target": region.target, "line": region.line, "model": plan.subject.candidate.name,
             "version": plan.version, "verdict": region.ruling, "release": region.release}  # fmt: skip
    known = [entry.facts for entry in await ledger.history() if entry.kind == "promotion"]
    if facts not in known:
        await ledger.append(
            News(kind="promotion", flow_run=str(flow_run.id or ""), revision=plan.subject.revision, facts=facts)
        )


async def report_promotion(store: str, plan: Promotion, regions: list[Region]) -> PromotionReport:
    """Tell people what became of it at each target, and end the run in a state that says the worst."""
    report = PromotionReport(
        track=plan.track,
        model=plan.subject.candidate.name,
        version=plan.version,
        flow_run=str(flow_run.id or ""),
        regions=tuple(regions),
    )
    await _publish(report)
    await publish_track_page(store, plan.track)
    if report.worst == "Failed":
        return cast("PromotionReport", Failed(name="Incomplete", message=report.summary, data=report))
    name = "Promoted" if report.worst == "Released" else report.worst
    return cast("PromotionReport", Completed(name=name, message=report.summary, data=report))


@task(name="report-promotion", description="One verdict for each target.", **FRESH)
async def _publish(report: PromotionReport) -> None:
    key = re.sub(r"[^a-z0-9]+", "-", f"{report.track}-promotion")
    await displayed(
        acreate_markdown_artifact, markdown=promotion_page(report), key=key, description=report.summary[:200]
    )
    for region in report.regions:
        get_run_logger().info("%s: %s: %s", region.target, region.outcome, region.told)


def _line(settings: Track, target: PromotionTarget) -> Line:
    """The gate asks no new gain there: that the copy is not worse than what is there, by no more than the margin."""
    gate = settings.gate.model_copy(update={"mode": "non-inferiority"})
    release = settings.release.model_copy(update={"github_release": False})
    changes = {"name": line_name(settings.name, target.name), "gate": gate, "release": release, "promotion": ()}
    return Line(track=settings.model_copy(update=changes), target=target)


async def _refuse_history(store: Store, line: str, track: str) -> None:
    """A line's history begins with a promotion, from this track."""
    first = next(iter(await Ledger(store, line).history()), None)
    if first is not None and (first.kind != "promotion" or first.facts.get("home") != track):
        raise Mistake(
            f"the store has a history of '{line}' already, which is no promotion of '{track}'. Rename the target in track.toml."
        )


def _wanted(head: State, version: str) -> Target:
    if head.release is None:
        raise Mistake(
            f"track '{head.track}' has no release yet: there is nothing to promote. Run training-update first."
        )
    target = named(head, version or head.release.model_name)
    taken = next((one for one in head.withdrawn if one.model == target.model), None)
    if taken is not None:
        raise Mistake(
            f"{target.told} was taken back at home ({taken.reason}), so it is not promoted. Name another version."
        )
    return target


async def _tested_last(store: Store, head: State, ruling: Ruling) -> tuple[Subject, float | None]:
    """The newest testing data that the model was measured on at home, and its WER; those of its own ruling otherwise."""
    subject, benchmark = ruling.subject, head.benchmark
    is_newest = benchmark is None or benchmark.model != subject.candidate.path
    if is_newest or benchmark is None or benchmark.testing_hash == subject.testing_hash:
        return subject, ruling.verdict.candidate_wer
    for entry in reversed(await Ledger(store, head.track).history()):
        if entry.facts.get("testing") == benchmark.testing_hash and "ruling" in entry.facts:
            later = (await read_ruling(store, entry.facts["ruling"])).subject
            changes = {name: getattr(later, name) for name in ("testing_hash", "testing", "sheet")}
            return subject.model_copy(update=changes), benchmark.wer
    return subject, ruling.verdict.candidate_wer
