"""How recognitions are written down."""

import pytest

from emulator.presentation import Presentation, ProfanityFilterMode, PunctuationMode, filtered, timed_display_words

WORDS = [
    {"text": "ten", "offset_seconds": 1.0, "duration_seconds": 0.5},
    {"text": "euros", "offset_seconds": 1.5, "duration_seconds": 0.5},
]


def test_display_words_share_the_time_when_they_are_fewer_than_the_spoken_ones() -> None:
    """By their lengths, from where the first word begins to where the last one ends."""
    assert timed_display_words("10€", WORDS) == [("10€", 1.0, 1.0)]
    assert timed_display_words("It is ok.", WORDS) == [
        ("It", 1.0, pytest.approx(2 / 7)),
        ("is", pytest.approx(1 + 2 / 7), pytest.approx(2 / 7)),
        ("ok.", pytest.approx(1 + 4 / 7), pytest.approx(3 / 7)),
    ]


def test_silence_has_no_display_words() -> None:
    """Nor has a phrase of which nothing is left."""
    assert timed_display_words("", []) == timed_display_words("", WORDS) == []


def test_without_punctuation_apostrophes_and_decimals_stay() -> None:
    """Only the marks around words go."""
    shown = Presentation(punctuation=PunctuationMode.NONE)

    assert shown.display({"display": "Well, it's 2.5 - isn't it?"}) == "Well it's 2.5 isn't it"


def test_profanity_is_found_as_a_whole_word_in_any_case() -> None:
    """Scunthorpe is a town."""
    assert filtered("DAMN the Scunthorpe shitake", ProfanityFilterMode.MASKED) == "D*** the Scunthorpe shitake"
