"""Phrases that matter: read, or refused with the line and the remedy."""

import pytest

from domain.comparison import Phrase
from domain.phrases import parse_phrases


def test_phrases_are_read_in_their_order() -> None:
    """Blank lines and a byte-order mark do not count."""
    phrases, problems = parse_phrases(b"\xef\xbb\xbfAl Qasba\tmust\n\nMleiha\n", "phrases.tsv")

    assert phrases == (Phrase("Al Qasba", must=True), Phrase("Mleiha"))
    assert not problems


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b"Mleiha\tmay", "one tab and the word `must`"), (b"\tmust", "is not a phrase"), (b"kalba\nKalba", "second time")],
)
def test_a_bad_line_is_named(line: bytes, reason: str) -> None:
    """With its number and what to write instead."""
    _, problems = parse_phrases(b"Sharjah\n" + line + b"\n", "phrases.tsv")

    assert len(problems) == 1
    assert reason in problems[0].reason
    assert problems[0].line == 2 + line.count(b"\n")
