"""`speechops plan`: what would run for which track, why, and what it would cost."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.cost import Cost
from domain.mistakes import Mistake
from domain.plan import FlowName, Plan, PlannedRun
from domain.pushes import is_no_commit
from tasks.changes import plan_range, plan_worktree
from tasks.ledger import Ledger
from tasks.repository import Repository, open_repository
from tasks.store import LocalFolder, Store

_DIGITS = 12
_CHANGES = "+changes"

Bases = Mapping[tuple[str, FlowName], str]
"""By track and flow, the commit that it was last done for."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WouldRun(_Result):
    """One run, the commit (12 digits; empty for none) that it is compared with, and with `--cost` what it would take."""

    run: PlannedRun
    since: str
    cost: Cost | None = None


class Planned(_Result):
    """The answer of `speechops plan`: runs in their order."""

    revision: str
    runs: tuple[WouldRun, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: empty `since` takes each track's last run, or else the commit before `to`."""

    data: Path
    store: Path
    since: str = ""
    to: str = ""
    worktree: bool = False
    cost: bool = False

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            Mistake: they do.
        """
        if self.worktree and self.to:
            raise Mistake("--worktree plans for the files on disk, so it goes without --to.")
        if self.cost and self.to:
            raise Mistake("--cost packs the files on disk, so it goes without --to. Check that commit out instead.")


async def plan_runs(question: Question) -> Planned:
    """What would run, and why.

    Raises:
        Mistake: the options contradict each other; no such commit, or no repository; the history is damaged.
    """
    question.check()
    repository, data = _found(question.data)
    to = repository.commit(question.to or "HEAD")
    store = LocalFolder(question.store)
    bases = {} if question.since else await last_done(repository, store)
    default = repository.commit(question.since) if question.since else _before(repository, to, question)
    plans = {base: _plan(repository, base, to, data, question) for base in sorted({default, *bases.values()})}
    runs = tuple(_chosen(plans, bases, default))
    notes = [*dict.fromkeys(note for plan in plans.values() for note in plan.notes)]
    if question.cost:
        runs, problems = await _with_costs(runs, question.data, store)
        notes += problems
        if not (question.worktree or repository.bare) and repository.worktree_changes(to, data):
            notes.append("the cost is that of the files on disk, which differ from the commit")
    return Planned(revision=plans[default].revision, runs=runs, notes=tuple(notes))


async def last_done(repository: Repository, store: Store) -> Bases:
    """The commits that the history's last runs were for, as far as this repository has them.

    Raises:
        Mistake: a history is damaged.
    """
    found: dict[tuple[str, FlowName], str] = {}
    for key in await store.keys("tracks/"):
        if key.endswith("/state.json"):
            track = key.split("/")[1]
            last = {entry.kind: entry.revision for entry in await Ledger(store, track).history()}
            known = {flow: _known(repository, last[flow]) for flow in FlowName if flow in last}
            found |= {(track, flow): commit for flow, commit in known.items() if commit}
    return found


def _known(repository: Repository, revision: str) -> str:
    """The commit of a revision; a run on uncommitted changes counts for the commit that they were made to."""
    try:
        return repository.commit(revision.removesuffix(_CHANGES))
    except Mistake:
        return ""


def _found(data: Path) -> tuple[Repository, str]:
    """The repository around the folder of all tracks, and that folder within it."""
    target = data.resolve()
    repository = open_repository(next(folder for folder in (target, *target.parents) if folder.is_dir()))
    inside = data if repository.bare else target.relative_to(repository.folder.resolve())
    return repository, "" if inside == Path() else inside.as_posix()


def _before(repository: Repository, to: str, question: Question) -> str:
    return to if question.worktree else repository.parent(to)


def _plan(repository: Repository, base: str, to: str, data: str, question: Question) -> Plan:
    return plan_worktree(repository, base, data) if question.worktree else plan_range(repository, base, to, data)


def _chosen(plans: Mapping[str, Plan], bases: Bases, default: str) -> Iterator[WouldRun]:
    """Of each plan the runs that it is there for, in the order of one plan."""
    order = list(FlowName)
    runs = [
        WouldRun(run=run, since="" if is_no_commit(base) else base[:_DIGITS])
        for base, plan in plans.items()
        for run in plan.runs
        if bases.get((run.track, run.flow), default) == base
    ]
    yield from sorted(runs, key=lambda one: (one.run.track, order.index(one.run.flow)))


async def _with_costs(runs: Iterable[WouldRun], data: Path, store: Store) -> tuple[tuple[WouldRun, ...], list[str]]:
    from tasks.costs import cost_of  # packing loads Prefect, which takes a second

    by_track: dict[str, list[WouldRun]] = {}
    for one in runs:
        by_track.setdefault(one.run.track, []).append(one)
    told: list[WouldRun] = []
    problems = []
    for track, its in by_track.items():
        found: Mapping[FlowName, Cost] = {}
        try:
            found = await cost_of(data, track, [one.run for one in its], store)
        except Mistake as mistake:
            problems.append(f"{track}: the cost is not known, for {mistake}")
        told += [one.model_copy(update={"cost": found.get(one.run.flow)}) for one in its]
    return tuple(told), problems


def show_plan(planned: Planned, console: Console) -> None:
    """What people read: a table, then what else they should know."""
    if planned.runs:
        console.print(_table(planned.runs))
    for note in planned.notes:
        console.print(Text(note), soft_wrap=True)
    number = len(planned.runs)
    told = f"{number} {'run' if number == 1 else 'runs'} for" if number else "nothing to run for"
    console.print(Text(f"{told} {planned.revision}"), soft_wrap=True)


def _table(runs: Iterable[WouldRun]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    costed = any(one.cost for one in runs)
    for name in ("track", "flow", "since", "why"):
        table.add_column(name, overflow="fold", no_wrap=name in ("flow", "since"))
    for name in ("MB", "train", "test") if costed else ():
        table.add_column(name, justify="right", no_wrap=True)
    for one in runs:
        why = "\n".join(map(str, one.run.reasons))
        cells = (one.run.track, one.run.flow.value, one.since[:8] or "nothing", why)
        table.add_row(*map(Text, (*cells, *(_cost(one.cost) if costed else ()))))
    return table


def _cost(cost: Cost | None) -> tuple[str, str, str]:
    if cost is None:
        return "?", "?", "?"
    return f"{cost.upload_bytes / 1e6:.1f}", str(cost.trainings), str(cost.evaluations)
