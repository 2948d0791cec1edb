"""An index of short texts that finds near duplicates and shared runs of words, exactly: no hashing, no sampling."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from domain.leakage.likeness import Likeness, most_edits, pieces

_SEED = 3
"""Every piece and every run begins with as many words: one look-up tells whether a place is worth more."""


class TextIndex:
    """Finds texts, written by a `Codebook`, in lines. Memory depends on the texts alone, whatever is looked up."""

    def __init__(self, codes: Collection[str], likeness: Likeness) -> None:
        self.passages = {run for code in codes for run in runs(code, likeness.passage)}
        self.phrases = {run for code in codes for run in runs(code, likeness.phrase)}
        self._pieces: dict[str, dict[tuple[int, int], dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
        self._lengths: dict[str, frozenset[int]] = defaultdict(frozenset)
        for code in codes:
            if len(code) >= likeness.near:
                for start, end in pieces(len(code)):
                    self._pieces[code[start:end]][start, len(code)][code] = None
        for run in self.passages | self.phrases | self._pieces.keys():
            self._lengths[run[:_SEED]] |= {len(run)}

    def forget(self, code: str) -> None:
        """Find no more near duplicates of a text: the search gets the quicker, the more was found."""
        for start, end in pieces(len(code)):
            self._pieces[code[start:end]][start, len(code)].pop(code, None)

    def runs_in(self, line: str) -> dict[str, list[int]]:
        """Every run of words that may be a passage, a phrase or a piece of a text, with its places, from left to right."""
        found = defaultdict(list)
        for start in range(len(line) - _SEED + 1):
            for length in self._lengths.get(line[start : start + _SEED], ()):
                found[line[start : start + length]].append(start)
        return found

    def near(self, line: str, found: Mapping[str, Sequence[int]]) -> Iterator[str]:
        """The near duplicates of a line, but not the line itself; `found` is what `runs_in` found in it."""
        candidates = self._candidates(len(line), found)
        if not candidates:
            return
        most = most_edits(max(len(line), *map(len, candidates)))
        alike = process.extract(line, candidates, scorer=Levenshtein.distance, score_cutoff=most, limit=None)
        for code, edits, _ in alike:
            if 0 < edits <= most_edits(max(len(code), len(line))):
                yield code

    def _candidates(self, words: int, found: Mapping[str, Sequence[int]]) -> list[str]:
        """The texts of which a piece stands where it may stand in a near duplicate of so many words."""
        candidates: dict[str, None] = {}
        for run, places in found.items():
            for (start, length), codes in self._pieces.get(run, {}).items():
                edits = most_edits(max(length, words))
                if abs(length - words) <= edits and _any_within(places, start - edits, start + edits):
                    candidates.update(codes)
        return list(candidates)


def _any_within(places: Sequence[int], first: int, last: int) -> bool:
    index = bisect_left(places, first)
    return index < len(places) and places[index] <= last


def runs(code: str, words: int) -> Iterator[str]:
    """Every run of so many words in a text, from left to right.

    >>> list(runs("abcd", 3))
    ['abc', 'bcd']
    """
    return (code[start : start + words] for start in range(len(code) - words + 1))
