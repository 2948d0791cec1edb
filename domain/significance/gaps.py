"""Whether the gap between groups of speakers widened: better on average may still be less fair."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

import numpy as np

from domain.comparison import Comparison
from domain.significance.blocks import BlockSums, Counts, Integers, bundled, counts_of, summed
from domain.significance.draws import Matrix, flipped
from domain.significance.gain import FEWEST, Gain, ratios
from domain.significance.intervals import Floats, Interval, check, rounded


def gap_change(
    comparison: Comparison,
    groups: Mapping[str, Set[str]],
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 1,
) -> Gain:
    """By how much the candidate narrows the gap between the group with the highest WER and that with the lowest.

    Negative is wider; `better_or_equal` is the one-sided probability of so much widening if the models are alike. It
    comes from swapping the two models' errors in random blocks, or in all possible ones, which is exact even where
    groups are equally hard; there a bootstrap finds next to nothing (docs/significance.md). The interval is what was
    observed less what swapping brings about. With fewer than five effective blocks in any group there is neither, and
    with fewer than two groups there is no gap.

    Args:
        comparison: both models.
        groups: a group's name to its utterances. Give only groups with enough evidence to judge.

    Raises:
        ValueError: `confidence` or `resamples` make no sense.
    """
    check(confidence, resamples)
    counts = counts_of(comparison, frozenset().union(*groups.values()))
    sums = [one for one in _group_sums(counts, groups) if one.total]
    value = float(_narrowing(_columns(sums).sum(axis=0, keepdims=True))[0]) if len(sums) > 1 else 0.0
    found = Gain(value, None, None, "too few blocks", _distinct(counts), int(counts.words.sum()), unit=counts.unit)
    if len(sums) < 2 or min(one.effective for one in sums) < FEWEST:
        return found
    swapped = _swapped(sums, resamples, seed)
    return replace(
        found,
        interval=_around(swapped, confidence),
        worse_or_equal=rounded(int((swapped >= swapped[0]).sum()) / len(swapped)),
        method="sign flips",
        better_or_equal=rounded(int((swapped <= swapped[0]).sum()) / len(swapped)),
    )


def _around(swapped: Floats, confidence: float) -> Interval | None:
    """It leaves zero out just when the probability is at most (1 - confidence) / 2. None when it never could."""
    ordered, rank = np.sort(swapped), int((1 - confidence) / 2 * len(swapped))
    return (float(swapped[0] - ordered[-rank - 1]), float(swapped[0] - ordered[rank])) if rank else None


def _columns(sums: Sequence[BlockSums]) -> Matrix:
    """Benchmark's errors, candidate's errors and words of each group: shape (blocks, 3 x groups)."""
    return np.column_stack([column for one in sums for column in (one.benchmark, one.candidate, one.words)]).astype(
        np.float64
    )


def _swapped(sums: Sequence[BlockSums], resamples: int, seed: int) -> Floats:
    """What the gap would have narrowed by, had the models swapped places in some blocks; first, in none."""
    gains = np.column_stack([one.gains for one in sums]).astype(np.float64)
    moved = flipped(gains, resamples, seed)
    drawn = np.repeat(_columns(sums).sum(axis=0, keepdims=True), len(moved), axis=0)
    drawn[:, 0::3] -= moved
    drawn[:, 1::3] += moved
    return _narrowing(drawn)


def _distinct(counts: Counts) -> int:
    return len(np.unique(counts.block))


def _group_sums(counts: Counts, groups: Mapping[str, Set[str]]) -> list[BlockSums]:
    """The blocks of each group, with the same numbers in all groups, for one speaker may be in several."""
    bundle, bundles = bundled(counts.block)
    return [_masked(counts, groups[name], bundle, bundles) for name in sorted(groups)]


def _masked(counts: Counts, members: Set[str], bundle: Integers, bundles: int) -> BlockSums:
    inside = np.fromiter((identity in members for identity in counts.ids), np.bool_, len(counts.ids))
    return BlockSums(
        benchmark=summed(counts.benchmark[inside], bundle[inside], bundles),
        candidate=summed(counts.candidate[inside], bundle[inside], bundles),
        words=summed(counts.words[inside], bundle[inside], bundles),
        found=len(np.unique(counts.block[inside])),
        unit=counts.unit,
    )


def _narrowing(drawn: Matrix) -> Floats:
    """Benchmark's largest gap less candidate's, per draw (shape (draws, 3 x groups)); groups without words do not count."""
    benchmark, candidate, words = (drawn[:, column::3] for column in range(3))
    return _gap(benchmark, words) - _gap(candidate, words)


def _gap(errors: Matrix, words: Matrix) -> Floats:
    rates, some = ratios(errors, words), words > 0
    highest, lowest = np.where(some, rates, -np.inf).max(axis=1), np.where(some, rates, np.inf).min(axis=1)
    return np.where(some.any(axis=1), highest - lowest, 0.0)
