"""Text made comparable before words are counted: the normaliser decides more about a WER than most models do.

A normaliser is a named, versioned value. Its fingerprint goes into every result, and results with different
fingerprints must never be compared.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from domain.naming import fingerprint
from domain.spoken_numbers import expand_numbers

Step = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Steps that turn a transcript into words in lower case with single spaces between them.

    Applying it twice changes nothing more. Whoever changes what a step does raises `version`.

    >>> normaliser_for("en-US")('"Holy cow!" said Batman.')
    'holy cow said batman'
    """

    name: str
    version: int
    steps: tuple[Step, ...]

    def __call__(self, text: str) -> str:
        """The normalised text; empty when `text` holds no words."""
        for step in self.steps:
            text = step(text)
        return text

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) over name, version and the names of the steps, in order."""
        return fingerprint(self.name, self.version, [step.__name__ for step in self.steps])


def normaliser_for(locale: str) -> Normaliser:
    """The normaliser for a locale: `azure-en-US` for every English one, else `unicode`, which expands no numbers.

    >>> normaliser_for("en-GB").name, normaliser_for("de-DE").name
    ('azure-en-US', 'unicode')
    """
    return AZURE_EN_US if locale.lower().split("-")[0] == "en" else UNICODE


class _Characters(dict[int, str]):
    """What becomes of each character, found out when it is first met; a table for `str.translate`.

    Letters, marks, numbers and the apostrophe stay; everything else, white space included, becomes a space.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if character == "'" or unicodedata.category(character)[0] in "LMN" else " "
        return self[code]


_CHARACTERS = _Characters()
_APOSTROPHES = {ord(mark): "'" for mark in "’‘ʼ＇´`′"}
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_LONE_APOSTROPHE = re.compile(r"(?<!\S)'+|'+(?!\S)|'{2,}")


def drop_invisible(text: str) -> str:
    """Remove byte-order marks, zero-width characters and soft hyphens, which no one sees and every aligner counts."""
    return _INVISIBLE.sub("", text)


def plain_apostrophes(text: str) -> str:
    """Write every kind of apostrophe as U+0027, as Microsoft asks for in references."""
    return text.translate(_APOSTROPHES)


def canonical_lower(text: str) -> str:
    """Lower case in canonical composition (NFC)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def compatible_casefold(text: str) -> str:
    """Case folded in compatibility composition (NFKC): full-width letters, ligatures and circled digits become plain."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())


def strip_punctuation(text: str) -> str:
    """Replace punctuation and symbols by spaces; an apostrophe stays only inside a word."""
    return " ".join(_LONE_APOSTROPHE.sub(" ", text.translate(_CHARACTERS)).split())


AZURE_EN_US = Normaliser(
    name="azure-en-US",
    version=1,
    steps=(drop_invisible, plain_apostrophes, canonical_lower, expand_numbers, strip_punctuation),
)
"""The rules that Azure applies to en-US transcripts: lower case, no punctuation except apostrophes within words, numbers
as spoken. Source: Microsoft, "How to create human-labeled transcriptions", section en-US; all seven examples hold.

How numbers are said beyond those examples is our reading: see `domain.spoken_numbers`. Known misses, which Microsoft
leaves to whoever writes the references: abbreviations ("Dr.", "UTF-8"), letters and digits mixed ("2x4", "H2O",
"OU812"), symbols ("O+", "Ke$ha", "R&B"), ranges ("1-3pm"), "007" (we say "oh oh seven"), "$3.14" as "three fourteen",
negative numbers ("-5" loses its sign), dates, decades ("the '90s"), and "pm" against "p m".
"""

UNICODE = Normaliser(
    name="unicode",
    version=1,
    steps=(drop_invisible, plain_apostrophes, compatible_casefold, plain_apostrophes, strip_punctuation),
)
"""For every other locale: NFKC, case folding, punctuation and symbols to spaces. It is not Azure's rule for any of them.

Known misses: numbers stay digits; no word segmentation for Chinese, Japanese, Thai, Lao, Khmer and Burmese, where a word
error rate means little; Turkish dotless i is folded as elsewhere.
"""
