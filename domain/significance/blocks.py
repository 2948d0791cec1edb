"""Blocks: recordings of one speaker are no independent witnesses, so errors are counted per speaker and kept together."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from domain.alignment import HIT, INSERTION
from domain.comparison import Comparison, Measured
from domain.corpus import Labels
from domain.wer import UtteranceScore

Integers = npt.NDArray[np.int64]
Unit = Literal["speakers", "sessions", "recordings", "blocks"]

MOST = 1_000
"""More blocks are dealt into so many bundles: time stays bounded, and so many are as good as more."""


@dataclass(frozen=True, slots=True)
class BlockSums:
    """Errors and reference words per block, each of shape (blocks,). Integers, so that sums are exact in any order."""

    benchmark: Integers
    candidate: Integers
    words: Integers
    found: int
    """How many blocks there are, before any were bundled."""
    unit: Unit = "speakers"

    @property
    def gains(self) -> Integers:
        """Errors that the candidate saves, per block."""
        return self.benchmark - self.candidate

    @property
    def total(self) -> int:
        """Reference words of all blocks."""
        return int(self.words.sum())

    @property
    def effective(self) -> int:
        """What the blocks are worth as equal ones: (sum of words)² / sum of words², rounded (Kish 1965).

        One speaker with nearly all words counts for little more than one, whoever else is there.
        """
        squares = sum(int(size) ** 2 for size in self.words)
        return (2 * self.total**2 + squares) // (2 * squares) if squares else 0


def block_sums(
    benchmark: Integers, candidate: Integers, words: Integers, block: Integers, unit: Unit = "speakers"
) -> BlockSums:
    """Sum errors and words, each of shape (utterances,), by block number (0, 1, ... as many as there are)."""
    bundle, bundles = bundled(block)
    found = int(block.max()) + 1 if len(block) else 0
    return BlockSums(
        benchmark=summed(benchmark, bundle, bundles),
        candidate=summed(candidate, bundle, bundles),
        words=summed(words, bundle, bundles),
        found=found,
        unit=unit,
    )


def bundled(block: Integers) -> tuple[Integers, int]:
    """Block numbers, or those of bundles if there are too many blocks; and how many of them there are.

    Blocks are dealt evenly by a hash, for neighbours are often alike.
    """
    found = int(block.max()) + 1 if len(block) else 0
    if found <= MOST:
        return block, found
    bundle = np.empty(found, np.int64)
    order = np.argsort([zlib.crc32(b"%d" % number) for number in range(found)], kind="stable")
    bundle[order] = np.arange(found) % MOST
    return bundle[block], MOST


def summed(column: Integers, block: Integers, blocks: int) -> Integers:
    """Sums of a column (shape (utterances,)) per block."""
    return np.bincount(block, weights=column, minlength=blocks).astype(np.int64)


def blocks_of(measured: Measured, labels: Labels) -> Mapping[str, str]:
    """Utterance id to its block: the speaker, else the session, else the recording itself.

    >>> from domain.wer import Scorecard, UtteranceScore
    >>> card = Scorecard((UtteranceScore("1.wav", "a", "a", "H"), UtteranceScore("2.wav", "a", "a", "H")), "n")
    >>> blocks_of(Measured("m", card, None), {"1.wav": {"speaker": "awb"}})
    {'1.wav': 'speaker:awb', '2.wav': 'recording:2.wav'}
    """
    return {utterance.id: _block(utterance.id, labels) for utterance in measured.scorecard.utterances}


def _block(identity: str, labels: Labels) -> str:
    known = labels.get(identity, {})
    for kind in ("speaker", "session"):
        if name := known.get(kind, "").strip():
            return f"{kind}:{name}"
    return f"recording:{identity}"


@dataclass(frozen=True, slots=True)
class Counts:
    """What both models made of the utterances that both have. Arrays of shape (utterances,)."""

    ids: tuple[str, ...]
    benchmark: Integers
    candidate: Integers
    words: Integers
    block: Integers
    unit: Unit


def counts_of(comparison: Comparison, only: frozenset[str] | None = None) -> Counts:
    """Errors of both models per utterance, on all utterances or `only` some."""
    benchmark, candidate = pairs_of(comparison, only)
    names = [_block(utterance.id, comparison.labels) for utterance in benchmark]
    return Counts(
        ids=tuple(utterance.id for utterance in benchmark),
        benchmark=_column(map(_errors, benchmark)),
        candidate=_column(map(_errors, candidate)),
        words=_column(map(_words, benchmark)),
        block=_numbered(names),
        unit=_unit(names),
    )


def sums_of(comparison: Comparison, only: frozenset[str] | None = None) -> BlockSums:
    """The blocks of a comparison, with all their utterances or `only` some."""
    counts = counts_of(comparison, only)
    return block_sums(counts.benchmark, counts.candidate, counts.words, counts.block, counts.unit)


def single_sums(measured: Measured, labels: Labels, only: frozenset[str] | None = None) -> BlockSums:
    """The blocks of one model: it stands on both sides."""
    return sums_of(Comparison(measured, measured, labels=labels), only)


def pairs_of(
    comparison: Comparison, only: frozenset[str] | None = None
) -> tuple[list[UtteranceScore], list[UtteranceScore]]:
    """Benchmark's and candidate's scores of the utterances that both have, in the benchmark's order."""
    later = {utterance.id: utterance for utterance in comparison.candidate.scorecard.utterances}
    asked = later.keys() if only is None else later.keys() & only
    before = [utterance for utterance in comparison.benchmark.scorecard.utterances if utterance.id in asked]
    return before, [later[utterance.id] for utterance in before]


def _errors(utterance: UtteranceScore) -> int:
    return len(utterance.alignment) - utterance.alignment.count(HIT)


def _words(utterance: UtteranceScore) -> int:
    return len(utterance.alignment) - utterance.alignment.count(INSERTION)


def _column(numbers: Iterable[int]) -> Integers:
    return np.fromiter(numbers, np.int64)


def _numbered(names: list[str]) -> Integers:
    """The same name, the same number, in alphabetical order: the order of utterances must not matter."""
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return _column(numbers[name] for name in names)


_UNITS: Mapping[str, Unit] = {"speaker": "speakers", "session": "sessions", "recording": "recordings"}


def _unit(names: list[str]) -> Unit:
    kinds = {name.partition(":")[0] for name in names}
    return _UNITS[kinds.pop()] if len(kinds) == 1 else "blocks"
