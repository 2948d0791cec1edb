"""Data changed somewhere: start exactly what that concerns, once."""

from prefect import flow

from flows.naming import update_name
from tasks.orchestrator import crashes_when_cut_off
from tasks.results import NOT_KEPT
from tasks.source_changes import find_change, plan_change, plan_retest, settle_change
from tasks.starting import Names, Started, start_runs
from tasks.turns import take_turn
from tasks.update_reports import DataUpdate, report_update


@flow(
    name="data-update",
    description="Looks at what is new in a data source, and starts testing-update and training-update for the tracks that "
    "it concerns. Does not wait for them. Without anything new it starts nothing, so it may be started at any time.",
    flow_run_name=update_name,
    **NOT_KEPT,
)
@crashes_when_cut_off
async def data_update(
    source: str, ref: str = "", delivery: str = "", speech: str = "speechops", store: str = "speechops"
) -> DataUpdate:
    """Start what a change of the data asks for.

    Args:
        source: Name of the data source: of its Git Data or Blob Data block.
        ref: Full name of a branch or tag, such as refs/tags/baseline/taxi; left empty, what the source follows.
        delivery: The web hook's delivery that told of the change. A tag asks for a new test once per delivery; left empty,
            once per run of this flow.
        speech: Name of the Speech Resource block.
        store: Name of the store's block.
    """
    await take_turn(f"source:{source}", tags=[f"delivery:{delivery}"] if delivery else [])
    names = Names(source=source, speech=speech, store=store)
    started = await (retest(ref, delivery, names) if ref.startswith("refs/tags/") else catch_up(ref, names))
    return await report_update(DataUpdate(source=source, ref=ref, started=tuple(started)))


async def catch_up(ref: str, names: Names) -> list[Started]:
    """Start what is new, after what an interrupted run left behind."""
    change = await find_change(names.source, ref, names.store)
    if not change.cursor.aim:
        return [Started(notes=(change.note,))] if change.note else []
    started = await start_runs(await plan_change(change, names.store), names)
    await settle_change(change, names.store)
    return [started] if change.is_newest else [started, *await catch_up(ref, names)]


async def retest(ref: str, delivery: str, names: Names) -> list[Started]:
    """Start the tests that a tag asks for."""
    return [await start_runs(await plan_retest(names.source, ref, delivery, names.store), names)]
