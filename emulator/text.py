"""Between the text that people write and the words that the recogniser knows.

A word of the recogniser is lower-case; a display form of several words ("Al Majaz") is one word, "al_majaz".
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from emulator.normaliser import normalise

Row = tuple[str, str]
"""Display form and spoken form, as a line of Azure's pronunciation file has them: ("GoDrive", "go drive")."""

JOINT = "_"
PRONOUN = re.compile(r"i(?:'\w+)?")
_SURFACE = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?]\W*$")


def unit_of(display: str) -> str:
    """The recogniser's word for a display form; empty when nothing in it can be said.

    >>> unit_of("GoDrive"), unit_of("Al Majaz"), unit_of("24/7")
    ('godrive', 'al_majaz', 'twenty_four_seven')
    """
    return JOINT.join(normalise(display).split())


def lexical_of(unit: str) -> str:
    """How a word of the recogniser is written among lexical words: "al_majaz" is two of them."""
    return unit.replace(JOINT, " ")


class Tokeniser:
    """Turns lines of text into the recogniser's words, with the display forms of pronunciation rows kept whole."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        phrases = sorted((unit for unit in {unit_of(display) for display, _ in rows} if JOINT in unit), key=len)
        spelled = "|".join(re.escape(lexical_of(unit)) for unit in reversed(phrases))
        self._phrases = re.compile(rf"(?<![^ ])(?:{spelled})(?![^ ])") if spelled else None

    def words(self, line: str) -> tuple[str, ...]:
        """The words of one line; none when there is nothing to say in it.

        >>> Tokeniser([("Al Majaz", "al mah jazz")]).words("It's $5 to Al Majaz!")
        ("it's", 'five', 'dollars', 'to', 'al_majaz')
        """
        text = normalise(line.replace("&", " and "))
        if self._phrases:
            text = self._phrases.sub(lambda match: match[0].replace(" ", JOINT), text)
        return tuple(text.split())


def display_forms(sentences: Iterable[str], rows: Iterable[Row]) -> dict[str, str]:
    """How words are written that are not simply lower-case, by the row that names them or by most of the text.

    A word that the text mostly writes in lower case stays so, whatever a row says: "IT" does not turn every "it".

    >>> display_forms(["I went to Sharjah.", "Take a GoDrive to Sharjah", "we took it"], [("IT", "i t")])
    {'sharjah': 'Sharjah', 'godrive': 'GoDrive'}
    """
    written = _most_written(sentences)
    forms = {word: form for word, form in written.items() if form != word}
    for display, _ in rows:
        unit = unit_of(display)
        if unit and written.get(unit) != unit:
            forms[unit] = display
    return forms


def as_display(units: Sequence[str], forms: Mapping[str, str]) -> str:
    """Write recognised words as a sentence, the way Azure's display text looks.

    >>> as_display(["godrive", "and", "i'm", "at", "al_majaz"], {"godrive": "GoDrive", "al_majaz": "Al Majaz"})
    "GoDrive and I'm at Al Majaz."
    """
    text = " ".join(forms.get(unit) or _plain_form(unit) for unit in units)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _plain_form(unit: str) -> str:
    return unit.capitalize() if PRONOUN.fullmatch(unit) else lexical_of(unit)


def _most_written(sentences: Iterable[str]) -> dict[str, str]:
    """Each word's commonest spelling, but for capitals that only start a sentence and say nothing about the word."""
    spellings: dict[str, Counter[str]] = {}
    for sentence in sentences:
        for match in _SURFACE.finditer(sentence):
            starts = not match.start() or _SENTENCE_END.search(sentence, 0, match.start())
            if not starts or match[0][1:] != match[0][1:].lower():
                spellings.setdefault(match[0].lower(), Counter())[match[0]] += 1
    return {
        word: max(counted, key=lambda form: (counted[form], form))
        for word, counted in spellings.items()
        if not PRONOUN.fullmatch(word)
    }
