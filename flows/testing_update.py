"""Testing data changed: how good is the benchmark model on them?"""

from prefect import flow

from domain.promotion import refuse_promoted
from domain.ruling import Report, Work
from flows.naming import run_name
from tasks.datasets import await_datasets, start_datasets
from tasks.evaluations import measure
from tasks.lost_history import check_history
from tasks.models import choose_base
from tasks.orchestrator import crashes_when_cut_off
from tasks.reports import report_measurement
from tasks.results import KEPT
from tasks.rulings import check_measurement, read_state, record_benchmark
from tasks.snapshots import subject_of, take_snapshot
from tasks.turns import take_turn


@flow(
    name="testing-update",
    description="Re-tests the benchmark model (or, with none yet, the base model) on the track's testing data and "
    "records its WER. Never deploys.",
    flow_run_name=run_name,
    **KEPT,
)
@crashes_when_cut_off
async def testing_update(
    track: str,
    revision: str = "",
    data: str = "data",
    source: str = "",
    speech: str = "speechops",
    store: str = "speechops",
) -> Report:
    """Measure the benchmark model on the current testing data.

    Args:
        track: Name of the track: a folder with a track.toml, inside the data folder.
        revision: What to call this state of the data; left empty, the git commit.
        data: Folder that holds the tracks; a relative path starts in the project's folder.
        source: Name of a Git Data or Blob Data block; left empty, the folder `data` is read.
        speech: Name of the Speech Resource block.
        store: Name of the store's block.
    """
    await take_turn(f"track:{track}")
    await check_history(speech, store, track)
    snapshot = await take_snapshot(track, data, revision, store, training=False, source=source)
    state = await read_state(store, track)
    refuse_promoted(track, state.speech)
    base = await choose_base(speech, snapshot, state)
    subject = subject_of(snapshot, base.ref, benchmark=base.ref, candidate=state.benchmark_or(base.ref))
    datasets = await start_datasets(speech, store, snapshot.track, snapshot.revision, [snapshot.testing])
    await await_datasets(speech, snapshot.track, datasets, datasets[0])
    measurement, evaluated = await measure(speech, store, subject, datasets[0])
    work = Work(uploaded=sum(dataset.created for dataset in datasets), evaluated=evaluated)
    decision = await check_measurement(store, subject, measurement, work)
    recorded = await record_benchmark(store, decision)
    return await report_measurement(speech, store, decision.model_copy(update={"settled": not recorded}))
