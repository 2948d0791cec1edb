"""Is a difference in WER more than chance? Paired tests whose unit is the speaker, as measured in docs/significance.md."""

from domain.significance.adjustment import holm
from domain.significance.blocks import BlockSums, Counts, Unit, block_sums, blocks_of, counts_of, sums_of
from domain.significance.gain import Gain, Method, gain_of, gain_over, wer_interval
from domain.significance.gaps import gap_change
from domain.significance.mapsswe import MatchedPairs, matched_alignments, matched_pairs
from domain.significance.power import Needed, needed, smallest_gain, smallest_over

__all__ = [
    "BlockSums",
    "Counts",
    "Gain",
    "MatchedPairs",
    "Method",
    "Needed",
    "Unit",
    "block_sums",
    "blocks_of",
    "counts_of",
    "gain_of",
    "gain_over",
    "gap_change",
    "holm",
    "matched_alignments",
    "matched_pairs",
    "needed",
    "smallest_gain",
    "smallest_over",
    "sums_of",
    "wer_interval",
]
