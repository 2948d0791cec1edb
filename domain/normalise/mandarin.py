"""Mandarin numbers as they are said, in Chinese characters.

Microsoft documents seven examples (3.1415, ￥3.5, 1992年8月8日, 5:00, 21岁 and their like). All else is our reading:

- cardinals; 两 for 2 before 千, 万, 亿, 点 of the clock and 元
- a leading zero, or five digits and more that do not end in 00: digit by digit, as telephone numbers are said
- a year of two or four digits before 年: digit by digit; "¥3.55" is 三元五角五分; "5%" is 百分之五; "9:05" is 九点零五分
- zero is 零, however it was written
"""

import re

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_MONEY = re.compile(rf"¥\s?({_NUMBER})", re.ASCII)
_YEAR = re.compile(r"(?<![\d.,])(\d{4}|\d\d)(?=\s?年)", re.ASCII)
_CLOCK = re.compile(r"(?<![\d:.,])(\d{1,2}):([0-5]\d)(?![\d:])", re.ASCII)
_PERCENT = re.compile(rf"(?<![\d.,])({_NUMBER})\s?%", re.ASCII)
_ANY = re.compile(_NUMBER, re.ASCII)

_DIGITS = "零一二三四五六七八九"
_LONGEST_CARDINAL = 16  # digits; longer ones are identifiers, and are spelt


def expand_mandarin_numbers(text: str) -> str:
    """Write every number in characters.

    >>> expand_mandarin_numbers("¥3.5 1992年8月8日 5:00 20305.07")
    '三元五角 一九九二年八月八日 五点 二零三零五点零七'
    """
    text = text.replace("〇", "零")
    if not _ANY.search(text):
        return text
    text = _MONEY.sub(_money, text)
    text = _YEAR.sub(lambda match: _spell(match[1]), text)
    text = _CLOCK.sub(_clock, text)
    text = _PERCENT.sub(lambda match: f"百分之{_number(match[1])}", text)
    return _ANY.sub(lambda match: _number(match[0]), text)


def _money(match: re.Match[str]) -> str:
    whole, _, decimals = match[1].replace(",", "").partition(".")
    if len(decimals) > 2:
        return f"{_number(match[1])}元"
    jiao, fen = int(decimals[:1] or 0), int(decimals[1:] or 0)
    yuan = f"{_before_noun(whole)}元" if whole.strip("0") or not (jiao or fen) else ""
    gap = "零" if yuan and fen and not jiao else ""
    return yuan + (f"{_DIGITS[jiao]}角" if jiao else gap) + (f"{_DIGITS[fen]}分" if fen else "")


def _clock(match: re.Match[str]) -> str:
    hour, minute = _before_noun(match[1]), match[2]
    if minute == "00":
        return f"{hour}点"
    return f"{hour}点{'零' if minute[0] == '0' else ''}{_cardinal(minute)}分"


def _before_noun(digits: str) -> str:
    return "两" if digits.lstrip("0") == "2" else _cardinal(digits)


def _number(number: str) -> str:
    whole, _, decimals = number.partition(".")
    return f"{_whole(whole)}点{_spell(decimals)}" if decimals else _whole(whole)


def _whole(number: str) -> str:
    digits = number.replace(",", "")
    zero_first = digits.startswith("0") and digits != "0"
    identifier = len(digits) >= 5 and not digits.endswith("00") and "," not in number
    return _spell(digits) if zero_first or identifier else _cardinal(digits)


def _spell(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _cardinal(digits: str) -> str:
    if len(digits) > _LONGEST_CARDINAL:
        return _spell(digits)
    said = _large(int(digits))
    return said.removeprefix("一") if said.startswith("一十") else said


def _large(value: int) -> str:
    """Any number below 10,000,000,000,000,000, by hundred millions and ten thousands.

    >>> [_large(value) for value in (0, 21, 504, 2_050, 20_005, 100_000_000)]
    ['零', '二十一', '五百零四', '两千零五十', '两万零五', '一亿']
    """
    for size, name in ((100_000_000, "亿"), (10_000, "万")):
        if value >= size:
            above, rest = divmod(value, size)
            head = "两" if above == 2 else _large(above)
            gap = "零" if 0 < rest < size // 10 else ""
            return f"{head}{name}{gap}{_large(rest) if rest else ''}"
    return _small(value) or "零"


def _small(value: int) -> str:
    """A number below 10,000; nothing for 0."""
    for size, name in ((1_000, "千"), (100, "百"), (10, "十")):
        if value >= size:
            above, rest = divmod(value, size)
            head = "两" if above == 2 and size == 1_000 else _DIGITS[above]
            gap = "零" if 0 < rest < size // 10 else ""
            return f"{head}{name}{gap}{_small(rest)}"
    return _DIGITS[value] if value else ""
