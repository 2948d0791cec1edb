"""Whether the service's confidence can be believed: reliability curve, normalised cross entropy, expected calibration error.

NCE: NIST SCTK, "Confidence measures" of sclite: (H + Σ log2 c over right words + Σ log2 (1 - c) over wrong ones) / H, where
H is the entropy of the share of right words; 1 is perfect, 0 tells no more than that share, below 0 misleads.
ECE: Guo et al., "On Calibration of Modern Neural Networks", 2017: 15 bins of equal width.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.alignment import DELETION, HIT
from domain.comparison import Measured

BINS = 15
MOST = 10_000
"""Utterances; a curve of some 100,000 words is exact to a few tenths of a point."""
_EDGE = 1e-6
"""How near a confidence may come to 0 and 1 in NCE: one wrong word with confidence 1 would make it minus infinity."""


Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Bin(NamedTuple):
    """Words with about the same confidence: how confident the service was, and how often it was right."""

    confidence: float
    right: float
    words: int


class Calibration(NamedTuple):
    """How far confidences can be believed. `nce` is None when all words are right, or all wrong."""

    words: int
    utterances: int
    """Utterances whose confidences could be matched with normalised words."""
    of_utterances: int
    """Utterances in all."""
    nce: float | None
    ece: float
    bins: tuple[Bin, ...]


def calibration(measured: Measured, normalise: Callable[[str], str]) -> Calibration | None:
    """Match each word's confidence with whether it was heard right; None when nothing can be matched.

    Only utterances count where normalising word by word gives the scored hypothesis, for otherwise no one knows which
    confidence belongs to which word. Of very many utterances `MOST`, evenly spread, are looked at.
    """
    known = _Known(normalise)
    utterances = measured.scorecard.utterances
    looked_at = utterances[:: math.ceil(len(utterances) / MOST)] if utterances else ()
    sure: list[float] = []
    letters: list[str] = []
    for one in looked_at:
        heard = measured.confidences.get(one.id)
        if heard and (confidences := known.confidences(heard, one.hypothesis)) is not None:
            sure += confidences
            letters.append(one.alignment.replace(DELETION, ""))
    right = np.frombuffer("".join(letters).encode(), np.uint8) == ord(HIT)
    return _summed(np.array(sure, np.float64), right, len(letters), len(utterances))


def _summed(sure: Floats, right: Flags, matched: int, utterances: int) -> Calibration | None:
    usable = (sure >= 0) & (sure <= 1)  # NaN is neither
    sure, right = sure[usable], right[usable]
    if not sure.size:
        return None
    bins = tuple(_bins(sure, right))
    return Calibration(
        words=int(sure.size),
        utterances=matched,
        of_utterances=utterances,
        nce=normalised_cross_entropy(sure, right),
        ece=sum(one.words * abs(one.right - one.confidence) for one in bins) / int(sure.size),
        bins=bins,
    )


class _Known(dict[str, list[str]]):
    """The normalised words of each raw word, worked out once."""

    def __init__(self, normalise: Callable[[str], str]) -> None:
        super().__init__()
        self._normalise = normalise

    def __missing__(self, word: str) -> list[str]:
        self[word] = self._normalise(word).split()
        return self[word]

    def confidences(self, heard: Sequence[tuple[str, float]], hypothesis: str) -> list[float] | None:
        """The confidence of each word of the hypothesis: that of the raw word it comes from; None if they do not match."""
        if " ".join([raw for raw, _ in heard]) == hypothesis:  # as the service's lexical form mostly is
            return [confidence for _, confidence in heard]
        words = [self[raw] for raw, _ in heard]
        if [word for parts in words for word in parts] != hypothesis.split():
            return None
        return [confidence for (_, confidence), parts in zip(heard, words, strict=True) for _ in parts]


def normalised_cross_entropy(confidences: Floats, right: Flags) -> float | None:
    """NCE of confidences (0 to 1), given whether each word was right; None when all are right, or all wrong."""
    sure = np.clip(confidences, _EDGE, 1 - _EDGE)
    share = float(right.mean()) if right.size else 0.0
    if not 0 < share < 1:
        return None
    entropy = -right.size * (share * math.log2(share) + (1 - share) * math.log2(1 - share))
    told = float(np.log2(sure[right]).sum() + np.log2(1 - sure[~right]).sum())
    return (entropy + told) / entropy


def _bins(confidences: Floats, right: Flags) -> Iterator[Bin]:
    places = np.minimum((confidences * BINS).astype(int), BINS - 1)
    for place in range(BINS):
        inside = places == place
        if words := int(inside.sum()):
            yield Bin(float(confidences[inside].mean()), float(right[inside].mean()), words)
