"""What a track's data on disk would cost to work on: packed in a scratch folder, nothing is kept or uploaded."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from domain.cost import Cost, Dataset, Standing, costs
from domain.plan import FlowName, PlannedRun
from tasks.ledger import Ledger
from tasks.packing import PackedDataset, pack_testing, pack_training
from tasks.scratch import scratch_folder
from tasks.store import Store
from tasks.track_files import read_track


async def cost_of(data: Path, track: str, runs: Sequence[PlannedRun], store: Store) -> Mapping[FlowName, Cost]:
    """What the planned runs of one track would cost at most, by flow.

    Args:
        data: the folder of all tracks, on disk.
        track: the track's name.
        runs: what is planned for it.
        store: where earlier snapshots and the history are.

    Raises:
        Mistake: the track's settings or data have problems.
    """
    folder, settings = await asyncio.to_thread(read_track, data, track)
    ledger, trains = Ledger(store, track), any(run.flow is FlowName.TRAINING for run in runs)
    packed = await asyncio.to_thread(_packed, folder, settings.locale if trains else None)
    testing, *training = [await _known(one, store) for one in packed]
    standing = Standing(await ledger.state(), await ledger.history(), testing, training, settings.model.weight_percent)
    return costs(standing, runs)


def _packed(folder: Path, locale: str | None) -> tuple[PackedDataset, ...]:
    with scratch_folder() as scratch:
        testing = pack_testing(folder, Path(scratch, "testing")).dataset
        return (testing, *(pack_training(folder, Path(scratch, "training"), locale) if locale else ()))


async def _known(packed: PackedDataset, store: Store) -> Dataset:
    known = await store.exists(f"snapshots/{packed.content_hash}{packed.path.suffix}")
    return Dataset(packed.content_hash, packed.size, packed.seconds, known)
