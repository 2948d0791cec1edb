"""Plans with six tracks in one repository: equal data in all of them, and ten pushes to each within ten seconds."""

import asyncio
from time import monotonic

import httpx

from tests.chaos.facts import facts_of
from tests.chaos.invariants import violations
from tests.chaos.lanes import Track
from tests.chaos.playing import Play, Result

TRACKS = 6
PUSHES = 10
SECONDS = 10
STORM_SETTLE_SECONDS = 1200


class Crowd(Play):
    """A plan that no single point decides."""

    async def play(self) -> Result:
        """All tracks begin, with equal data or with their own; then all are looked at."""
        tracks = self._made()
        try:
            await self._first_push(tracks)
            if self.plan.fault == "storm":
                await self._storm(tracks)
            for track in tracks:
                expected = [track.heard(track.learnt)]
                facts = await facts_of(self.world, self.lane, track, owed=self.owed_by(track), expected=expected)
                self.result.violations += [f"{track.name}: {told}" for told in violations(facts)]
        except Exception as error:
            self.result.violations.append(f"{type(error).__name__}: {error}")
        if self.result.violations:
            await self._give_up()
        for track in tracks:
            track.retired = True
        return self.result

    def _made(self) -> list[Track]:
        for old in self.lane.tracks:
            old.retired = True
        first = self.lane.new_track()
        names = first.names if self.plan.fault == "equal data" else None
        return [first, *(self.lane.new_track(names=names) for _ in range(TRACKS - 1))]

    def owed_by(self, track: Track) -> list[tuple[str, str]]:
        """What its pushes deserve; of pushes in a row, what the newest of them says."""
        return [] if self.plan.fault == "storm" else self.owed

    async def _first_push(self, tracks: list[Track]) -> None:
        for track in tracks:
            track.learnt = 1
        push = await asyncio.to_thread(self.lane.commit)
        self.owed = [("testing-update", push.after), ("training-update", push.after)]
        self._fault_at, self.result.fired = monotonic(), f"{TRACKS} tracks in one push"
        await asyncio.to_thread(self.lane.tell, push)
        await self._settle(patience=STORM_SETTLE_SECONDS)
        self.result.seconds = monotonic() - self._fault_at

    async def _storm(self, tracks: list[Track]) -> None:
        self._fault_at = began = monotonic()
        for number in range(PUSHES * TRACKS):
            tracks[number % TRACKS].learnt += 1
            push = await asyncio.to_thread(self.lane.commit)
            await asyncio.to_thread(self.lane.tell, push)
            await asyncio.sleep(max(0.0, began + (number + 1) * SECONDS / (PUSHES * TRACKS) - monotonic()))
        self.result.fired = f"{PUSHES * TRACKS} pushes in {monotonic() - began:.0f} s"
        self.tell(self.result.fired)
        await self._until_delivered()
        await self._settle(patience=STORM_SETTLE_SECONDS)
        self.result.seconds = monotonic() - began

    async def _until_delivered(self) -> None:
        """Until the receiver waits for nothing any more."""
        async with asyncio.timeout(STORM_SETTLE_SECONDS), httpx.AsyncClient(trust_env=False) as http:
            while True:
                lines = (await http.get(f"{self.lane.receiver}/metrics")).text.splitlines()
                if "speechops_receiver_pending 0.0" in lines:
                    return
                await asyncio.sleep(1)
