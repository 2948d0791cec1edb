"""Random draws that are the same on every machine and with every numpy: from the raw integers of PCG64.

numpy promises that a seed's integer stream never changes, but not how its distributions use it, so those are ours.
All that is multiplied here is a whole number far below 2**53: floating point is exact, whatever the order of sums.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_AT_ONCE = 1 << 20
"""Numbers that are in memory at the same time."""
EXACT_FLIPS = 13
"""Up to so many blocks every way to flip signs is looked at: 8,192 of them."""


def resampled(columns: Matrix, resamples: int, seed: int) -> Matrix:
    """Sums of each column over blocks drawn with replacement, as many as there are.

    Args:
        columns: shape (blocks, columns), whole numbers.
        resamples: how many times blocks are drawn.
        seed: equal seeds, equal draws.

    Returns:
        Shape (resamples, columns).
    """
    blocks = len(columns)
    return np.concatenate([_counts(chosen, blocks) @ columns for chosen in _chosen(blocks, resamples, seed)])


def _chosen(blocks: int, resamples: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    stream = np.random.PCG64(seed)
    for rows in _parts(blocks, resamples):
        halves = stream.random_raw((rows * blocks + 1) // 2).astype("<u8").view("<u4")[: rows * blocks]
        yield (halves.astype(np.int64) * blocks >> 32).reshape(rows, blocks)


def _counts(chosen: npt.NDArray[np.int64], blocks: int) -> Matrix:
    rows = len(chosen)
    cells = (chosen + np.arange(rows)[:, None] * blocks).ravel()
    return np.bincount(cells, minlength=rows * blocks).reshape(rows, blocks).astype(np.float64)


def flipped(columns: Matrix, resamples: int, seed: int) -> Matrix:
    """Sums of each column over subsets of blocks: those whose sign flips.

    The empty subset, which flips nothing, comes first. Then all others, or for more than `EXACT_FLIPS` blocks
    `resamples` random ones.

    Returns:
        Shape (subsets, columns).
    """
    blocks = len(columns)
    if blocks <= EXACT_FLIPS:
        return _all_subsets(blocks) @ columns
    sums = [subsets @ columns for subsets in _subsets(blocks, resamples, seed)]
    return np.concatenate([np.zeros((1, columns.shape[1])), *sums])


def _all_subsets(blocks: int) -> Matrix:
    return ((np.arange(1 << blocks)[:, None] >> np.arange(blocks)) & 1).astype(np.float64)


def _subsets(blocks: int, resamples: int, seed: int) -> Iterator[Matrix]:
    stream = np.random.PCG64(seed)
    for rows in _parts(blocks, resamples):
        raw = stream.random_raw((rows * blocks + 63) // 64).astype("<u8").view(np.uint8)
        yield np.unpackbits(raw)[: rows * blocks].reshape(rows, blocks).astype(np.float64)


def _parts(blocks: int, resamples: int) -> Iterator[int]:
    largest = max(1, _AT_ONCE // max(1, blocks))
    for start in range(0, resamples, largest):
        yield min(largest, resamples - start)
