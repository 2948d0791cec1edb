"""Counts per block: recordings of one folder may be of one speaker or day, and are no independent witnesses."""

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from domain.production.measures import MEASURES
from domain.production.recording import Heard, Vocabulary
from domain.significance.draws import resampled

Matrix = npt.NDArray[np.float64]
Unit = Literal["folder", "recording"]

MOST = 2_000
"""More blocks are dealt into so many bundles, of one size in both periods."""
_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Sums:
    """Both periods: shape (blocks, 2 x measures), whole numbers, above and below the line for each measure."""

    before: Matrix
    now: Matrix
    unit: Unit
    found: tuple[int, int]
    """Blocks of both periods, before any were bundled."""

    @property
    def fewest(self) -> int:
        """Blocks of the smaller period, as they are compared."""
        return min(len(self.before), len(self.now))


def sums_of(now: Sequence[Heard], before: Sequence[Heard], vocabulary: Vocabulary | None) -> Sums:
    """The counts of both periods; folders are the blocks if both periods have them."""
    foldered = all(any(one.folder for one in period) for period in (now, before))
    unit: Unit = "folder" if foldered else "recording"
    blocks = [list(_blocks(period, unit, vocabulary)) for period in (before, now)]
    size = -(-sum(map(len, blocks)) // MOST) or 1
    earlier, later = (_bundled(each, size) for each in blocks)
    return Sums(earlier, later, unit, (len(blocks[0]), len(blocks[1])))


def _blocks(period: Sequence[Heard], unit: Unit, vocabulary: Vocabulary | None) -> Iterator[list[int]]:
    """In the order of their names' hashes: neighbours are often alike, and the order of files must not matter."""
    groups: dict[str, list[list[int]]] = defaultdict(list)
    for one in period:
        row = [number for measure in MEASURES.values() for number in measure.count(one, vocabulary)]
        groups[(one.folder or one.name) if unit == "folder" else one.name].append(row)
    for name in sorted(groups, key=lambda name: (zlib.crc32(name.encode()), name)):
        yield [sum(column) for column in zip(*groups[name], strict=True)]


def _bundled(blocks: list[list[int]], size: int) -> Matrix:
    columns = np.array(blocks, dtype=np.float64).reshape(len(blocks), 2 * len(MEASURES))
    if size == 1 or not blocks:
        return columns
    whole = len(blocks) // size * size  # what is left over would be a bundle of another size
    bundles: Matrix = columns[:whole].reshape(-1, size, columns.shape[1]).sum(axis=1)
    return bundles


def rates(sums: Matrix) -> Matrix:
    """Sums (shape (…, 2 x measures)) to rates (shape (…, measures)); NaN without evidence."""
    above, below = sums[..., 0::2], sums[..., 1::2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def resampled_changes(sums: Sums, resamples: int, seed: int) -> Matrix:
    """The change of each rate when blocks are drawn with replacement in both periods: shape (resamples, measures)."""
    later = rates(resampled(sums.now, resamples, seed))
    return later - rates(resampled(sums.before, resamples, seed + 1))


def exchanged_changes(sums: Sums, draws: int, seed: int) -> Matrix:
    """The change of each rate when blocks are dealt to the periods by chance: shape (draws, measures)."""
    pooled, later = np.concatenate([sums.now, sums.before]), len(sums.now)
    total, stream = pooled.sum(axis=0), np.random.PCG64(seed)
    changes = []
    for rows in _parts(len(pooled), draws):
        keys = stream.random_raw(rows * len(pooled)).reshape(rows, len(pooled))
        chosen = np.argpartition(keys, later - 1, axis=1)[:, :later]
        picked = np.zeros((rows, len(pooled)))
        np.put_along_axis(picked, chosen, 1.0, axis=1)
        drawn = picked @ pooled
        changes.append(rates(drawn) - rates(total - drawn))
    return np.concatenate(changes)


def _parts(blocks: int, draws: int) -> Iterator[int]:
    largest = max(1, _AT_ONCE // blocks)
    for start in range(0, draws, largest):
        yield min(largest, draws - start)
