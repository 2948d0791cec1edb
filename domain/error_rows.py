"""Word errors of very many pairs of texts, as numbers alone: the lean way, when nobody asks for words or alignments."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.alignment import DELETION, INSERTION, SUBSTITUTION, alignments


def error_rows(references: Sequence[str], hypotheses: Sequence[str]) -> NDArray[np.int32]:
    """Word errors of many pairs of texts that are already normalised.

    Returns:
        One row per pair: reference words, substitutions, deletions, insertions. Add rows up; never average rates.

    >>> error_rows(["take me to qasba", ""], ["take me to cause bar", "hm"]).sum(axis=0).tolist()
    [4, 1, 0, 2]

    Raises:
        Mistake: more than 5,000,000 pairs, or more than 300,000 words in one text.
    """
    rows = np.empty((len(references), 4), dtype=np.int32)
    for place, letters in enumerate(alignments(references, hypotheses)):
        inserted = letters.count(INSERTION)
        rows[place] = len(letters) - inserted, letters.count(SUBSTITUTION), letters.count(DELETION), inserted
    return rows
