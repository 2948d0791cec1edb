"""Text from data, made harmless for a page: nothing invisible, nothing that turns lines around, nothing endless."""

import re

LONGEST = 400
"""Characters of one text on a page."""

LONGEST_WORD = 48
"""Characters of one word on a page."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f\U000f0000-\U0010ffff]"
)
"""Controls, bidirectional overrides, zero-width characters, tags, private planes, lone surrogates. The joiners U+200C and
U+200D stay: Persian, Hindi and emoji are written with them."""


def harmless(text: str, most: int = LONGEST) -> str:
    """The text with invisible characters made visible, and its end cut off beyond `most` characters, with a note.

    >>> print(harmless("a\\x00b\\u202ec"), harmless("ha" * 500, 10))
    a␀b⟨U+202E⟩c hahahahaha… (1,000 characters)
    """
    shown = _UNSEEN.sub(_visible, text[:most])
    return shown if len(text) <= most else f"{shown}… ({len(text):,} characters)"


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"
