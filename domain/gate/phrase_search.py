"""Critical phrases looked for once in all texts of a comparison, however many there are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.comparison import Comparison
from domain.gate.rule import short
from domain.normalise import Normaliser

Words = tuple[str, ...]
"""A phrase's normalised words."""


@dataclass(slots=True)
class Tally:
    """How often a phrase was said, and heard by the two models where it was said."""

    said: int = 0
    before: int = 0
    after: int = 0


@dataclass(slots=True)
class Changes:
    """Recordings on which the candidate hears fewer phrases than the benchmark, or more."""

    fewer: int = 0
    more: int = 0

    def count(self, before: int, after: int) -> None:
        """Add a recording in which phrases are heard so often by benchmark and candidate."""
        self.fewer += after < before
        self.more += after > before


class PhraseSearch:
    """What was found. Phrases that are equal when normalised are one; it is a `must` when any of them is.

    A phrase is heard where both texts of a recording have it: as often as in the one that has it less. What a model hears
    beyond that is a false alarm.
    """

    def __init__(self, comparison: Comparison, normaliser: Normaliser) -> None:
        self.names: dict[Words, str] = {}
        self.must: set[Words] = set()
        for phrase in comparison.phrases:
            key = tuple(normaliser(phrase.text).split())
            self.names.setdefault(key, short(phrase.text))
            if phrase.must:
                self.must.add(key)
        self.tallies = {key: Tally() for key in self.names}
        self.heard = Changes()
        self.alarms: dict[str, tuple[int, int]] = {}
        self._look(comparison)

    def _look(self, comparison: Comparison) -> None:
        index = _Index(self.names)
        later = {one.id: one.hypothesis for one in comparison.candidate.scorecard.utterances}
        for one in comparison.benchmark.scorecard.utterances:
            said, before, after = (index.count(text) for text in (one.reference, one.hypothesis, later[one.id]))
            if said or before or after:
                self._note(one.id, said, before, after)

    def _note(
        self, name: str, said: Mapping[Words, int], before: Mapping[Words, int], after: Mapping[Words, int]
    ) -> None:
        hits = [0, 0]
        alarms = [0, 0]
        for key in {*said, *before, *after}:
            expected, tally = said.get(key, 0), self.tallies[key]
            old, new = (min(expected, heard.get(key, 0)) for heard in (before, after))
            tally.said, tally.before, tally.after = tally.said + expected, tally.before + old, tally.after + new
            hits = [hits[0] + old, hits[1] + new]
            alarms = [alarms[0] + before.get(key, 0) - old, alarms[1] + after.get(key, 0) - new]
        self.heard.count(*hits)
        if any(alarms):
            self.alarms[name] = (alarms[0], alarms[1])


class _Index:
    """Phrases by their first word, so that a text is read once however many there are."""

    def __init__(self, keys: Mapping[Words, str]) -> None:
        self._by_first: dict[str, list[Words]] = defaultdict(list)
        for key in keys:
            if key:
                self._by_first[key[0]].append(key)
        self._firsts = frozenset(self._by_first)

    def count(self, text: str) -> dict[Words, int]:
        words = text.split()
        found: dict[Words, int] = defaultdict(int)
        if self._firsts.isdisjoint(words):
            return found
        for place, word in enumerate(words):
            for key in self._by_first.get(word, ()):
                found[key] += _stands_at(place, key, words)
        return {key: count for key, count in found.items() if count}


def _stands_at(place: int, key: Words, words: Sequence[str]) -> bool:
    return tuple(words[place : place + len(key)]) == key
