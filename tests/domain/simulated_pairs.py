"""Made-up results of two models, for what a gate must not do: promote without a gain, or miss a large one.

Speakers differ in how hard they are (gamma), and, by `interaction`, in which model suits them (log-normal): models that are
equally good for all speakers together are not equally good for these ones. The setting is that of scoring.md, section 3.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.comparison import Comparison, Measured
from domain.significance import BlockSums, MatchedPairs, block_sums, gain_over, matched_alignments
from domain.wer import Scorecard, UtteranceScore

WER = 0.098
WORDS = 12.2
"""Mean length of an utterance."""
_SHARED = 0.6
"""How many of the words are equally hard for both models: two models of one service make much the same errors."""

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Setting:
    """A test set, and how much better the candidate truly is (0.1: 10 % fewer errors)."""

    speakers: int
    utterances: int
    interaction: float
    better: float = 0.0
    unequal: bool = False
    """Some speakers say far more than others: log-normal, so that the largest of 20 says about a fifth."""


@dataclass(frozen=True)
class Pair:
    """One simulated result. `speaker`, `words`: per utterance; `utterance` and which model is wrong: per word."""

    speaker: Integers
    words: Integers
    utterance: Integers
    benchmark: Flags
    candidate: Flags

    @property
    def gain(self) -> float:
        """Fraction of WER."""
        return float((self.benchmark.sum() - self.candidate.sum()) / len(self.utterance))

    @property
    def relative_gain(self) -> float:
        """Fraction of the benchmark's errors."""
        return self.gain * len(self.utterance) / max(1, int(self.benchmark.sum()))

    def sums(self, *, speakers: bool = True) -> BlockSums:
        """What the tests see, by speaker; or by utterance, as if all were independent."""
        block = np.unique(self.speaker, return_inverse=True)[1] if speakers else np.arange(len(self.words))
        return block_sums(self._errors(self.benchmark), self._errors(self.candidate), self.words, block)

    def _errors(self, wrong: Flags) -> Integers:
        return np.bincount(self.utterance[wrong], minlength=len(self.words))

    def matched(self) -> MatchedPairs:
        """MAPSSWE."""
        return matched_alignments(self._alignments(self.benchmark), self._alignments(self.candidate))

    def comparison(self) -> Comparison:
        """What the gate sees: recordings of one word, said over and over."""
        labels = {f"{row:05}.wav": {"speaker": f"s{one:03}"} for row, one in enumerate(self.speaker.tolist())}
        return Comparison(
            _measured("old", self._alignments(self.benchmark), labels),
            _measured("new", self._alignments(self.candidate), labels),
            labels=labels,
        )

    def _alignments(self, wrong: Flags) -> Iterator[str]:
        letters = np.where(wrong, ord("S"), ord("H")).astype(np.uint8).tobytes().decode()
        ends = np.cumsum(self.words).tolist()
        return (letters[end - length : end] for end, length in zip(ends, self.words.tolist(), strict=True))


def _measured(model: str, alignments: Iterable[str], names: Iterable[str]) -> Measured:
    both = zip(names, alignments, strict=True)
    utterances = (
        UtteranceScore(one, "a " * len(kept), kept.replace("S", "b ").replace("H", "a "), kept) for one, kept in both
    )
    return Measured(model, Scorecard(tuple(utterances), "n1"), None)


def simulate(setting: Setting, random: np.random.Generator) -> Pair:
    """One pair of results."""
    speaker = _speakers(setting, random)
    lengths = np.exp(random.normal(math.log(WORDS) - 0.18, 0.6, setting.utterances))
    words = np.maximum(1, np.round(lengths)).astype(np.int64)
    utterance = np.repeat(np.arange(setting.utterances), words)
    hard = random.gamma(4, WER / 4, setting.speakers)
    first, second = random.random(len(utterance)), random.random(len(utterance))
    second = np.where(random.random(len(utterance)) < _SHARED, first, second)
    return Pair(
        speaker,
        words,
        utterance,
        first < _suited(hard, setting, random)[speaker][utterance],
        second < _suited(hard * (1 - setting.better), setting, random)[speaker][utterance],
    )


def _speakers(setting: Setting, random: np.random.Generator) -> Integers:
    if not setting.unequal:
        return np.arange(setting.utterances) % setting.speakers
    share = random.lognormal(sigma=1.0, size=setting.speakers)
    return random.choice(setting.speakers, setting.utterances, p=share / share.sum())


def _suited(hard: npt.NDArray[np.float64], setting: Setting, random: np.random.Generator) -> npt.NDArray[np.float64]:
    spread = setting.interaction
    return np.minimum(0.9, hard * np.exp(random.normal(-spread * spread / 2, spread, setting.speakers)))


def is_promoted(pair: Pair, *, confidence: float = 0.95, resamples: int = 10_000, speakers: bool = True) -> bool:
    """The gate's rule of superiority: a gain that matters, that is more than chance, and that MAPSSWE sees too."""
    if pair.gain < 0.002 or pair.relative_gain < 0.02:
        return False
    gain = gain_over(pair.sums(speakers=speakers), confidence=confidence, resamples=resamples)
    if gain.interval is None or gain.interval[0] <= 0:
        return False
    matched = pair.matched()
    return matched.mean > 0 and matched.p < 0.05


def promoted(setting: Setting, pairs: int, *, seed: int = 1, **rule: float | bool) -> float:
    """The share of simulated pairs that would be promoted; `rule` as for `is_promoted`."""
    random = np.random.default_rng(seed)
    return sum(is_promoted(simulate(setting, random), **rule) for _ in range(pairs)) / pairs  # type: ignore[arg-type]
