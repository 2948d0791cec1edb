"""The end of the demo: the last release of the second track is taken back, as the person on call would do it."""

from dataclasses import dataclass
from time import monotonic

from prefect.client.orchestration import PrefectClient

from deployments.demo_page import DemoPage
from deployments.demo_repository import SECOND_TRACK
from deployments.flow_runs import run_to_end
from deployments.stack import Stack
from domain.ledger import Release, State
from domain.mistakes import Mistake
from tasks.ledger import Ledger
from tasks.lineage import read_why
from tasks.store import LocalFolder

_ROLLBACK = "rollback/speechops"
_REASON = "A drill: guides say that the new model mishears them"
_BY = "speechops demo"


@dataclass(frozen=True, slots=True)
class Undone:
    """The release that is live again, the version that was taken back, how many seconds that took (None: done before)."""

    release: Release
    version: str
    seconds: float | None


async def undo(client: PrefectClient, stack: Stack, page: DemoPage) -> Undone:
    """Take the second track's last release back, unless an earlier play has done so, and say why the rest is live.

    Raises:
        Mistake: the rollback failed.
    """
    page.undoing(f"speechops rollback {SECOND_TRACK}", _REASON)
    store = LocalFolder(stack.home.store)
    head, seconds = await Ledger(store, SECOND_TRACK).state(), None
    if not _is_undone(head):
        began = monotonic()
        wish = {"track": SECOND_TRACK, "reason": _REASON, "by": _BY}
        run = await run_to_end(client, _ROLLBACK, wish, page.task)
        seconds = round(monotonic() - began, 1)
        head = await Ledger(store, SECOND_TRACK).state()
        if not _is_undone(head):
            told = run.state.message if run.state else ""
            raise Mistake(f"the release could not be taken back: {run.state_name}: {told}")
    if head.release is None:
        raise RuntimeError("a rollback leaves a release")
    done = Undone(head.release, head.withdrawn[0].version, seconds)
    page.undone(done.release, done.version, seconds)
    page.why(SECOND_TRACK, await read_why(store, SECOND_TRACK))
    return done


def _is_undone(head: State) -> bool:
    return head.release is not None and head.release.kind == "rollback" and bool(head.withdrawn)
