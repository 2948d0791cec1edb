"""NIST's matched-pairs sentence-segment word error test, from alignments.

Source: Gillick and Cox, "Some Statistical Issues in the Comparison of Speech Recognition Algorithms" (1989), as
`sc_stats` of NIST's SCTK computes it: segments end where both systems have two words right, or the utterance ends.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from domain.alignment import HIT, INSERTION
from domain.comparison import Comparison
from domain.significance.blocks import Integers, pairs_of
from domain.significance.intervals import rounded
from domain.significance.student import NORMAL

_BETWEEN = "HHH"
"""Words that both have right, put between utterances: they end any segment."""


@dataclass(frozen=True, slots=True)
class MatchedPairs:
    """NIST's matched-pairs sentence-segment word error test (MAPSSWE)."""

    segments: int
    mean: float
    """Errors that the candidate saves per segment. Its sign is the test's direction."""
    deviation: float
    z: float | None
    """Positive: the candidate makes fewer errors. None when no segment differs."""
    p: float
    """Two-sided."""


def matched_pairs(comparison: Comparison) -> MatchedPairs:
    """MAPSSWE of benchmark and candidate, on utterances that both have.

    It asks whether the candidate is better on these speakers, `gain_of` whether it will be on others.
    """
    benchmark, candidate = pairs_of(comparison)
    return matched_alignments((one.alignment for one in benchmark), (one.alignment for one in candidate))


def matched_alignments(benchmark: Iterable[str], candidate: Iterable[str]) -> MatchedPairs:
    """MAPSSWE of two systems' alignments (letters of H, S, D, I) of the same utterances in the same order.

    >>> matched_alignments(["HHSHHHDHH"], ["HHHHHHDHH"])
    MatchedPairs(segments=2, mean=0.5, deviation=0.7071067811865476, z=1.0, p=0.317311)
    """
    return _tested(_segment_gains(_positions(benchmark), _positions(candidate)))


def _positions(alignments: Iterable[str]) -> Integers:
    """Where the errors are, in order: word k at 2k + 1, insertions before it at 2k."""
    letters = np.frombuffer(_BETWEEN.join(alignments).encode("ascii"), np.uint8)
    wrong = np.flatnonzero(letters != ord(HIT))
    inserted = letters[wrong] == ord(INSERTION)
    spoken = wrong + 1 - np.cumsum(inserted)
    positions: Integers = 2 * spoken - np.where(inserted, 0, 1)
    return positions


def _segment_gains(benchmark: Integers, candidate: Integers) -> Integers:
    positions = np.concatenate([benchmark, candidate])
    order = np.argsort(positions, kind="stable")
    place, saved = positions[order], np.where(order < len(benchmark), 1, -1)
    starts = place[1:] // 2 - (place[:-1] + 1) // 2 >= 2
    first = np.flatnonzero(np.concatenate([[True], starts])[: len(place)])
    return np.add.reduceat(saved, first) if len(place) else saved


def _tested(gains: Integers) -> MatchedPairs:
    if not gains.any():
        return MatchedPairs(len(gains), 0.0, 0.0, None, 1.0)
    count, total, squares = len(gains), int(gains.sum()), int((gains * gains).sum())
    mean, spread = total / count, count * squares - total * total
    if not spread:
        return _unanimous(count, mean)
    deviation = math.sqrt(spread / (count * (count - 1)))
    z = mean / (deviation / math.sqrt(count))
    return MatchedPairs(count, mean, deviation, z, rounded(math.erfc(abs(z) / math.sqrt(2))))


def _unanimous(count: int, mean: float) -> MatchedPairs:
    """All segments differ alike, so there is no deviation to divide by: a sign test says how odd that is."""
    one_sided = 0.5 ** min(count, 1_000)
    return MatchedPairs(count, mean, 0.0, math.copysign(-NORMAL.inv_cdf(one_sided), mean), rounded(2 * one_sided))
