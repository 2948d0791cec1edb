"""Automations about runs whose process is gone: they are found, called Crashed, and begun again, a few times.

They are for a server that has no receiver, and so no `RunKeeper`, which does the same within minutes. They cannot tell an
outage of Prefect's server from a process that is gone: so their windows are longer than an outage that runs live through.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

TAG: Final = "speechops"
"""All automations that are ours carry it; what has our name but not this tag belongs to somebody else."""

VANISHED: Final = "speechops: runs that vanished"
VANISHED_CRASHED: Final = "speechops: vanished runs crashed"
STUCK: Final = "speechops: runs that never began"
CRASHED_GO_ON: Final = "speechops: crashed runs go on"

VANISHED_STATE: Final = "Vanished"
GOES_ON: Final = "It crashed, and goes on where it stopped."
"""The message of the state by which a run is begun again: it tells such states from a person's Retry."""

_ENDS: Final = ("Completed", "Failed", "TimedOut", "Cancelled", "Crashed")
OWN_ENDS: Final = (
    "Released",
    "Rolled back",
    "Already live",
    "Refused",
    "Invalid",
    "Recorded",
    "Unchanged",
    "Started",
    "Nothing to do",
    "Rejected",
    "Expired",
    "Stale",
    "Planned",
    "Promoted",
    "Incomplete",
    "All well",
    "Findings",
    "Nothing live",
)
"""What our flows call their ends (tasks/*reports.py, tasks/promotions.py). One that is missing does no harm."""
_WAITS: Final = ("Suspended", "Paused", "Cancelling")
_STARTS: Final = ("Scheduled", "AwaitingRetry", "Late", "Resuming", "Pending", "Running")
_HEARTBEAT: Final = "prefect.flow-run.heartbeat"
_RUNS: Final = {"prefect.resource.id": "prefect.flow-run.*"}


@dataclass(frozen=True, slots=True)
class Windows:
    """How long the automations wait. Prefect takes no less than ten seconds for any of these.

    Attributes:
        settle: so long must no further blob change before the data are looked at.
        vanished: a run without a heartbeat for so long has no process any more: half an hour's outage of Prefect's
            server, and the time that Prefect's client may be asleep after it.
        stuck: a run that is Pending for so long never began, for the same reasons.
        retry: so long must a Crashed run stay so before it is run again. Whoever keeps the runs was there before.
        attempts: how often a run that crashes is begun, with the first time.
    """

    settle: timedelta = timedelta(seconds=10)
    vanished: timedelta = timedelta(minutes=60)
    stuck: timedelta = timedelta(minutes=60)
    retry: timedelta = timedelta(minutes=5)
    attempts: int = 5


class RunsOf:
    """Automations about runs of certain deployments. Subflow runs have none, and are their parents' business."""

    def __init__(self, deployments: Iterable[UUID]) -> None:
        self._related = {
            "prefect.resource.role": "deployment",
            "prefect.resource.id": sorted(f"prefect.deployment.{one}" for one in deployments),
        }

    def vanished(self, windows: Windows) -> AutomationCore:
        """Prefect pauses what is Running and nothing else, whatever late heartbeats come in after the end, or after a
        run was suspended for an approval: so the server itself makes sure that no such run is called crashed.
        """
        state = ChangeFlowRunState(
            name=VANISHED_STATE,
            state=StateType.PAUSED,
            message=f"No heartbeat for {windows.vanished.total_seconds():.0f} seconds: its process is gone.",
        )
        return AutomationCore(
            name=VANISHED,
            description="A run without heartbeats is marked Vanished; a suspended one has none, and is left alone.",
            tags=[TAG],
            trigger=self._silence({_HEARTBEAT}, {_HEARTBEAT, *_states(_ENDS, OWN_ENDS, _WAITS)}, windows.vanished),
            actions=[state],
        )

    def crashed_once_vanished(self) -> AutomationCore:
        """The second half of `vanished`."""
        state = ChangeFlowRunState(
            state=StateType.CRASHED, message="Its process is gone: it sent no heartbeat any more."
        )
        trigger = EventTrigger(
            match=_RUNS, match_related=self._related, expect=_states([VANISHED_STATE]), posture=Posture.Reactive
        )
        return AutomationCore(
            name=VANISHED_CRASHED,
            description="A run that was marked Vanished is Crashed.",
            tags=[TAG],
            trigger=trigger,
            actions=[state],
        )

    def stuck(self, windows: Windows) -> AutomationCore:
        """Runs whose worker died between taking and starting them."""
        minutes = windows.stuck.total_seconds() / 60
        state = ChangeFlowRunState(state=StateType.CRASHED, message=f"It was Pending for {minutes:g} minutes.")
        others = _states(_ENDS, OWN_ENDS, _WAITS, _STARTS) - _states(["Pending"])
        return AutomationCore(
            name=STUCK,
            description="A run that was taken by a worker and never began is Crashed.",
            tags=[TAG],
            trigger=self._silence(_states(["Pending"]), others, windows.stuck),
            actions=[state],
        )

    def go_on(self, windows: Windows) -> AutomationCore:
        """At once would be too early: a worker's second report of the same crash would meet the run that was begun
        again, and two processes would work on it. `force` keeps the answers that the run was given before.
        """
        state = ChangeFlowRunState(
            name="AwaitingRetry",
            state=StateType.SCHEDULED,
            message=GOES_ON,
            force=True,
        )
        expected = _states(_ENDS, OWN_ENDS, _WAITS, _STARTS)  # with Crashed: a second report begins the window anew
        counts = [str(count) for count in range(windows.attempts)]  # 0: it never began
        trigger = self._silence(_states(["Crashed"]), expected, windows.retry, {"prefect.run-count": counts})
        return AutomationCore(
            name=CRASHED_GO_ON,
            description=f"A run that crashed is begun again, at most {windows.attempts} times in all.",
            tags=[TAG],
            trigger=trigger,
            actions=[state],
        )

    def _silence(
        self, after: set[str], expect: set[str], within: timedelta, labels: Mapping[str, list[str]] | None = None
    ) -> EventTrigger:
        return EventTrigger(
            match={**_RUNS, **(labels or {})},
            match_related=self._related,
            after=after,
            expect=expect,
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            within=within,
        )


def _states(*names: Iterable[str]) -> set[str]:
    return {f"prefect.flow-run.{name}" for group in names for name in group}
