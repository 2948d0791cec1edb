"""When two texts are alike: the thresholds, and the arithmetic of near duplicates."""

from collections.abc import Iterator
from dataclasses import dataclass

ALIKE_PERCENT = 85
"""Two texts are near duplicates when this share of their words, in order, is equal: one word of seven may differ."""

_APART = 100 - ALIKE_PERCENT


@dataclass(frozen=True, slots=True)
class Likeness:
    """From how many tokens on texts are compared. Below, people say the same thing by chance.

    `passage` follows PaLM (Chowdhery et al. 2022, section 8), which calls text contaminated by its 8-grams.
    """

    same: int = 5
    near: int = 6
    passage: int = 8
    phrase: int = 5

    def times(self, factor: int) -> "Likeness":
        """The same for smaller tokens: a Chinese word has two characters, a Thai one more."""
        return Likeness(self.same * factor, self.near * factor, self.passage * factor, self.phrase * factor)


WORDS = Likeness()
CHARACTERS = WORDS.times(2)


def most_edits(longer: int) -> int:
    """By how many words near duplicates may differ, of which the longer has so many.

    >>> most_edits(6), most_edits(7), most_edits(14)
    (0, 1, 2)
    """
    return longer * _APART // 100


def pieces(words: int) -> Iterator[tuple[int, int]]:
    """Start and end of each piece of a text of so many words, of which every near duplicate holds one unchanged.

    A near duplicate is at most n / 0.85 words long, so at most k edits away; k edits leave one of k + 1 pieces whole.

    >>> list(pieces(12))
    [(0, 4), (4, 8), (8, 12)]
    """
    parts = most_edits(words * 100 // ALIKE_PERCENT) + 1
    for part in range(parts):
        yield words * part // parts, words * (part + 1) // parts
