"""Steps that look at single characters: the invisible, case, width, marks and punctuation."""

import re
import unicodedata


class _Words(dict[int, str]):
    """What becomes of each character, found out when it is first met; a table for `str.translate`.

    Letters, marks, numbers and the apostrophe stay; everything else, white space included, becomes a space.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if character == "'" or unicodedata.category(character)[0] in "LMN" else " "
        return self[code]


class _Digits(dict[int, str]):
    """Every decimal digit of any script as 0 to 9, all else as it is; a table for `str.translate`."""

    def __missing__(self, code: int) -> str:
        value = unicodedata.decimal(chr(code), None)
        self[code] = chr(code) if value is None else str(value)
        return self[code]


_WORDS = _Words()
_DIGITS = _Digits()
_APOSTROPHES = {ord(mark): "'" for mark in "’‘ʼ＇´`′"}
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
_MARK = r"[^\w\s']"  # in text that `_WORDS` left: neither letter nor number, so a combining mark
_ORPHANED_MARKS = re.compile(rf"(?<![^\s']){_MARK}+")
_DOTTED = re.compile("[İi]\u0307*")  # all dots at once, else the second would fall when normalised again
_LONE_APOSTROPHE = re.compile(r"(?<!\S)'+|'+(?!\S)|'{2,}")


def drop_invisible(text: str) -> str:
    """Remove what no one sees and every aligner counts: byte-order marks, zero-width and direction marks, soft hyphens,
    variation selectors and the frames of keycaps.
    """
    return _INVISIBLE.sub("", text)


def plain_apostrophes(text: str) -> str:
    """Write every kind of apostrophe as U+0027, as Microsoft asks for in references."""
    return text.translate(_APOSTROPHES)


def drop_apostrophes(text: str) -> str:
    """Remove apostrophes and close the gap: "geht's" and "gehts" are one word.

    >>> drop_apostrophes("wie geht's")
    'wie gehts'
    """
    return text.replace("'", "")


def canonical_lower(text: str) -> str:
    """Lower case in canonical composition (NFC)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def compatible_casefold(text: str) -> str:
    """Case folded in compatibility composition (NFKC): full-width letters, ligatures and circled digits become plain."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())


def compatible_upper(text: str) -> str:
    """Upper case in compatibility composition (NFKC), as Azure writes Latin letters within Chinese."""
    upper = unicodedata.normalize("NFKC", text).upper()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", upper).upper())


def turkic_lower(text: str) -> str:
    """Lower case of the two letters I: dotted and dotless are different letters in Turkish and Azerbaijani.

    >>> turkic_lower("ISPARTA İZMİR").casefold()
    'ısparta izmir'
    """
    return _DOTTED.sub("i", unicodedata.normalize("NFKC", text)).replace("I", "ı")


def plain_digits(text: str) -> str:
    """Write the digits of every script as 0 to 9: they are said alike.

    >>> plain_digits("๒๔ २४ ٢٤")
    '24 24 24'
    """
    return text if text.isascii() else text.translate(_DIGITS)


def strip_punctuation(text: str) -> str:
    """Replace punctuation and symbols by spaces; an apostrophe stays only inside a word, a mark only on a letter."""
    words = _ORPHANED_MARKS.sub("", text.translate(_WORDS))
    return " ".join(_LONE_APOSTROPHE.sub(" ", words).split())
