"""What to label next: recordings from which most is to be learnt, and that are not all alike."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from domain.production.masking import masked
from domain.production.measures import MEASURES
from domain.production.policy import DriftPolicy
from domain.production.recording import Heard, Vocabulary

_SHORT = 3
"""Words: from a recording with fewer, little is learnt."""

_CONSIDERED = 2_000
"""Of so many of the most informative ones some that differ are chosen."""


class Wanted(BaseModel):
    """A recording that is worth labelling. Nothing in it tells what was said, but for frequent words in `text`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Path of its transcript in the period's folder."""
    score: float
    """0 to 1: how much there is to learn, compared with the others."""
    reasons: tuple[str, ...]
    words: int
    seconds: float
    text: str
    """With a mark in place of names, numbers and whatever else is rare."""


def choose(
    now: Sequence[Heard],
    before: Sequence[Heard],
    vocabulary: Vocabulary | None,
    policy: DriftPolicy,
    locale: str | None,
) -> tuple[Wanted, ...]:
    """The recordings of the later period to label, best first; `locale` is None where no text may be shown."""
    scores = _scores(now, vocabulary)
    ranked = sorted(now, key=lambda one: (-scores[one.name], one.name))[:_CONSIDERED]
    frequency = Counter(word for one in (*now, *before) for word in set(one.words))
    return tuple(
        Wanted(
            name=one.name,
            score=round(scores[one.name], 3),
            reasons=_reasons(one, vocabulary),
            words=len(one.words),
            seconds=round(one.seconds, 1),
            text=masked(one.words, frequency, vocabulary, policy.shown_from, locale) if locale else "",
        )
        for one in _varied(ranked, scores, policy.to_label)
    )


def _varied(ranked: Sequence[Heard], scores: Mapping[str, float], number: int) -> list[Heard]:
    """Greedily: what is like one that is chosen, or from the same folder, is worth less."""
    left = {one.name: (one, frozenset(one.words)) for one in ranked}
    likeness = dict.fromkeys(left, 0.0)
    taken: Counter[str] = Counter()
    chosen: list[Heard] = []
    while left and len(chosen) < number:
        worth = {
            name: scores[name] * (1 - likeness[name]) / (1 + taken[one.folder] if one.folder else 1)
            for name, (one, _) in left.items()
        }
        best = max(left, key=lambda name: (worth[name], name))
        if worth[best] <= 0:
            break
        one, words = left.pop(best)
        chosen.append(one)
        taken[one.folder] += 1
        for name, (_, other) in left.items():
            likeness[name] = max(likeness[name], _alike(words, other))
    return chosen


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index: shared words among all words of both."""
    return len(one & other) / len(one | other) if one or other else 1.0


def _scores(recordings: Sequence[Heard], vocabulary: Vocabulary | None) -> dict[str, float]:
    """The mean of a recording's ranks among the others, by doubt, unknown words and disagreement; 1 is the most."""
    ranks = [_ranks(_figures(recordings, key, vocabulary)) for key in _SIGNALS]
    usable = [rank for rank in ranks if rank]
    scores = {}
    for one in recordings:
        found = [rank.get(one.name, 0.0) for rank in usable]
        mean = sum(found) / len(found) if found else 0.0
        scores[one.name] = mean * min(1.0, len(one.words) / _SHORT) if one.words else _of_silence(one)
    return scores


_SIGNALS = ("confidence", "unknown words", "disagreement")


def _of_silence(one: Heard) -> float:
    """Where the base model heard words and the live one nothing, there is much to learn; otherwise it may be silence."""
    return 1.0 if one.base else 0.0


def _figures(recordings: Sequence[Heard], key: str, vocabulary: Vocabulary | None) -> dict[str, float]:
    found = {}
    for one in recordings:
        above, below = MEASURES[key].count(one, vocabulary)
        if below:
            found[one.name] = 1 - above / below if key == "confidence" else above / below
    return found


def _ranks(figures: Mapping[str, float]) -> dict[str, float]:
    """The share of recordings that have less; where all are equal a half, or nothing if there is nothing to learn."""
    if len(set(figures.values())) < 2:
        return {name: 0.5 for name, value in figures.items() if value > 0}
    counted = Counter(figures.values())
    below, share = 0, {}
    for value in sorted(counted):
        share[value] = below / (len(figures) - counted[value]) if len(figures) > counted[value] else 0.0
        below += counted[value]
    return {name: min(1.0, share[value]) for name, value in figures.items()}


def _reasons(one: Heard, vocabulary: Vocabulary | None) -> tuple[str, ...]:
    reasons = []
    sure, of = MEASURES["confidence"].count(one, vocabulary)
    if of:
        reasons.append(f"confidence {sure / of:.2f}")
    unknown, of = MEASURES["unknown words"].count(one, vocabulary)
    if unknown:
        reasons.append(f"{unknown} of {of} words unknown")
    apart, of = MEASURES["disagreement"].count(one, vocabulary)
    if apart:
        reasons.append(f"the base model differs in {apart} of {of} words")
    if one.base and not one.words:
        reasons.append("only the base model heard words")
    return tuple(reasons)
