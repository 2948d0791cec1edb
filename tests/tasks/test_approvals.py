"""Requests in the store: one decision, whoever decides at the same time, and whatever gets lost on the way."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

import tasks.approvals
from domain.approval import Answer, Request
from domain.ledger import Benchmark, News
from domain.mistakes import Mistake
from tasks.approvals import Approvals, open_requests, require_approval, tracks_with_requests
from tasks.ledger import Ledger
from tasks.store import LocalFolder
from tests.domain.approval_kit import request
from tests.domain.report_samples import decision_of, sample
from tests.tasks.test_cursors import IsFull, LosesAnswers, no_sleep

YES = Answer.of(True, "Grace Hopper", "heard it")


@pytest.fixture(autouse=True)
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What would be told to a Prefect server, which these tests have not."""
    told: list[Request] = []
    monkeypatch.setattr(tasks.approvals, "emit", told.append)
    return told


async def asked(store: LocalFolder, **changes: object) -> tuple[Approvals, Request]:
    """A request that is open now."""
    approvals = Approvals(store, "places", sleep=no_sleep)
    return approvals, await approvals.open(request(datetime.now(UTC), **changes))  # type: ignore[arg-type]


async def approvals_told(store: LocalFolder) -> list[dict[str, str]]:
    """What the history says of approvals."""
    return [entry.facts for entry in await Ledger(store, "places").history() if entry.kind == "approval"]


async def test_of_a_hundred_answers_at_once_one_decides(tmp_path: Path) -> None:
    """Half approve, half reject: one is first, all others are told who, and the history has one line."""
    store = LocalFolder(tmp_path)
    approvals, one = await asked(store)
    answers = [Answer.of(bool(number % 2), f"person {number}", "") for number in range(100)]

    done = await asyncio.gather(*(approvals.decide(one.id, answer) for answer in answers), return_exceptions=True)

    (decided,) = [result for result in done if isinstance(result, Request)]
    assert {str(result) for result in done if isinstance(result, Mistake)} == {
        f"the request {one.id} for 'places-model-2' is closed: {decided.outcome}."
    }
    assert await approvals.find(one.id) == decided
    assert [facts["by"] for facts in await approvals_told(store)] == [decided.by]


async def test_answers_that_get_lost_decide_once(tmp_path: Path, emitted: list[Request]) -> None:
    """The store takes the decision and the connection breaks: it is found again, and told once."""
    store = LosesAnswers(tmp_path)
    _, one = await asked(LocalFolder(tmp_path))

    decided = await Approvals(store, "places", sleep=no_sleep).decide(one.id, YES)

    assert decided.approved
    assert decided.told
    assert len(await approvals_told(store)) == len(emitted) == 1


async def test_the_same_answer_twice_is_no_mistake(tmp_path: Path) -> None:
    """A double click, or a command that was repeated; the opposite is refused."""
    approvals, one = await asked(LocalFolder(tmp_path))
    first = await approvals.decide(one.id, YES)

    assert await approvals.decide(one.id, YES) == first
    with pytest.raises(Mistake, match="closed: approved by Grace Hopper"):
        await approvals.decide(one.id, YES.model_copy(update={"approve": False}))


async def test_a_crash_between_history_and_request_tells_nothing_twice(tmp_path: Path) -> None:
    """The history had it already, and the request did not know yet."""
    approvals, one = await asked(LocalFolder(tmp_path))
    await approvals.decide(one.id, YES)
    await approvals.change(one.id, lambda held, *_: held.model_copy(update={"told": False}))

    assert (await approvals.decide(one.id, YES)).told
    assert len(await approvals_told(LocalFolder(tmp_path))) == 1


async def test_an_answer_that_does_not_count_changes_nothing(tmp_path: Path) -> None:
    """The author's own is refused, and somebody else can still answer."""
    approvals, one = await asked(LocalFolder(tmp_path))

    with pytest.raises(Mistake, match=r"changed the data .* Nothing has changed"):
        await approvals.decide(one.id, Answer.of(True, "ada@example.org", ""))
    assert await approvals.find(one.id) == one
    assert (await approvals.decide(one.id, YES)).approved


async def test_a_form_is_taken_once_for_each_time_it_was_asked(tmp_path: Path) -> None:
    """A run that crashed and reads the same answer again does not count it for the next question."""
    approvals, one = await asked(LocalFolder(tmp_path))
    refused = await approvals.take(one.id, Answer.of(True, "Ada Lovelace", ""), 0)
    assert (refused.status, refused.turn) == ("open", 1)
    assert "changed the data" in refused.refusal

    assert await approvals.take(one.id, Answer.of(True, "Ada Lovelace", ""), 0) == refused
    assert await approvals.take(one.id, YES, 0) == refused
    assert (await approvals.take(one.id, YES, 1)).approved


