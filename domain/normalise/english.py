"""English numbers as they are said: digits in a transcript become the words that a recogniser writes.

Microsoft documents three examples ("104" is "one oh four", "102.7" is "one oh two point seven", "3.14" is "three point
one four") and says that dollar amounts are expanded. All else is our reading, chosen for what speakers say most often:

- hundreds with a zero in the middle: "one oh four"; other numbers as cardinals without "and"
- 1100 to 1999 and 2010 to 2099 in pairs, as years are said: "nineteen ninety two"
- a leading zero, or five digits and more that do not end in 00: digit by digit, as telephone numbers are said
- "1,250" is always one cardinal; decimals digit by digit; "$3.50" is "three dollars and fifty cents"; "5%" "five percent"
- "3:05" is "three oh five", "3:00" is "three"
"""

import re
from functools import lru_cache

from num2words import num2words

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_DOLLARS = re.compile(rf"\$\s?({_NUMBER})(?:\s(hundred|thousand|million|billion|trillion)\b)?", re.ASCII)
_CLOCK = re.compile(r"(?<![\d:.,])(\d{1,2}):([0-5]\d)(?![\d:])", re.ASCII)
_ORDINAL = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th)\b", re.ASCII)
_PERCENT = re.compile(r"(\d)\s?%", re.ASCII)
_ANY = re.compile(_NUMBER, re.ASCII)

_DIGITS = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LONGEST_CARDINAL = 15  # digits; longer ones are identifiers, and are spelt


def expand_numbers(text: str) -> str:
    """Write every number in lower-case `text` in words; white space becomes single spaces.

    >>> expand_numbers("tune to 102.7"), expand_numbers("104 elm street, 21st floor")
    ('tune to one oh two point seven', 'one oh four elm street, twenty first floor')
    """
    if not _ANY.search(text):
        return text
    text = _DOLLARS.sub(_dollars, text)
    text = _CLOCK.sub(_clock, text)
    text = _ORDINAL.sub(_ordinal, text)
    text = _PERCENT.sub(r"\1 percent", text)
    text = _ANY.sub(lambda match: f" {_number(match[0])} ", text)
    return " ".join(text.split())


def _dollars(match: re.Match[str]) -> str:
    amount, scale = match[1], match[2]
    if scale:
        return f" {_number(amount)} {scale} dollars "
    dollars, _, cents = amount.partition(".")
    if cents and len(cents) != 2:
        return f" {_number(amount)} dollars "
    said = [_units(dollars, "dollar")] if dollars.strip("0") or not cents.strip("0") else []
    said += [_units(cents, "cent")] if cents.strip("0") else []
    return f" {' and '.join(said)} "


def _units(number: str, unit: str) -> str:
    digits = number.replace(",", "").lstrip("0") or "0"
    said = _spell(digits) if len(digits) > _LONGEST_CARDINAL else _cardinal(digits)
    return f"{said} {unit}" if digits == "1" else f"{said} {unit}s"


def _clock(match: re.Match[str]) -> str:
    hour, minute = match[1], match[2]
    return f" {_cardinal(hour)} " if minute == "00" else f" {_cardinal(hour)} {_whole(minute)} "


def _ordinal(match: re.Match[str]) -> str:
    return f" {_words(int(match[1].replace(',', '')), to='ordinal')} "


def _number(number: str) -> str:
    whole, _, decimals = number.partition(".")
    said = [_whole(whole)] if whole else []
    said += ["point", _spell(decimals, zero="zero")] if decimals else []
    return " ".join(said)


def _whole(number: str) -> str:
    digits = number.replace(",", "")
    if len(digits) > _LONGEST_CARDINAL or (digits.startswith("0") and digits != "0"):
        return _spell(digits)
    if "," in number:
        return _cardinal(digits)
    if 1100 <= int(digits) <= 1999 or 2010 <= int(digits) <= 2099:
        return _words(int(digits), to="year")
    oh_in_the_middle = len(digits) == 3 and digits[1] == "0" and digits[2] != "0"
    identifier = len(digits) >= 5 and not digits.endswith("00")
    return _spell(digits) if oh_in_the_middle or identifier else _cardinal(digits)


def _cardinal(digits: str) -> str:
    return _words(int(digits))


def _spell(digits: str, zero: str = "oh") -> str:
    return " ".join(zero if digit == "0" else _DIGITS[int(digit)] for digit in digits)


@lru_cache(maxsize=4_096)
def _words(value: int, to: str = "cardinal") -> str:
    """Without the hyphens and commas of print, and without the British "and"."""
    return str(num2words(value, to=to)).replace("-", " ").replace(",", "").replace(" and ", " ")
