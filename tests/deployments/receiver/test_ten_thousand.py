"""Ten thousand deliveries at a real receiver that is killed twice: each genuine event has its effect once, no other any.

Effects are counted at a stand-in for Prefect's API, because the real server starts three runs a second. As that one does, it
knows an event by its id and a run by its key. One in seven events starts no run there, and the answers to some starts are lost.
"""

import asyncio
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.receiver.deliveries import Delivery, Kind
from deployments.receiver.outbox import Outbox
from tests.deployments.receiver.crowd_kit import Program, Senders, served
from tests.deployments.receiver.hook_kit import Sent
from tests.deployments.receiver.prefect_kit import FakePrefect
from tests.deployments.receiver.test_crowd import SEED, cut_off, forged, genuine

GENUINE, REPEATED, FORGED, CUT_OFF = 6_400, 3_000, 300, 300


class Witness:
    """Sees to it that the outbox has what Prefect is told, and not yet as done; and makes some things go wrong."""

    def __init__(self, outbox: sqlite3.Connection) -> None:
        self.wrong: list[str] = []
        self.prefect = FakePrefect(lambda: datetime.now(UTC))
        self._outbox = outbox
        self.prefect.automates = self._automates
        self.prefect.loses = lambda key: hash_of(key) % 10 == 0
        self.prefect.ends_as = self._ends_as
        self.prefect.on_event = lambda event: self._look_up("event", event["payload"]["delivery"])
        self.prefect.on_start = lambda asked: self._look_up("start", asked["parameters"]["delivery"])

    def _automates(self, event: dict[str, Any]) -> bool:
        return event["resource"].get("speechops.kind") == "git" and hash_of(event["id"]) % 7 > 0

    def _ends_as(self, run: dict[str, Any]) -> str:
        """One in fifty first runs fails."""
        delivery = run["parameters"]["delivery"]
        is_first = self.prefect.by_delivery[delivery][0] is run
        return "FAILED" if is_first and hash_of(delivery) % 50 == 0 else "COMPLETED"

    def _look_up(self, what: str, delivery: str) -> None:
        found = self._outbox.execute("SELECT state FROM deliveries WHERE id = ?", (delivery,)).fetchone()
        if found != ("stored",):
            self.wrong.append(f"{what} of {delivery}, which is {found}")


def hash_of(text: str) -> int:
    """The same in every run."""
    return sum(text.encode())


def crowd(chance: random.Random) -> list[Sent]:
    """All deliveries, in any order. Number 0 would be a push of no commit."""
    events = [genuine(number) for number in range(1, GENUINE + 1)]
    deliveries = events + chance.choices(events, k=REPEATED)
    deliveries += [forged(number) for number in range(FORGED)] + list(map(cut_off, chance.sample(events, CUT_OFF)))
    chance.shuffle(deliveries)
    return deliveries


async def sent_with_two_kills(folder: Path, prefect_url: str, deliveries: list[Sent]) -> Senders:
    """All answered and done in the end; killed in the middle of answering, at a third and at two thirds."""
    senders = Senders()
    third = len(deliveries) // 3
    for part in (deliveries[:third], deliveries[third : 2 * third]):
        senders.waiting.extend(part)
        program = await Program.started(folder, prefect_url)
        sending = asyncio.create_task(senders.send(program.address))
        while len(senders.waiting) > third // 10:  # noqa: ASYNC110 - it is killed from outside, at any moment
            await asyncio.sleep(0.01)
        await program.kill()
        await sending
    senders.waiting.extend(deliveries[2 * third :])
    program = await Program.started(folder, prefect_url)
    await senders.send(program.address)
    with closing(Outbox(folder / "outbox.sqlite3")) as outbox:
        while outbox.count_pending():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.05)
    await program.kill()
    return senders


@pytest.mark.slow
async def test_each_genuine_event_has_exactly_one_effect_and_no_forged_one_any(tmp_path: Path) -> None:
    """Repeated, shuffled, forged, cut off, with two kills, lost automations, lost answers and runs that fail."""
    deliveries = crowd(random.Random(SEED))
    began = time.monotonic()
    with closing(sqlite3.connect(tmp_path / "outbox.sqlite3")) as db:
        witness = Witness(db)
        async with served(witness.prefect) as url:
            senders = await sent_with_two_kills(tmp_path, url, deliveries)
    stored = stored_in(tmp_path)
    completed = Counter(run["parameters"]["delivery"] for run in witness.prefect.completed())
    pushes = {delivery.id for delivery in stored if delivery.kind is Kind.GIT_PUSH}
    print(
        f"{len(deliveries)} deliveries in {time.monotonic() - began:.1f} s: {dict(senders.statuses)}, "
        f"{senders.unanswered} sent again; {len(witness.prefect.events)} events, {len(witness.prefect.runs)} runs, "
        f"{len(witness.prefect.requests)} requests"
    )

    assert witness.wrong == []
    assert len(stored) == GENUINE
    assert {event["payload"]["delivery"] for event in witness.prefect.events.values()} == {one.id for one in stored}
    assert len(witness.prefect.events) == GENUINE
    assert {delivery: completed[delivery] for delivery in pushes} == dict.fromkeys(pushes, 1)
    assert senders.statuses[400] + senders.statuses[401] == FORGED + CUT_OFF


def stored_in(folder: Path) -> list[Delivery]:
    """Every delivery of an outbox, done or not."""
    with closing(sqlite3.connect(folder / "outbox.sqlite3")) as db:
        return [Delivery.model_validate_json(row[0]) for row in db.execute("SELECT document FROM deliveries")]
