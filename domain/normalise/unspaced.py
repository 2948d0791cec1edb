"""Scripts that put no spaces between words: there, one character is one token, and the rate is a mixed error rate.

A word error rate of a line without spaces is 0 or 1. Segmenters would make words, but each release makes other ones.
"""

import re

from domain.normalise.characters import strip_punctuation

_SCRIPTS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Burmese
    "\u1780-\u17ff\u19e0-\u19ff"  # Khmer
    "\u1950-\u19df\u1a20-\u1aaf\uaa80-\uaadf"  # Tai Le, New Tai Lue, Tai Tham, Tai Viet
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u303c"  # radicals, 々〇 and their like
    "\u3041-\u30ff\u31f0-\u31ff\U0001aff0-\U0001b16f"  # kana
    "\u3100-\u312f\u31a0-\u31bf"  # bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_MARK = r"[^\w\s']"
_TOKENS = re.compile(rf"(?=\w)[{_SCRIPTS}]{_MARK}*|(?:[^{_SCRIPTS}\s]|{_MARK})+")
_THAI_AM = re.compile("\u0e4d([\u0e48-\u0e4b]?)\u0e32")
_LAO_AM = re.compile("\u0ecd([\u0ec8-\u0ecb]?)\u0eb2")


def whole_am_vowels(text: str) -> str:
    """Write the Thai and Lao vowel AM as the one character that people type; NFKC takes it apart, with the tone between.

    >>> whole_am_vowels("น\\u0e4d\\u0e49\\u0e32") == whole_am_vowels("น\\u0e49\\u0e4d\\u0e32") == "น้ำ"
    True
    """
    return _LAO_AM.sub("\\1\u0eb3", _THAI_AM.sub("\\1\u0e33", text))


def one_token_per_character(text: str) -> str:
    """Part characters of scripts without spaces, each with its combining marks; words of other scripts stay whole.

    The text holds letters, marks, numbers, apostrophes and spaces only: punctuation is gone. An apostrophe stays only
    inside a token.

    >>> one_token_per_character("ไปที่wifi 7号")
    'ไ ป ที่ wifi 7 号'
    """
    tokens = " ".join(_TOKENS.findall(text))
    return strip_punctuation(tokens) if "'" in tokens else tokens
