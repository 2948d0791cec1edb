"""Text as Azure compares it: the documented en-US rules, read on our own (not the gate's reading of them).

Source: azure-ai-docs, how-to-custom-speech-human-labeled-transcriptions, "text normalization for US English":
lower case, no punctuation but apostrophes within words, numbers in words ("104 Elm" -> "one oh four elm").
The page shows no more of numbers; we read money, percents, clock times and years (1100 to 1999, 2010 to 2099, in pairs) as
people say them, and all other numbers as cardinals.
"""

import re
import unicodedata

from num2words import num2words

_NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(st|nd|rd|th)?(?![\w])", re.IGNORECASE)
_AMOUNT = r"\d+(?:,\d{3})*(?:\.\d+)?"
_DOLLARS = re.compile(rf"\$\s?({_AMOUNT})")
_PERCENT = re.compile(rf"({_AMOUNT})\s?%")
_CLOCK = re.compile(r"\b(\d{1,2}):([0-5]\d)\b")
_YEAR = re.compile(r"(?<![\d.,$])(1[1-9]\d\d|20[1-9]\d)(?![\d%]|[.,]\d)")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'"})
_OUTER_APOSTROPHE = re.compile(r"(?<![^\W_])'|'(?![^\W_])")
_PUNCTUATION = re.compile(r"[^\w\s']|_")


def normalise(text: str) -> str:
    """Words to compare, single spaces between them.

    >>> normalise("“Holy cow!” said Batman’s sidekick; I'm double-jointed.")
    "holy cow said batman's sidekick i'm double jointed"
    >>> normalise("Tune to 102.7, then 104 Elm Street on the 3rd")
    'tune to one oh two point seven then one oh four elm street on the third'
    >>> normalise("In 1992 it cost $5 at 7:30, 10% less")
    'in nineteen ninety two it cost five dollars at seven thirty ten percent less'
    """
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    text = _NUMBER.sub(_spoken, _said(text.lower()))
    text = _NUMBER.sub(_spoken, _PUNCTUATION.sub(" ", text))  # again: numbers may have stood between marks
    return " ".join(_OUTER_APOSTROPHE.sub(" ", text).split())


def _said(text: str) -> str:
    text = _DOLLARS.sub(r"\1 dollars", text)
    text = _PERCENT.sub(r"\1 percent", text)
    text = _CLOCK.sub(_time, text)
    return _YEAR.sub(lambda match: num2words(int(match[0]), to="year"), text)


def _time(match: re.Match[str]) -> str:
    hours, minutes = match[1], match[2]
    if minutes == "00":
        return hours
    return f"{hours} oh {minutes[1]}" if minutes[0] == "0" else f"{hours} {minutes}"


def _spoken(match: re.Match[str]) -> str:
    digits, fraction, ordinal = match[1].replace(",", ""), match[2], match[3]
    if ordinal:
        return _words(digits, to="ordinal")
    spoken = _cardinal(digits)
    if fraction:
        spoken += " point " + " ".join(_words(digit) for digit in fraction[1:])
    return spoken


def _cardinal(digits: str) -> str:
    if len(digits) == 3 and digits[1] == "0" and digits[0] != "0" and digits[2] != "0":
        return f"{_words(digits[0])} oh {_words(digits[2])}"
    if digits.startswith("0") or len(digits) > 15:
        return " ".join(_words(digit) for digit in digits)
    return _words(digits)


def _words(digits: str, to: str = "cardinal") -> str:
    words: str = num2words(int(digits), to=to)
    return words.replace("-", " ").replace(",", "").replace(" and ", " ")
