"""Runs that wait for a person, on a real Prefect server: suspended, resumed by the form or by the command, run again.

The flow only asks: what comes before and after is the business of test_approved_release.py.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import SetStateStatus
from prefect.states import Cancelled

import tasks.windows
from deployments.answering import approve
from domain.approval import Answer, Hold
from domain.ledger import News
from domain.mistakes import Mistake
from domain.release_policy import ApprovalSettings, ReleaseSettings
from domain.ruling import Decision
from domain.window import WindowSettings
from flows.consent import consent
from flows.deploy import deploy
from tasks.approvals import Approvals
from tasks.blocks import LocalStore
from tasks.ledger import Ledger
from tasks.results import KEPT
from tasks.store import LocalFolder
from tasks.windows import plan_release
from tests.domain.report_samples import decision_of, sample
from tests.flows.approval_kit import YES, deployed, read, resumed, started, worked_on

ASKS = ReleaseSettings(approval=ApprovalSettings(required=True))
DECISION = decision_of(sample(utterances=12, speakers=6))
TRACK = DECISION.ruling.subject.track.name


@flow(**KEPT)
async def asks(digest: str) -> str:
    """Ends with the approval's id, or with the reason why there is none."""
    decision = Decision(digest=digest, ruling=DECISION.ruling)
    given = await consent(decision, ASKS, "speechops", "speechops", authors=("Ada Lovelace <ada@example.org>",))
    return f"{given.name}: {given.message}" if isinstance(given, Hold) else given


class Asked:
    """A run of the flow, and the store with its request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LocalFolder(folder)
        self.approvals = Approvals(self.store, TRACK)
        self.run = UUID(int=0)

    async def start(self, digest: str = "v1") -> None:
        """Until it is suspended."""
        self.run = await started(asks, {"digest": digest})
        assert (await worked_on(asks, self.run)).name == "Suspended"

    async def goes_on(self) -> str:
        """What the run returns."""
        return str(await (await worked_on(asks, self.run)).aresult())

    async def answered(self, form: dict[str, object] | None) -> str:
        """What the run returns after the form."""
        assert (await resumed(self.run, form)).status == SetStateStatus.ACCEPT
        return await self.goes_on()

    async def told(self) -> list[tuple[str, str]]:
        """What the history says: the decision, and by whom."""
        history = await Ledger(self.store, TRACK).history()
        return [(entry.facts["decision"], entry.facts["by"]) for entry in history if entry.kind == "approval"]


@pytest.fixture
async def asked(tmp_path: Path) -> Asked:
    """A run that waits."""
    await LocalStore(folder=tmp_path / "store").asave("speechops", overwrite=True)
    (tmp_path / "store").mkdir()
    asked = Asked(tmp_path / "store")
    await asked.start()
    return asked


async def test_who_approves_lets_the_run_go_on(asked: Asked) -> None:
    """The answer stands in the store and in the history. A second click finds the run resumed."""
    (request,) = await asked.approvals.all()
    details = (await read(asked.run)).state
    assert details
    assert details.state_details.pause_timeout
    assert abs(details.state_details.pause_timeout - request.expires_at) < timedelta(seconds=5)
    assert await asked.answered(YES) == request.id
    assert (await resumed(asked.run, YES | {"approve": False})).status == SetStateStatus.ABORT

    (decided,) = await asked.approvals.all()
    assert decided.outcome.startswith("approved by Grace Hopper")
    assert await asked.told() == [("approved", "Grace Hopper")]


async def test_who_rejects_ends_the_run(asked: Asked) -> None:
    """With the reason."""
    assert (await asked.answered(YES | {"approve": False, "reason": "sounds odd"})).startswith("Rejected: ")
    assert await asked.told() == [("rejected", "Grace Hopper")]


async def test_an_answer_that_does_not_count_is_asked_for_again(asked: Asked) -> None:
    """A form that nobody filled in, and the author's own: each time the run waits again, and says why."""
    for form, why in ((None, "names nobody"), ({"approve": True, "approver": "ada@example.org"}, "changed the data")):
        await resumed(asked.run, form)
        assert (await worked_on(asks, asked.run)).name == "Suspended"
        (request,) = await asked.approvals.all()
        assert why in request.refusal
        assert await asked.told() == []

    assert await asked.answered(YES) == request.id


