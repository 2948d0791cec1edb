"""Why a model is live, and what happened before, from the store alone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.approval import Request
from domain.ledger import Benchmark, News, Pending, Withdrawn
from domain.mistakes import Mistake
from domain.release_policy import ApprovalSettings
from domain.ruling import ModelRef
from domain.watch.findings import Finding, WatchReport
from tasks.lineage import read_history, read_why
from tests.tasks.lineage_kit import Lived, _two_releases, lived

__all__ = ["_two_releases", "lived"]

NOW = datetime.now(UTC)


def request(lived: Lived, verdict: str, **changes: object) -> Request:
    """A request for approval."""
    known = {
        "id": "ab" * 8, "track": lived.track, "flow_run": "r", "model": ModelRef(path="models/two", name="two"), "verdict": verdict,
        "summary": "", "revision": "bbbb11112222", "benchmark": "b", "testing_hash": "t", "authors": ("Ada <ada@example.org>",),
        "settings": ApprovalSettings(required=True), "asked_at": NOW, "expires_at": NOW + timedelta(hours=1),
    }  # fmt: skip
    return Request(**(known | changes))


async def keep(lived: Lived, one: Request) -> None:
    """Put it where the flows do."""
    await lived.store.write(f"tracks/{lived.track}/approvals/{one.id}.json", one.model_dump_json().encode())


async def test_the_answer_tells_data_verdict_and_what_was_replaced(lived: Lived) -> None:
    """All that the person on call asks first."""
    why = await read_why(lived.store, "places")

    assert why.live is not None
    assert why.live.version == "1.1.0"
    assert [one.kind for one in why.training] == ["Language", "Acoustic"]
    assert why.verdict is not None
    assert why.verdict.outcome == "PASS"
    assert why.verdict.candidate_wer == why.live.wer
    assert why.verdict.interval is not None
    assert why.replaced is not None
    assert why.replaced.version == "1.0.0"
    assert why.flow_run == "run-of-places-model-two"
    assert why.approval is None
    assert why.missing == ()


async def test_who_approved_stands_there_with_who_made_the_data(lived: Lived) -> None:
    """By the request's document; the history tells it when that is gone."""
    release = (await lived.ledger.state()).release
    assert release is not None
    asked = request(lived, release.evidence, status="used", approved=True, by="Bob", reason="heard it", decided_at=NOW)
    facts = {"id": asked.id, "decision": "approved", "by": "Bob", "reason": "heard it"}
    news = News(kind="approval", flow_run="r", revision="", facts=facts)
    await lived.ledger.append(news, lambda head: {"release": release.model_copy(update={"approval": asked.id})})

    by_history = await read_why(lived.store, "places")
    await keep(lived, asked)
    by_document = await read_why(lived.store, "places")

    assert by_history.approval is not None
    assert (by_history.approval.by, by_history.approval.reason) == ("Bob", "heard it")
    assert by_document.approval is not None
    assert (by_document.approval.by, by_document.authors) == ("Bob", ("Ada <ada@example.org>",))


async def test_what_is_not_as_it_should_be_is_part_of_the_answer(lived: Lived) -> None:
    """Under way, waiting, taken back, found by the watch."""
    withdrawn = Withdrawn(model="m", model_name="bad", recipe="r", version="0.9.0", reason="nonsense", at=NOW)
    pending = Pending(model_name="next", evidence="f" * 64)
    await lived.ledger.append(
        News(kind="x", flow_run="", revision=""), lambda _: {"pending": pending, "withdrawn": (withdrawn,)}
    )
    await keep(lived, request(lived, "f" * 64))
    found = Finding(
        kind="expired", severity="critical", title="places: it has ended", detail="", what_to_do="Train anew"
    )
    report = WatchReport(track="places", at=NOW, findings=(found,))
    await lived.store.write("tracks/places/watch.json", report.model_dump_json().encode())

    why = await read_why(lived.store, "places")

    assert why.pending == pending
    assert why.withdrawn == (withdrawn,)
    assert [one.status for one in why.waiting] == ["open"]
    assert why.findings == ("critical: places: it has ended. Train anew",)


@pytest.mark.parametrize("document", [b"{", b"[]", b'{"track": 7}'])
async def test_a_document_of_another_version_hides_nothing_else(lived: Lived, document: bytes) -> None:
    """What the watch or an approval wrote cannot be read: the rest is told."""
    await lived.store.write("tracks/places/watch.json", document)
    await lived.store.write("tracks/places/approvals/x.json", document)

    assert (await read_why(lived.store, "places")).live is not None


async def test_lost_evidence_is_told_in_the_answer(lived: Lived) -> None:
    """What is known is told all the same."""
    release = (await lived.ledger.state()).release
    assert release is not None
    await lived.store.write(f"evidence/{release.evidence}/ruling.json", b"{}")

    why = await read_why(lived.store, "places")

    assert why.live == release
    assert why.verdict is None
    assert "is not what was stored" in why.missing[0]


async def test_an_unknown_track_is_told_with_those_that_are_known(lived: Lived) -> None:
    """A name that leads elsewhere is no track either."""
    for name in ("plaecs", "../places", "", "tracks/places"):
        with pytest.raises(Mistake, match=r"known: places"):
            await read_why(lived.store, name)


async def test_the_history_tells_releases_with_version_and_wer_and_rollbacks_with_who_and_why(lived: Lived) -> None:
    """The newest last; the newest few when that is asked for."""
    head = await lived.ledger.state()
    first = head.previous_releases[0]
    back = first.model_copy(update={"number": 3, "kind": "rollback", "reason": "nonsense", "by": "Ada"})
    facts = {"ruling": first.evidence, "model": first.model_name, "by": "Ada", "why": "nonsense"}
    benchmark = Benchmark(
        model=first.model, model_name=first.model_name, wer=0.2, words=9, testing_hash="t", evidence="e"
    )
    news = News(kind="rollback", flow_run="", revision="", facts=facts)
    await lived.ledger.append(news, lambda state: state.released(back, benchmark))

    history = await read_history(lived.store, "places")
    (last,) = (await read_history(lived.store, "places", 1)).lines

    assert [one.kind for one in history.lines] == [
        "training-update",
        "release",
        "training-update",
        "release",
        "rollback",
    ]
    assert [one.version for one in history.lines] == ["", "1.0.0", "", "1.1.0", "1.0.0"]
    assert (last.what, last.by, last.wer) == ("rolled back: release 3 is live: nonsense", "Ada", first.wer)
    assert history.entries == 5


async def test_a_long_history_is_read_side_by_side(lived: Lived) -> None:
    """A thousand entries in a store that takes its time for each."""
    at_once, most = 0, 0

    class Slow(type(lived.store)):
        async def read(self, key: str) -> object:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            found = await super().read(key)
            at_once -= 1
            return found

    for number in range(60):
        await lived.ledger.append(News(kind="watch", flow_run="", revision=str(number)))

    history = await read_history(Slow(lived.store.folder), "places")

    assert [one.number for one in history.lines] == list(range(1, 65))
    assert 8 < most <= 32