@pytest.mark.parametrize("change", ["benchmark", "expiry"])
async def test_it_can_be_too_late(tmp_path: Path, change: str) -> None:
    """Another model went live meanwhile, or time is up: it is closed, and the history tells it."""
    store = LocalFolder(tmp_path)
    expiry = {"expires_at": datetime(2026, 1, 1, tzinfo=UTC)} if change == "expiry" else {}
    approvals, one = await asked(store, **expiry)
    if change == "benchmark":
        new = Benchmark(model="models/9", model_name="m9", wer=0.1, words=9, testing_hash="t1", evidence="e")
        await Ledger(store, "places").append(
            News(kind="release", flow_run="", revision=""), lambda _: {"benchmark": new}
        )

    with pytest.raises(Mistake, match="is closed: "):
        await approvals.decide(one.id, YES)
    assert (await approvals.take(one.id, YES, 0)).approved is None
    assert [facts["decision"] for facts in await approvals_told(store)] == [
        "stale" if change == "benchmark" else "expired"
    ]
    assert await open_requests(store, "places") == []


async def test_an_approval_is_used_once_and_a_rejection_never(tmp_path: Path) -> None:
    """Noting it twice, after a crash, does no harm."""
    approvals, one = await asked(LocalFolder(tmp_path))
    await approvals.use(one.id)
    assert (await approvals.find(one.id)) == one
    await approvals.decide(one.id, YES)
    for _ in range(2):
        await approvals.use(one.id)

    used = await approvals.find(one.id)
    assert used
    assert (used.status, used.approved) == ("used", True)


async def test_requests_are_found_by_track(tmp_path: Path) -> None:
    """What an operator names may be anything; only an id opens a file."""
    store = LocalFolder(tmp_path)
    approvals, one = await asked(store)
    await Ledger(store, "bus").append(News(kind="testing-update", flow_run="", revision=""))

    assert await open_requests(store, "places") == [one]
    assert await tracks_with_requests(store) == ["places"]
    for wrong in ("", "../state", "0" * 16):
        assert await approvals.find(wrong) is None
    with pytest.raises(Mistake, match=f"has no request {'0' * 16}"):
        await approvals.decide("0" * 16, YES)


async def test_a_damaged_request_is_a_clear_mistake(tmp_path: Path) -> None:
    """With the file, and what to do."""
    store = LocalFolder(tmp_path)
    approvals, one = await asked(store)
    await store.write(f"tracks/places/approvals/{one.id}.json", b"{}")

    with pytest.raises(Mistake, match=rf"approvals/{one.id}.json in the store .* cannot be read"):
        await approvals.find(one.id)


async def test_what_was_rejected_cannot_go_live_without_a_new_approval(tmp_path: Path) -> None:
    """Even if the verdict is older than the settings that ask for one."""
    ruling, store = decision_of(sample(utterances=12, speakers=6)).ruling, LocalFolder(tmp_path)
    track = ruling.subject.track.name
    await require_approval(store, ruling, "v1", "", begun=False)
    approvals = Approvals(store, track, sleep=no_sleep)
    one = await approvals.open(request(datetime.now(UTC), track=track, model=ruling.subject.candidate))

    for _ in range(2):
        with pytest.raises(Mistake, match="there is none for this model and this verdict"):
            await require_approval(store, ruling, "v1", "", begun=False)
        with pytest.raises(Mistake, match="its approval is"):
            await require_approval(store, ruling, "v1", one.id, begun=False)
        if not (await approvals.find(one.id)).is_over:  # type: ignore[union-attr]
            await approvals.decide(one.id, Answer.of(False, "Grace Hopper", "no"))
    await require_approval(store, ruling, "v1", "", begun=True)
    await require_approval(store, ruling, "another verdict", "", begun=False)


async def test_a_store_that_is_full_is_a_clear_mistake(tmp_path: Path) -> None:
    """Nothing is decided, and the message says what to mend."""
    _, one = await asked(LocalFolder(tmp_path))

    with pytest.raises(Mistake, match=r"approvals/.*No space left on device"):
        await Approvals(IsFull(tmp_path), "places", sleep=no_sleep).decide(one.id, YES)
