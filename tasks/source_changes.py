"""What is new in a data source since everything was started for it."""

from prefect import task
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict

from domain.mistakes import Mistake
from domain.plan import Plan
from domain.pushes import Push, PushRules, why_ignored
from tasks.blocks import load_store
from tasks.cursors import Cursor, Cursors
from tasks.data_source import DataSource
from tasks.retrying import REMOTE
from tasks.sources import load_source
from tasks.store_errors import StoreTrouble


class Change(BaseModel):
    """What is to be started next; without an aim nothing is, and the note may say why.

    `is_newest` is false for what an earlier run left behind: then there may be more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: Cursor
    is_newest: bool = True
    note: str = ""


@task(name="find-change", description="What is new, or was begun and not finished?", **REMOTE)
async def find_change(source: str, ref: str, store: str) -> Change:
    """Compare the source with how far it is worked off, and note what comes next before anything is started for it.

    Raises:
        Mistake: there is no such source or ref, or it cannot be read with these settings.
    """
    data = await load_source(source, store)
    if ignored := _ignored(ref, data.rules):
        return Change(cursor=Cursor(source=source, ref=ref), note=ignored)
    ref = _followed(ref, data.rules)
    newest = await data.newest(ref)
    cursor = await Cursors(await load_store(store), source, ref).aim(newest)
    get_run_logger().info("'%s' is at %s, and worked off to %s", source, newest, cursor.revision or "nothing")
    return Change(cursor=cursor, is_newest=not cursor.aim or cursor.aim == newest)


@task(name="plan-change", description="Which tracks changed, and which flows that concerns.", **REMOTE)
async def plan_change(change: Change, store: str) -> Plan:
    """Plan the runs of a change. One that an earlier run left behind, and that is gone, is given up; all is looked at anew.

    Raises:
        Mistake: the source cannot be read with these settings.
    """
    cursor = change.cursor
    data = await load_source(cursor.source, store)
    occasion = f"{store} {cursor.source} {cursor.ref} {cursor.generation}"
    try:
        return await data.plan(cursor.revision, cursor.aim, occasion)
    except StoreTrouble:
        raise  # what cannot be read is not gone
    except Mistake as mistake:
        if change.is_newest:
            raise
        return await _given_up(cursor, store, mistake)


@task(name="settle-change", description="Note that everything is started for it.", **REMOTE)
async def settle_change(change: Change, store: str) -> None:
    """Move the cursor, unless somebody else has."""
    cursor = change.cursor
    await Cursors(await load_store(store), cursor.source, cursor.ref).settle(cursor)


@task(name="plan-retest", description="Which tracks the tag asks to be tested anew.", **REMOTE)
async def plan_retest(source: str, ref: str, delivery: str, store: str) -> Plan:
    """Plan the runs that a tag asks for: again for each delivery and, without one, for each run of this flow.

    Raises:
        Mistake: there is no such source or tag, or it cannot be read with these settings.
    """
    data: DataSource = await load_source(source, store)
    if ignored := _ignored(ref, data.rules):
        return Plan(notes=(ignored,))
    occasion = f"{store} {source} {delivery or flow_run.id}"
    return await data.plan_retest(await data.newest(ref), ref.removeprefix("refs/tags/"), occasion)


def _ignored(ref: str, rules: PushRules) -> str:
    """Why a ref starts nothing; a push to it may have been told by anybody."""
    return why_ignored(Push(ref, before="?", after="?"), rules) if ref else ""


def _followed(ref: str, rules: PushRules) -> str:
    """The branch that a source follows has one cursor, whether it is named or not."""
    return "" if rules.branches == (ref.removeprefix("refs/heads/"),) else ref


async def _given_up(cursor: Cursor, store: str, mistake: Mistake) -> Plan:
    get_run_logger().warning(
        "What an earlier run was about to start is gone, so that all is looked at anew: %s", mistake
    )
    await Cursors(await load_store(store), cursor.source, cursor.ref).forget(cursor)
    return Plan(notes=(f"{cursor.aim[:12]} is gone, so everything is looked at anew",))
