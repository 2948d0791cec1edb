"""Is what is live still the best that we know? A scheduled look at the live model, its endpoint and what it rests on."""

from prefect import flow
from prefect.runtime import flow_run

from domain.rollback import earlier
from domain.ruling import ModelRef
from domain.track import check_name
from domain.watch.commands import Commands
from domain.watch.findings import Part, WatchReport
from domain.watch.previous import is_better, previous_finding
from flows.naming import watch_name
from flows.rollback import rollback
from flows.watch_parts import Testing, Watch, looked, looks, prepared, said, settled, sweep
from tasks.lines import speech_of
from tasks.orchestrator import crash_if_cut_off, crashes_when_cut_off
from tasks.results import NOT_KEPT
from tasks.turns import take_turn
from tasks.watch_accuracy import judge_previous
from tasks.watch_records import read_record
from tasks.watch_reports import publish_watch, report_watch

_MAY_GO_BACK = {"accuracy", "silent-fallback", "other-answers"}
"""Findings after which the release before may be better."""


@flow(
    name="watch",
    description="Looks after the live model: accuracy on the current testing data, which model really answers, when models "
    "end, newer base models. Tells people by events, an artifact and the track's page; goes back by itself only if "
    "the track says so.",
    flow_run_name=watch_name,
    **NOT_KEPT,
)
@crashes_when_cut_off
async def watch(
    track: str,
    revision: str = "",
    data: str = "data",
    source: str = "",
    speech: str = "speechops",
    store: str = "speechops",
    transcripts: str = "",
) -> WatchReport:
    """Look after a track's live model.

    It has a queue of its own: a fallback must be found today, not when a long training is over.

    Args:
        track: Name of the track: a folder with a track.toml, inside the data folder.
        revision: What to call this state of the data; left empty, the git commit.
        data: Folder that holds the tracks; a relative path starts in the project's folder.
        source: Name of a Git Data or Blob Data block; left empty, the folder `data` is read.
        speech: Name of the Speech Resource block.
        store: Name of the store's block.
        transcripts: Folder of the store with production transcripts in its folders `now` and `before`, and those of the base
            model in `base`; left empty, production is not looked at.
    """
    check_name(track)
    await take_turn(f"watch:{track}")
    speech = await speech_of(store, track, speech)
    commands = Commands(track=track, data=data, source=source, speech=speech, store=store)
    left = await settled(commands)
    record = await read_record(store, track)
    if record is None:
        return await report_watch(store, await publish_watch(store, track, revision, "", [left]))
    now = Watch(record, commands, str(flow_run.id), await prepared(commands, revision, record), transcripts)
    parts = [left, *await looks(now)]
    undone, back_to = await undone_if_worse(now, parts)
    await sweep(now)
    tested = now.testing.snapshot if isinstance(now.testing, Testing) else None
    report = await publish_watch(
        store, track, tested.revision if tested else revision, record.release.model_name, [*parts, *undone],
        testing_hash=tested.testing.content_hash if tested else "", back_to=back_to,
    )  # fmt: skip
    return await report_watch(store, report)


async def undone_if_worse(watch: Watch, parts: list[Part]) -> tuple[list[Part], str]:
    """Go back to the release before, if the track's policy wants that, something is wrong, and it is better beyond chance.

    Returns:
        What was looked at, and the release that is live again; nothing and empty when nothing was to be done.
    """
    wrong = next((one for part in parts for one in part.findings if one.kind in _MAY_GO_BACK), None)
    if wrong is None or watch.settings.rollback == "never":
        return [], ""
    part = await looked("the release before", go_back_if_better(watch, wrong.title), watch.commands)
    return [part], next((str(one.facts["live_again"]) for one in part.findings if one.facts.get("live_again")), "")


async def go_back_if_better(watch: Watch, reason: str) -> Part:
    """ONE evaluation of the live model and the one before on the current testing data; then a rollback, or none."""
    name, target = "the release before", next(iter(earlier(watch.record.state, watch.record.release.model)), None)
    if target is None:
        return Part(name=name, told="there is none")
    subject = watch.subject(watch.record.release.ref, ModelRef(path=target.model, name=target.model_name))
    gain = await judge_previous(watch.store, subject, await watch.measured(subject))
    if not is_better(gain):
        return Part(
            name=name, told=f"{target.told} is not better, beyond chance, than what is live: nothing was undone"
        )
    try:
        await rollback(
            watch.commands.track, target.handle, reason=reason, by="watch", speech=watch.speech, store=watch.store
        )
        undone = ""
    except Exception as error:
        crash_if_cut_off(error)
        undone = said(error)
    found = previous_finding(target, gain, undone=undone, commands=watch.commands)
    return Part(name=name, told=found.detail, findings=(found,))