async def test_an_answer_that_comes_too_late_does_not_count(asked: Asked) -> None:
    """Somebody clicked in time, but the run got on after it: nothing goes live."""
    (request,) = await asked.approvals.all()
    past = datetime(2026, 1, 1, tzinfo=UTC)
    await asked.approvals.change(request.id, lambda held, *_: held.model_copy(update={"expires_at": past}))

    assert (await asked.answered(YES)).startswith("Expired: ")
    assert await asked.told() == [("expired", "")]


async def test_an_approval_of_what_is_out_of_date_does_not_count(asked: Asked) -> None:
    """While the run waited, another model became the benchmark."""
    subject = DECISION.ruling.subject
    new = {
        "model": "models/9",
        "model_name": "m",
        "wer": 0.1,
        "words": 9,
        "testing_hash": subject.testing_hash,
        "evidence": "e",
    }
    await Ledger(asked.store, TRACK).append(
        News(kind="release", flow_run="", revision=""), lambda _: {"benchmark": new}
    )

    assert (await asked.answered(YES)).startswith("Stale: ")
    assert await asked.told() == [("stale", "")]


async def test_the_command_decides_and_the_run_goes_on(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    """What the store says counts; a form that comes later changes nothing."""
    (request,) = await asked.approvals.all()
    with pytest.raises(Mistake, match="changed the data"):
        await approve(request.id, Answer.of(True, "Ada Lovelace", ""), str(asked.folder))
    answer = Answer.of(True, "Grace Hopper", "heard it")

    assert (await approve(TRACK, answer, str(asked.folder))).endswith("goes on.")
    assert "was not resumed" in await approve(request.id, answer, str(asked.folder))
    with pytest.raises(Mistake, match="closed: approved by Grace Hopper"):
        await approve(request.id, answer.model_copy(update={"approve": False}), str(asked.folder))
    assert await asked.goes_on() == request.id
    assert await asked.told() == [("approved", "Grace Hopper")]


async def test_an_approval_for_a_run_that_is_over_is_refused(asked: Asked) -> None:
    """It was cancelled: nothing would go live, so nobody should think so."""
    async with get_client() as client:
        await client.set_flow_run_state(asked.run, Cancelled(), force=True)

    with pytest.raises(Mistake, match=r"is over \(Cancelled\): nothing would go live"):
        await approve(TRACK, Answer.of(True, "Grace Hopper", ""), str(asked.folder))
    assert await asked.told() == []


async def test_a_run_that_nobody_can_resume_says_how_to_start_it(asked: Asked) -> None:
    """Prefect suspends runs of deployments only."""
    with pytest.raises(Mistake, match=rf"prefect deployment run asks/speechops -p track={TRACK}"):
        await asks("v2")


async def test_without_a_deployment_of_deploy_a_closed_window_is_a_clear_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes live, and the message says what to do; in the morning it may."""
    monkeypatch.setattr(tasks.windows, "_DEPLOY", "deploy/nowhere")
    await LocalStore(folder=tmp_path).asave("speechops", overwrite=True)
    office = ReleaseSettings(window=WindowSettings(hours="09:00-16:00"))

    @flow
    async def waits() -> str | Hold:
        return await consent(DECISION, office, "speechops", "speechops")

    monkeypatch.setattr(tasks.windows, "now", lambda: datetime(2100, 1, 4, 20, tzinfo=UTC))
    with pytest.raises(Mistake, match=r"the release window is closed.*Run `speechops deploy`"):
        await waits()
    monkeypatch.setattr(tasks.windows, "now", lambda: datetime(2100, 1, 5, 9, tzinfo=UTC))
    assert await waits() == ""


async def test_a_release_is_planned_once_and_anew_when_it_was_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs training-update twice gets one release; whoever cancelled it and runs again gets one after all."""
    monkeypatch.setattr(tasks.windows, "now", lambda: datetime(2100, 1, 4, 20, tzinfo=UTC))
    await deployed(deploy)
    window = WindowSettings(hours="09:00-16:00")

    @flow
    async def plans() -> str:
        held = await plan_release(DECISION.ruling, str(tmp_path), "", window, "speechops", "speechops")
        assert held
        return held.message

    first = await plans()
    assert await plans() == first
    (run,) = re.findall(r"[0-9a-f-]{36}", first)
    async with get_client() as client:
        await client.set_flow_run_state(UUID(run), Cancelled(), force=True)
    anew = await plans()
    assert run not in anew
    assert await plans() == anew
