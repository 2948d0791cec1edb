"""Which rules hold for which locale."""

from domain.normalise.characters import (
    canonical_lower,
    compatible_casefold,
    compatible_upper,
    drop_apostrophes,
    drop_invisible,
    plain_apostrophes,
    plain_digits,
    strip_punctuation,
    turkic_lower,
)
from domain.normalise.english import expand_numbers
from domain.normalise.german import expand_german_numbers, part_german_numbers
from domain.normalise.mandarin import expand_mandarin_numbers
from domain.normalise.normaliser import Normaliser
from domain.normalise.unspaced import one_token_per_character, whole_am_vowels

AZURE_EN_US = Normaliser(
    name="azure-en-US",
    version=2,
    steps=(drop_invisible, plain_apostrophes, canonical_lower, expand_numbers, strip_punctuation),
)
"""The rules that Azure applies to en-US transcripts: lower case, no punctuation except apostrophes within words, numbers
as spoken. Source: Microsoft, "How to create human-labeled transcriptions", section en-US; all seven examples hold.

How numbers are said beyond those examples is our reading: see `domain.normalise.english`. Known misses, which Microsoft
leaves to whoever writes the references: abbreviations ("Dr.", "UTF-8"), letters and digits mixed ("2x4", "H2O",
"OU812"), symbols ("O+", "Ke$ha", "R&B"), ranges ("1-3pm"), "007" (we say "oh oh seven"), "$3.14" as "three fourteen",
negative numbers ("-5" loses its sign), dates, decades ("the '90s"), and "pm" against "p m".
"""

AZURE_DE_DE = Normaliser(
    name="azure-de-DE",
    version=1,
    steps=(
        drop_invisible,
        plain_apostrophes,
        drop_apostrophes,
        canonical_lower,
        expand_german_numbers,
        strip_punctuation,
        part_german_numbers,
    ),
)
"""The rules that Azure applies to de-DE transcripts: lower case, no punctuation at all, numbers as spoken. Source: the same
page, section de-DE; its three automatic and three prepared examples hold. Umlauts and ß stay as they are.

Azure writes 23 as "drei und zwanzig"; we part every number word so, however it was written. More of numbers is our
reading: see `domain.normalise.german`. Known misses: abbreviations ("ca."), ordinals ("3. Mai" is "drei mai"), fractions,
operators (Microsoft removes them, so do we), and "12:23 Uhr", which Azure itself says with "uhr" twice. Not copied: Azure
drops whole rows with one of ¢¤¥¦§©ª¬®°±²µ×ÿ, and letters with a diaeresis other than ä, ö and ü.
"""

AZURE_ZH_CN = Normaliser(
    name="azure-zh-CN",
    version=1,
    steps=(
        drop_invisible,
        compatible_upper,
        plain_apostrophes,
        plain_digits,
        expand_mandarin_numbers,
        strip_punctuation,
        one_token_per_character,
    ),
    comparable=False,
    unit="character",
)
"""The rules that Azure applies to zh-CN transcripts, one token per character: no punctuation, numbers as spoken, full-width
letters to half-width, Latin letters in upper case. Source: the same page, section zh-CN; all seven examples hold but for
the words that Azure's segmenter makes of the characters, which is why its WER is another number than ours.

More of numbers is our reading: see `domain.normalise.mandarin`. Known misses: "504" of a room (we say 五百零四), telephone
numbers with hyphens, 二 against 两 where the reference has characters, and traditional against simplified.
"""

UNICODE = Normaliser(
    name="unicode",
    version=2,
    steps=(drop_invisible, plain_apostrophes, compatible_casefold, plain_apostrophes, plain_digits, strip_punctuation),
    comparable=False,
)
"""For every other locale: NFKC, case folding, punctuation and symbols to spaces, digits of every script as 0 to 9. It is
not Azure's rule for any of them: Microsoft documents none, so a difference from the service's WER proves nothing.

Known misses: numbers stay digits; vowel signs of Arabic and Hebrew count where only one side writes them; Persian words with
a zero-width non-joiner are closed up.
"""

TURKIC = Normaliser(
    name="unicode-turkic",
    version=1,
    steps=(drop_invisible, turkic_lower, *UNICODE.steps[1:]),
    comparable=False,
)
"""As `UNICODE`, for Turkish and Azerbaijani, where I and İ are the capitals of ı and i."""

CHARACTERS = Normaliser(
    name="unicode-characters",
    version=1,
    steps=(*UNICODE.steps[:-1], whole_am_vowels, strip_punctuation, one_token_per_character),
    comparable=False,
    unit="character",
)
"""As `UNICODE`, for languages without spaces: a mixed error rate, see `domain.normalise.unspaced`.

Known misses: as `UNICODE`'s; Khmer and Burmese stacked consonants are two tokens.
"""

ALL = (AZURE_EN_US, AZURE_DE_DE, AZURE_ZH_CN, UNICODE, TURKIC, CHARACTERS)
"""Every normaliser that this version knows."""

_BY_LANGUAGE = {
    "en": AZURE_EN_US,
    "de": AZURE_DE_DE,
    **dict.fromkeys(("tr", "az"), TURKIC),
    **dict.fromkeys(("zh", "yue", "wuu", "nan", "hak", "ja", "th", "lo", "km", "my", "bo", "dz"), CHARACTERS),
}


def normaliser_for(locale: str) -> Normaliser:
    """The normaliser for a locale: Azure's rules where Microsoft documents them, else the general ones.

    >>> [normaliser_for(locale).name for locale in ("en-GB", "de-AT", "zh-CN-sichuan", "zh-TW", "tr-TR", "fr-FR")]
    ['azure-en-US', 'azure-de-DE', 'azure-zh-CN', 'unicode-characters', 'unicode-turkic', 'unicode']
    """
    language, _, region = locale.lower().replace("_", "-").partition("-")
    if language == "zh" and region.split("-")[0] == "cn":
        return AZURE_ZH_CN
    return _BY_LANGUAGE.get(language, UNICODE)


def normaliser_with(fingerprint: str) -> Normaliser | None:
    """The normaliser that made words under this fingerprint; None when this version has none such (any more)."""
    return next((one for one in ALL if one.fingerprint == fingerprint), None)
