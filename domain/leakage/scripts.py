"""Which script a text is written in, and which scripts a locale's language uses."""

import unicodedata
from collections import Counter
from functools import lru_cache

_LATIN = frozenset({"LATIN"})
_ARABIC = frozenset({"ARABIC"})
_CYRILLIC = frozenset({"CYRILLIC"})
_DEVANAGARI = frozenset({"DEVANAGARI"})
_HAN = frozenset({"CJK", "BOPOMOFO", "IDEOGRAPHIC"})
_SCRIPTS = {
    **dict.fromkeys(("ar", "fa", "ps", "ur"), _ARABIC),
    **dict.fromkeys(("bg", "mk", "mn", "ru", "uk"), _CYRILLIC),
    **dict.fromkeys(("hi", "mr", "ne"), _DEVANAGARI),
    **dict.fromkeys(("zh", "yue", "wuu"), _HAN),
    **dict.fromkeys(("kk", "sr", "bs", "uz"), _CYRILLIC | _LATIN),
    "ja": _HAN | {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    "ko": frozenset({"HANGUL", "CJK"}),
    "am": frozenset({"ETHIOPIC"}),
    "as": frozenset({"BENGALI"}),
    "bn": frozenset({"BENGALI"}),
    "el": frozenset({"GREEK"}),
    "gu": frozenset({"GUJARATI"}),
    "he": frozenset({"HEBREW"}),
    "hy": frozenset({"ARMENIAN"}),
    "ka": frozenset({"GEORGIAN"}),
    "km": frozenset({"KHMER"}),
    "kn": frozenset({"KANNADA"}),
    "lo": frozenset({"LAO"}),
    "ml": frozenset({"MALAYALAM"}),
    "my": frozenset({"MYANMAR"}),
    "or": frozenset({"ORIYA"}),
    "pa": frozenset({"GURMUKHI", "ARABIC"}),
    "si": frozenset({"SINHALA"}),
    "ta": frozenset({"TAMIL"}),
    "te": frozenset({"TELUGU"}),
    "th": frozenset({"THAI"}),
}
_RIGHT_TO_LEFT = frozenset({"ARABIC", "HEBREW"})
_LOOK_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK"})
_STYLES = ("FULLWIDTH ", "HALFWIDTH ", "MODIFIER LETTER ")


def scripts_of(locale: str) -> frozenset[str]:
    """The scripts that a locale's language is written in, by the first words of Unicode's names; Latin for most.

    >>> sorted(scripts_of("sr-RS")), sorted(scripts_of("en-GB"))
    (['CYRILLIC', 'LATIN'], ['LATIN'])
    """
    return _SCRIPTS.get(locale.lower().split("-")[0], _LATIN)


def is_right_to_left(locale: str) -> bool:
    """Whether direction marks are ordinary in a locale's texts."""
    return bool(scripts_of(locale) & _RIGHT_TO_LEFT)


def main_script(text: str) -> str | None:
    """The script of most letters of a text; None when it has no letters, or two scripts share them equally.

    >>> main_script("take me to دبي"), main_script("123")
    ('LATIN', None)
    """
    if text.isascii():
        return "LATIN" if any(map(str.isalpha, text)) else None
    counts = Counter(_script(character) for character in text if character.isalpha())
    script, most = counts.most_common(1)[0] if counts else (None, 0)
    return script if most * 2 > counts.total() else None


def mixes_scripts(word: str) -> bool:
    r"""Whether a word has letters of two scripts whose letters look the same: nobody writes so by chance.

    >>> mixes_scripts("t\u0430xi"), mixes_scripts("taxi")
    (True, False)
    """
    if word.isascii():
        return False
    return len({_script(character) for character in word if character.isalpha()} & _LOOK_ALIKE) > 1


@lru_cache(maxsize=65_536)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "UNKNOWN")
    for style in _STYLES:
        name = name.removeprefix(style)
    return name.partition(" ")[0]
