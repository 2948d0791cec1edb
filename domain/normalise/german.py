"""German numbers as they are said, in the parts that Azure writes: 23 is "drei und zwanzig".

Microsoft documents two examples ("12,45" is "zwölf komma vier fünf", "12:23" is "zwölf uhr drei und zwanzig") and says that
dollar and Euro amounts are expanded. All else is our reading:

- cardinals; 1100 to 1999 as years are said: "neunzehn hundert zwei und neunzig"
- a leading zero, or five digits and more that do not end in 00: digit by digit, as telephone numbers are said
- "1.250" is always one cardinal; decimals digit by digit; "3,50 €" is "drei euro fünfzig"; "5 %" is "fünf prozent"
- "12:00 Uhr" is "zwölf uhr"
"""

import re
from functools import lru_cache

from num2words import num2words

_NUMBER = r"(?:\d{1,3}(?:\.\d{3})+(?!\d)|\d+)(?:,\d+)?"
_MONEY = re.compile(rf"([€$])\s?({_NUMBER})|(?<![\d.,])({_NUMBER})\s?([€$]|euro\b|dollar\b)", re.ASCII)
_CLOCK = re.compile(r"(?<![\d:.,])(\d{1,2}):([0-5]\d)(?![\d:])(\s*uhr\b)?", re.ASCII)
_PERCENT = re.compile(r"(\d)\s?%", re.ASCII)
_ANY = re.compile(_NUMBER, re.ASCII)

_DIGITS = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
_LONGEST_CARDINAL = 15  # digits; longer ones are identifiers, and are spelt

_TEENS = "dreizehn|vierzehn|fünfzehn|sechzehn|siebzehn|achtzehn|neunzehn|zehn|elf|zwölf"
_TENS = "(?:zwanzig|drei(?:ß|ss)ig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig)"
_UNITS = "eins|ein|zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun"
_PART = rf"{_TEENS}|{_TENS}(?:ste[mnrs]?)?|(?:{_UNITS})(?:und(?={_TENS}))?|(?:hundert|tausend)(?:und)?"
_NUMBER_WORD = re.compile(rf"(?<!\S)(?:{_PART})++(?!\S)")
_PARTS = re.compile(rf"{_TEENS}|{_TENS}(?:ste[mnrs]?)?|{_UNITS}|hundert|tausend|und")


def expand_german_numbers(text: str) -> str:
    """Write every number in lower-case `text` in words; white space becomes single spaces.

    >>> expand_german_numbers("es ist 12:23 uhr"), expand_german_numbers("{12,45}")
    ('es ist zwölf uhr dreiundzwanzig uhr', '{ zwölf komma vier fünf }')
    """
    if not _ANY.search(text):
        return text
    text = _MONEY.sub(_money, text)
    text = _CLOCK.sub(_clock, text)
    text = _PERCENT.sub(r"\1 prozent", text)
    text = _ANY.sub(lambda match: f" {_number(match[0])} ", text)
    return " ".join(text.split())


def part_german_numbers(text: str) -> str:
    """Part number words as Azure does; other words stay as they are. Punctuation is gone.

    >>> part_german_numbers("dreiundzwanzig hundertelf einundzwanzigste achtung")
    'drei und zwanzig hundert elf ein und zwanzigste achtung'
    """
    return _NUMBER_WORD.sub(lambda match: " ".join(_PARTS.findall(match[0])), text)


def _money(match: re.Match[str]) -> str:
    amount, sign = match[2] or match[3], match[1] or match[4]
    unit = "euro" if sign in ("€", "euro") else "dollar"
    whole, _, decimals = amount.partition(",")
    if decimals and len(decimals) != 2:
        return f" {_number(amount)} {unit} "
    if decimals.strip("0") and not whole.strip("0."):
        return f" {_one(decimals.lstrip('0'))} cent "
    rest = f" {_cardinal(decimals.lstrip('0'))}" if decimals.strip("0") else ""
    return f" {_one(whole.replace('.', '').lstrip('0') or '0')} {unit}{rest} "


def _clock(match: re.Match[str]) -> str:
    hour, minute, said = _one(match[1]), match[2], match[3] or ""
    return f" {hour} uhr " if minute == "00" else f" {hour} uhr {_cardinal(minute)}{said} "


def _number(number: str) -> str:
    whole, _, decimals = number.partition(",")
    return f"{_whole(whole)} komma {_spell(decimals)}" if decimals else _whole(whole)


def _whole(number: str) -> str:
    digits = number.replace(".", "")
    if len(digits) > _LONGEST_CARDINAL or (digits.startswith("0") and digits != "0"):
        return _spell(digits)
    if "." in number:
        return _cardinal(digits)
    if 1100 <= int(digits) <= 1999:
        return _words(int(digits), to="year")
    return _spell(digits) if len(digits) >= 5 and not digits.endswith("00") else _cardinal(digits)


def _one(digits: str) -> str:
    """Before a noun, 1 is "ein"."""
    return "ein" if digits.lstrip("0") == "1" else _cardinal(digits)


def _cardinal(digits: str) -> str:
    return _spell(digits) if len(digits) > _LONGEST_CARDINAL else _words(int(digits))


@lru_cache(maxsize=4_096)
def _words(value: int, to: str = "cardinal") -> str:
    return str(num2words(value, lang="de", to=to)).lower()


def _spell(digits: str) -> str:
    return " ".join(_DIGITS[int(digit)] for digit in digits)
