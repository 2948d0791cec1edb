"""What to do about an errand, from its flow runs and the time alone; so it is the same after any crash.

A run of `data-update` reads the state of its source, not the payload: one too many is harmless, one too few is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from deployments.receiver.errands import Errand
from deployments.run_automations import Windows

CLOCKS_DIFFER = timedelta(seconds=5)
"""How much later than a blob a run must have started, on another machine's clock, to have seen it for certain."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Progress(Enum):
    """How far a flow run is."""

    UNFINISHED = auto()
    COMPLETED = auto()
    UNSUCCESSFUL = auto()


@dataclass(frozen=True, slots=True)
class Run:
    """A run of `data-update`.

    Attributes:
        delivery: the id that it was started for; empty when it was started by hand.
        began: when it started, or should have; None as long as it has not.
        ended: when it was over.
    """

    id: UUID
    source: str
    delivery: str
    progress: Progress
    state: str
    began: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to leave it to others.

    Attributes:
        look: between two looks at flow runs.
        grace: for automations to start a run.
        settle: for more blobs of one upload to come, after the last one.
        longest: for blobs that never cease to come.
        first_gap: between a run that failed and the next; then four times as long each time.
        most_runs: that may fail before an errand is given up.
    """

    look: timedelta = timedelta(seconds=5)
    grace: timedelta = timedelta(seconds=20)
    settle: timedelta = Windows().settle
    longest: timedelta = timedelta(minutes=10)
    first_gap: timedelta = timedelta(seconds=30)
    most_runs: int = 4


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more is to be done."""

    note: str
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Start a run; the attempt counts from 1."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Wait:
    """For a run that goes on, or for the time to come."""


def due_times(errands: Sequence[Errand], patience: Patience) -> dict[str, datetime]:
    """By delivery id, when somebody else had time enough; all errands must be of one source.

    Blobs wait for each other: until none came for a while, or the first has waited for too long.
    """
    blobs = [errand.since for errand in errands if errand.is_blob]
    calm = min(max(blobs) + patience.settle, min(blobs) + patience.longest) if blobs else None
    return {
        errand.delivery.id: (calm if errand.is_blob and calm else errand.since) + patience.grace for errand in errands
    }


def decide(
    errand: Errand, runs: Sequence[Run], due: datetime, now: datetime, patience: Patience
) -> Over | Start | Wait:
    """What is to be done about an errand.

    Args:
        errand: that waits.
        runs: all of its source that may have to do with it.
        due: not to be started before, as long as no run failed.
        now: the time.
        patience: how long to wait, and how often to try.
    """
    mine = [run for run in runs if _serves(run, errand)]
    for run in mine:
        if run.progress is Progress.COMPLETED:
            return Over(f"flow run {run.id}")
    if any(run.progress is Progress.UNFINISHED for run in mine):
        return Wait()
    if len(mine) >= patience.most_runs:
        return Over(f"given up: {len(mine)} flow runs ended unsuccessfully, the last as {_last(mine).state}", True)
    return Start(len(mine) + 1) if now >= _next_time(mine, due, patience) else Wait()


def _next_time(failed: Sequence[Run], due: datetime, patience: Patience) -> datetime:
    if not failed:
        return due
    gap: timedelta = patience.first_gap * 4 ** (len(failed) - 1)
    return _end(_last(failed)) + gap


def _last(runs: Sequence[Run]) -> Run:
    return max(runs, key=_end)


def _end(run: Run) -> datetime:
    return run.ended or run.began or _LONG_AGO


def _serves(run: Run, errand: Errand) -> bool:
    """Whether it acts for this errand: it names its delivery, or will list the source, or listed it after the blob came."""
    if run.delivery == errand.delivery.id:
        return True
    return errand.is_blob and (run.began is None or run.began > errand.delivery.received_at + CLOCKS_DIFFER)
