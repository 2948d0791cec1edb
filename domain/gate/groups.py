"""Groups of recordings by label, and what each of them shows of the two models."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain.comparison import Comparison
from domain.policy import NO_SLICES, GatePolicy
from domain.significance import Gain, block_sums, gain_over
from domain.significance.blocks import Counts, counts_of


def groups_of(comparison: Comparison) -> dict[str, dict[str, frozenset[str]]]:
    """Label to its values to their recordings, in order of their names.

    Speakers and sessions are no slices, nor is a label that tells every recording from every other.
    """
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in comparison.candidate.scorecard.utterances:
        for label, value in comparison.labels.get(one.id, {}).items():
            if label not in NO_SLICES and value:
                found[label][value].add(one.id)
    return {
        label: {value: frozenset(names) for value, names in sorted(values.items())}
        for label, values in sorted(found.items())
        if any(len(names) > 1 for names in values.values())
    }


def members(comparison: Comparison, name: str) -> frozenset[str]:
    """The recordings of the slice `label=value`; none when the testing data do not have it."""
    label, _, value = name.partition("=")
    ids = (one.id for one in comparison.candidate.scorecard.utterances)
    return frozenset(one for one in ids if comparison.labels.get(one, {}).get(label) == value)


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice, `label=value`, and what it shows: WERs as fractions, and the gain where there are words enough."""

    name: str
    recordings: frozenset[str]
    words: int
    before: float | None
    after: float | None
    gain: Gain | None

    @property
    def judged(self) -> Gain | None:
        """The gain when it can be told from chance; None with too few words or speakers."""
        return self.gain if self.gain and self.gain.better_or_equal is not None else None


def measured_slices(comparison: Comparison, policy: GatePolicy) -> dict[str, Slice]:
    """Every slice that the data have or the policy names, by name and in order."""
    named = {
        f"{label}={value}": names for label, values in groups_of(comparison).items() for value, names in values.items()
    }
    for name in (*policy.protected_slices, *policy.required_slices):
        named.setdefault(name, members(comparison, name))
    counts = counts_of(comparison)
    rows = {identity: row for row, identity in enumerate(counts.ids)}
    return {name: _measured(counts, rows, policy, name, named[name]) for name in sorted(named)}


def _measured(
    counts: Counts, rows: Mapping[str, int], policy: GatePolicy, name: str, recordings: frozenset[str]
) -> Slice:
    chosen = np.fromiter((rows[one] for one in recordings), np.int64, len(recordings))
    block = np.unique(counts.block[chosen], return_inverse=True)[1]
    columns = (counts.benchmark[chosen], counts.candidate[chosen], counts.words[chosen])
    before, after, words = (int(column.sum()) for column in columns)
    enough = words >= policy.slice_minimum_words
    sums = block_sums(*columns, block, counts.unit)
    gain = gain_over(sums, confidence=policy.confidence_percent / 100) if enough else None
    return Slice(name, recordings, words, before / words if words else None, after / words if words else None, gain)
