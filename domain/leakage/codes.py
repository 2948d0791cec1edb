"""Texts written with one character per word: then words are compared, sliced and looked up as fast as strings are."""

import sys
from collections.abc import Iterable

UNKNOWN = "\0"
"""A word that the codebook does not have. In texts that are looked up it equals nothing in the codebook's own texts."""

_OVERFULL = "\1"
_FIRST, _SURROGATES, _SURROGATES_END = 2, 0xD800, 0xE000


class Codebook:
    """Numbers the words of some texts.

    >>> book = Codebook(["take me home", "take me to qasba"])
    >>> book.code("take me to the moon") == book.code("take me to") + UNKNOWN * 2
    True
    """

    def __init__(self, texts: Iterable[str]) -> None:
        words = dict.fromkeys(word for text in texts for word in text.split())
        self._codes = {word: _character(number) for number, word in enumerate(words)}

    def code(self, text: str) -> str:
        """A normalised text, one character per word."""
        return "".join([self._codes.get(word, UNKNOWN) for word in text.split()])


def _character(number: int) -> str:
    """Surrogates are left out. Whoever has over a million different words has no more told apart."""
    code = number + _FIRST
    code += (_SURROGATES_END - _SURROGATES) * (code >= _SURROGATES)
    return chr(code) if code <= sys.maxunicode else _OVERFULL
