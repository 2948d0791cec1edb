"""Sorted tables of n-grams, each packed into one integer with the newest symbol in the highest bits."""

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def find(table: Keys, keys: Keys) -> Indices:
    """Index of each key in the sorted table, or -1.

    >>> find(np.array([3, 5, 8]), np.array([8, 4])).tolist()
    [2, -1]
    """
    if not len(table):
        return np.full(len(keys), -1)
    at = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return np.where(table[at] == keys, at, -1)


def merge(table: Keys, more: Keys) -> Keys:
    """Put keys that the sorted table lacks into their places; both are sorted and without repeats.

    >>> merge(np.array([3, 5, 8]), np.array([4, 5])).tolist()
    [3, 4, 5, 8]
    """
    new = more[find(table, more) < 0]
    return np.insert(table, np.searchsorted(table, new), new)
