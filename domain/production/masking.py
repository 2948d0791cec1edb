"""Texts that people may read who must not learn who spoke: names, numbers and whatever is rare are masked."""

from collections.abc import Mapping, Sequence
from functools import cache

from num2words import num2words

from domain.normalise import normaliser_for
from domain.production.recording import Vocabulary

MASK = "▒▒▒"
_NUMBERS = (*range(101), 1_000, 1_000_000)
_EXTRA = frozenset({"oh", "double", "triple"})


def masked(
    words: Sequence[str], frequency: Mapping[str, int], vocabulary: Vocabulary | None, shown_from: int, locale: str
) -> str:
    """The words, of which only those are shown that many recordings have and that our own texts know; no numbers.

    Empty where the language's words for numbers are unknown.

    >>> masked(["call", "ms", "noor", "at", "nine"], {"call": 9, "ms": 9, "at": 9, "nine": 9}, None, 5, "en-US")
    'call ms ▒▒▒ at ▒▒▒'
    """
    numbers = number_words(locale)
    if not numbers:
        return ""
    return " ".join(word if _is_harmless(word, frequency, vocabulary, shown_from, numbers) else MASK for word in words)


def _is_harmless(
    word: str, frequency: Mapping[str, int], vocabulary: Vocabulary | None, shown_from: int, numbers: frozenset[str]
) -> bool:
    known = vocabulary is None or word in vocabulary
    return known and frequency.get(word, 0) >= shown_from and word.isalpha() and len(word) > 1 and word not in numbers


@cache
def number_words(locale: str) -> frozenset[str]:
    """The words of which numbers are made, normalised; none where num2words does not know the language."""
    try:
        texts = [num2words(number, lang=locale.partition("-")[0], to="cardinal") for number in _NUMBERS]
    except NotImplementedError:
        return frozenset()
    return frozenset(normaliser_for(locale)(" ".join(texts)).split()) | _EXTRA
