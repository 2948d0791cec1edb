"""Plays one plan: something is under way, something goes wrong, and then everything must be as if nothing had."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from uuid import UUID

from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling, Scheduled

from deployments.answering import approve
from domain.approval import Answer
from domain.mistakes import Mistake
from tasks.approvals import Approvals
from tasks.ledger import Ledger
from tests.chaos.conductor import Order, Point
from tests.chaos.facts import AGAIN, facts_of, patiently, runs_of
from tests.chaos.faults import act_of, take_down
from tests.chaos.invariants import violations
from tests.chaos.lanes import ASKS, MOST_NAMES, SETTINGS, Lane, Track
from tests.chaos.listening import transcribing
from tests.chaos.plans import Plan
from tests.chaos.world import World

SETTLE_SECONDS = 600
CALM = "nothing"
"""The fault of the last plan: what killed processes have left must be gone after it."""

CRASHED_FOR_GOOD = timedelta(seconds=90)
"""Runs that crashed are begun again within a few seconds, unless they crashed again and again."""

_LOOK_SECONDS = 2.5
_QUIET_LOOKS = 1


@dataclass
class Result:
    """What came of a plan.

    Attributes:
        fired: the point at which the fault came; empty when the run was over before.
        seconds: from the fault until all was over.
        violations: what did not hold.
        log: what happened, with seconds since the plan began.
    """

    plan: Plan
    fired: str = ""
    seconds: float | None = None
    violations: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def is_done(run: FlowRun) -> bool:
    """Whether nothing more comes of it; one that crashed is begun again after a while."""
    if run.state is None or not run.state.is_final():
        return False
    age = datetime.now(UTC) - run.state.timestamp
    return not run.state.is_crashed() or age > CRASHED_FOR_GOOD


def left_folders(world: World) -> list[str]:
    """Temporary folders of ours, when nothing is under way."""
    return sorted(path.name for path in world.temporary.glob("speechops-*"))


class Unsettled(Exception):
    """It did not come to an end in time."""


class Play:
    """One plan on one lane."""

    def __init__(self, world: World, lane: Lane, plan: Plan) -> None:
        self.world = world
        self.lane = lane
        self.plan = plan
        self.result = Result(plan)
        self.by_hand: set[UUID] = set()
        self.owed: list[tuple[str, str]] = []
        self._began = monotonic()
        self._fault_at: float | None = None
        self._track: Track | None = None
        self._order: Order | None = None
        self._earlier: frozenset[UUID] = frozenset()
        self._processes_until = 0.0

    def tell(self, what: str) -> None:
        """Note it for whoever has to understand a violation."""
        self.result.log.append(f"{monotonic() - self._began:6.1f}  {what}")

    async def play(self) -> Result:
        """All of it; a violation makes the next plan of the lane begin on a fresh track."""
        try:
            self._earlier = frozenset(run.id for run in await runs_of(self.world, self.lane))
            track = await self._prepared()
            async with transcribing(self.world, track, await self._endpoint(track)) as complaints:
                expected = await self._under_way(track)
                await self._settle()
                self.result.seconds = monotonic() - self._fault_at if self._fault_at else None
            facts = await facts_of(
                self.world, self.lane, track,
                owed=self.owed, expected=expected, by_hand=frozenset(self.by_hand), earlier=self._earlier,
                complaints=complaints,
                scratch=left_folders(self.world) if self.plan.fault == CALM else (),
            )  # fmt: skip
            self.result.violations += violations(facts)
        except Exception as error:
            self.result.violations.append(f"{type(error).__name__}: {error}")
        if self.result.violations:
            await self._give_up()
        self._withdraw_order()
        return self.result

    # What is there before.

    async def _prepared(self) -> Track:
        """A track in the state that the plan needs."""
        settings = ASKS if self.plan.flow == "approval" else SETTINGS
        track = self.lane.track_with(settings)
        if track is None or track.learnt >= MOST_NAMES - 2:
            if track is not None:
                track.retired = True
            track = self.lane.new_track(settings)
        self._track = track
        needed = {"rollback": 2, "approval": 0, "data-update": 0, "training-update": 0}.get(self.plan.flow, 1)
        if self.plan.fault == "rollback beside a push":
            needed = 2
        while len(track.lives) < needed:
            await self._push(track, learns=1)
            await self._settle()
            track.lives.append(track.learnt)
        if self.plan.flow == "deploy":
            await self._leave_undeployed(track)
        self.tell(f"{track.name} knows {track.learnt} names, live before: {track.lives}")
        return track

    async def _leave_undeployed(self, track: Track) -> None:
        """A model that passed, and whose run was cancelled before it was released."""

        async def cancel(point: Point) -> str:
            await patiently(lambda: self.world.client.set_flow_run_state(point.run, Cancelling()))
            self.by_hand.add(point.run)
            return "die"

        self.world.conductor.orders.append(Order("training-update", track.name, "before POST endpoints", cancel))
        await self._push(track, learns=1)
        await self._settle()

    async def _endpoint(self, track: Track) -> str:
        if not track.lives:
            return ""
        state = await Ledger(self.world.store, track.name).state()
        return state.release.endpoint.partition("/")[2] if state.release else ""

    # What is under way, and what goes wrong.

    async def _under_way(self, track: Track) -> Sequence[str | None]:
        """Begin it, with the fault at its point; what the live endpoint may hear in the end."""
        subject = self.lane.name if self.plan.counted == "data-update" else track.name
        act = act_of(self.world, self.plan, self.tell)

        async def noted(point: Point) -> str:
            self._fault_at = monotonic()
            self.result.fired = f"{point.number}: {point.name}"
            if self.plan.fault == "cancel":
                self.by_hand.add(point.run)
            return await act(point)

        if self.plan.fault in ("two rollbacks", "rollback beside a push", "approve and reject"):
            self._fault_at, self.result.fired = monotonic(), "at the same time"
        elif self.plan.fault == "kill receiver" and self.plan.counted == "data-update":
            pass  # on the way of the delivery, see `_push`
        else:
            self._order = Order(self.plan.counted, subject, self.plan.at, noted)
            self.world.conductor.orders.append(self._order)
        return await _SCENES[self.plan.flow](self, track)

    async def _train(self, track: Track) -> Sequence[str | None]:
        if self.plan.fault == "rollback beside a push":
            return await self._rollback_beside_a_push(track)
        await self._push(track, learns=1)
        await self._settle()
        await self._again("training-update", track)
        track.lives.append(track.learnt)
        return [track.heard(track.learnt)]

    async def _test(self, track: Track) -> Sequence[str | None]:
        await self._push(track, learns=0)
        await self._settle()
        await self._again("testing-update", track)
        return [track.heard(track.lives[-1])]

    async def _roll_back(self, track: Track) -> Sequence[str | None]:
        if self.plan.fault == "rollback beside a push":
            return await self._rollback_beside_a_push(track)
        for _ in range(2 if self.plan.fault == "two rollbacks" else 1):
            await self._run("rollback", track, reason=f"seed {self.plan.seed}")
        await self._settle()
        await self._again("rollback", track)
        track.lives.pop()
        return [track.heard(track.lives[-1])]

    async def _rollback_beside_a_push(self, track: Track) -> Sequence[str | None]:
        await self._push(track, learns=1)
        await asyncio.sleep(self.plan.chance().uniform(0, 6))
        await self._run("rollback", track, reason=f"seed {self.plan.seed}")
        await self._settle()
        allowed = [track.learnt, *track.lives[-2:]]
        track.lives = []  # whichever came first: the next plan begins with a fresh count
        track.retired = True
        return [track.heard(one) for one in allowed]

    async def _deploy(self, track: Track) -> Sequence[str | None]:
        facts = [
            one.facts for one in await Ledger(self.world.store, track.name).history() if one.kind == "training-update"
        ][-1]
        await self._run("deploy", track, model=facts["candidate"], verdict=facts["ruling"])
        await self._settle()
        await self._again("deploy", track)
        track.lives.append(track.learnt)
        return [track.heard(track.learnt)]

    async def _approve(self, track: Track) -> Sequence[str | None]:
        await self._push(track, learns=1)
        answers = [True, False] if self.plan.fault == "approve and reject" else [True]
        before = len(await Approvals(self.world.store, track.name).all())
        if self.plan.fault == "cancel" and self.plan.seed % 2:
            await self._cancel_while_it_asks(track, before)
            before += 1
        await self._settle(until=lambda: self._asks(track, before))
        await self._again("training-update", track, until=lambda: self._asks(track, before))
        await asyncio.gather(*(self._answer(track, yes) for yes in answers))
        await self._settle()
        requests = await Approvals(self.world.store, track.name).all()
        outcome = requests[-1].outcome if requests else "missing"
        self.tell(f"the request is {outcome}")
        if not outcome.startswith("rejected"):
            track.lives.append(track.learnt)
        return [track.heard(track.lives[-1])] if track.lives else [None]

    async def _cancel_while_it_asks(self, track: Track, before: int) -> None:
        self._withdraw_order()
        await self._settle(until=lambda: self._asks(track, before))
        self._fault_at, self.result.fired = monotonic(), "while it is suspended"
        run = (await Approvals(self.world.store, track.name).all())[-1].flow_run
        self.by_hand.add(UUID(run))
        await patiently(lambda: self.world.client.set_flow_run_state(UUID(run), Cancelling()))

    def _withdraw_order(self) -> None:
        if self._order in self.world.conductor.orders:
            self.world.conductor.orders.remove(self._order)

    async def _asks(self, track: Track, before: int) -> bool:
        """Whether a run of the track is suspended for a new request."""
        requests = await Approvals(self.world.store, track.name).all()
        if len(requests) <= before or requests[-1].is_over:
            return False
        run = await patiently(lambda: self.world.client.read_flow_run(UUID(requests[-1].flow_run)))
        return run.state_name == "Suspended"

    async def _answer(self, track: Track, yes: bool) -> None:
        await asyncio.sleep(1)  # Prefect saves the form just after it says that the run is suspended
        answer = Answer.of(yes, "Grace Hopper" if yes else "Ada Lovelace", "heard it")
        try:
            told = await patiently(lambda: approve(track.name, answer, str(self.world.store.folder)))
        except Mistake as mistake:
            told = str(mistake)
        self.tell(f"{'approve' if yes else 'reject'}: {told}")

    async def _push(self, track: Track, learns: int) -> None:
        """Commit, push, and tell the receiver; what that deserves is owed."""
        first = not track.learnt
        if learns:
            track.learnt += learns
        else:
            track.edition += 1
        push = await asyncio.to_thread(self.lane.commit)
        owed = ["testing-update"] * (first or not learns) + ["training-update"] * bool(learns)
        self.owed += [(flow, push.after) for flow in owed]
        receiver = self.plan.fault == "kill receiver" and self.plan.counted == "data-update"
        if receiver and self.plan.at % 2:
            await self._kill_receiver("before it is told")
        await asyncio.to_thread(self.lane.tell, push)
        self.tell(f"pushed {push.after[:12]}, and the receiver knows")
        if receiver and not self.plan.at % 2:
            await self._kill_receiver("after its answer")

    async def _kill_receiver(self, when: str) -> None:
        self._fault_at, self.result.fired = monotonic(), when
        await take_down(self.world, self.world.services["receiver"], self.tell)

    async def _run(self, flow: str, track: Track, tags: Sequence[str] = (), **parameters: str) -> FlowRun:
        deployment = self.world.deployments[flow]
        given = {"track": track.name, **parameters}
        run = await patiently(
            lambda: self.world.client.create_flow_run_from_deployment(
                deployment, parameters=given, tags=[f"track:{track.name}", *tags]
            )
        )
        self.tell(f"{flow} is started by hand: {run.id}")
        return run

    async def _again(self, flow: str, track: Track, until: "Callable[[], Awaitable[bool]] | None" = None) -> None:
        """What an operator does about a run that was cancelled, or that failed because of a disk: starts it again."""
        runs = [run for run in await runs_of(self.world, self.lane) if run.id not in self._earlier]
        for run in runs:
            if self.world.conductor.flows.get(run.deployment_id or run.id) != flow or run.state is None:
                continue
            if run.state.is_cancelled() and run.id in self.by_hand and self.plan.fault == "cancel":
                await self._run(flow, track, [AGAIN], **{k: v for k, v in run.parameters.items() if k != "track"})
                await self._settle(until=until)
            elif run.state.is_failed() and self.plan.fault in ("disk full", "read-only store"):
                self.tell(f"retry of {flow}, which said: {(run.state.message or '')[:300]}")
                if "[Errno" in (run.state.message or ""):
                    self.result.violations.append(f"not told as trouble of the store: {run.state.message}")
                state = Scheduled(name="AwaitingRetry", message="Retry from the UI")
                await patiently(partial(self.world.client.set_flow_run_state, run.id, state))
                await self._settle(until=until)

    # The end.

    async def _settle(
        self, until: "Callable[[], Awaitable[bool]] | None" = None, patience: float = SETTLE_SECONDS
    ) -> None:
        """Wait until every run that is owed is there and over, nothing is under way, and every service is back."""
        deadline, quiet = monotonic() + patience, 0
        self._processes_until = monotonic() + patience / 2  # a process that stays is told as such
        while quiet < _QUIET_LOOKS:
            await asyncio.sleep(_LOOK_SECONDS)
            waits = await self._waits_for()
            if until is not None and await until():
                return
            quiet = quiet + 1 if not waits else 0
            if monotonic() > deadline:
                if until is not None:
                    waits.append("an approval to be asked for")
                raise Unsettled(f"still waiting after {patience:.0f} s: {'; '.join(waits)}")

    async def _waits_for(self) -> list[str]:
        runs = [run for run in await runs_of(self.world, self.lane) if run.id not in self._earlier]
        flows = self.world.conductor.flows
        begun = {(flows.get(run.deployment_id or run.id), run.parameters.get("revision")) for run in runs}
        open_runs = [run for run in runs if not is_done(run)]
        waits = [f"{flow} for {revision[:12]}" for flow, revision in self.owed if (flow, revision) not in begun]
        waits += [f"{flows.get(run.deployment_id or run.id)} {run.id}, {run.state_name}" for run in open_runs]
        mine, alive = {run.id for run in runs}, self.world.conductor.alive
        waits += [f"process {pid}" for pid, run in alive.items() if run in mine and monotonic() < self._processes_until]
        return waits + (["services"] if self.world.repairs else [])

    async def _give_up(self) -> None:
        """Leave nothing to the next plan of this lane."""
        for line in self.result.violations:
            self.tell(f"VIOLATION {line}")
        for run in [run for run in await runs_of(self.world, self.lane) if run.id not in self._earlier]:
            states = await patiently(partial(self.world.client.read_flow_run_states, run.id))
            ordered = sorted(states, key=lambda one: one.timestamp)
            told = ", ".join(f"{one.name} at {one.timestamp:%M:%S}" for one in ordered)
            told += f" ({ordered[-1].message})" if ordered and ordered[-1].message else ""
            self.tell(f"{self.world.conductor.flows.get(run.deployment_id or run.id)} {run.id} {run.name}: {told}")
            if run.state is None or not run.state.is_final():
                await patiently(partial(self.world.client.set_flow_run_state, run.id, Cancelling()))
        if self._track:
            self._track.retired = True


_SCENES: dict[str, Callable[[Play, Track], Awaitable[Sequence[str | None]]]] = {
    "data-update": Play._train,
    "training-update": Play._train,
    "testing-update": Play._test,
    "rollback": Play._roll_back,
    "deploy": Play._deploy,
    "approval": Play._approve,
}
