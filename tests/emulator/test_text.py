"""Text as people write it, and the words of the recogniser."""

import pytest

from emulator.text import Tokeniser, as_display, display_forms, unit_of


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Don’t stop, Ali's GoDrive!", "don't stop ali's godrive"),
        ("The well-known fort", "the well known fort"),
        ("It costs $5 or 20%.", "it costs five dollars or twenty percent"),
        ("at 10:30 or 9:00", "at ten thirty or nine"),
        ("built in 1823", "built in eighteen twenty three"),
        ("1,823 ships", "one thousand eight hundred twenty three ships"),
        ("the 3rd gate", "the third gate"),
        ("Marks & Spencer", "marks and spencer"),
        ("R2D2 and 3CPO", "r2d2 and 3cpo"),
        ("... !?", ""),
        ("", ""),
    ],
)
def test_a_line_becomes_the_words_that_are_spoken(line: str, words: str) -> None:
    """Numbers, money and times are said in words, apostrophes stay, other marks go."""
    assert " ".join(Tokeniser().words(line)) == words


def test_display_forms_of_several_words_stay_together() -> None:
    """The longest one wins, and only whole words count."""
    rows = [("Al Majaz", "al mah jazz"), ("Al Majaz Park", "al mah jazz park"), ("24/7", "twenty four seven")]
    line = "Al Majaz park, al majaz; national majaz is open 24/7"

    assert Tokeniser(rows).words(line) == (
        *("al_majaz_park", "al_majaz", "national", "majaz", "is", "open", "twenty_four_seven"),
    )


def test_a_display_form_that_cannot_be_said_is_no_unit() -> None:
    """It would otherwise match between all letters."""
    assert unit_of("…") == ""
    assert Tokeniser([("…", "dots")]).words("the fort") == ("the", "fort")


def test_capitals_are_learnt_from_the_middle_of_sentences() -> None:
    """The first word's capital says nothing, unless the word has another one."""
    forms = display_forms(["Roads lead to Sharjah. Roads end.", "GoDrive waits", "BBC news"], [])

    assert forms == {"sharjah": "Sharjah", "godrive": "GoDrive", "bbc": "BBC"}


def test_a_row_names_its_display_form() -> None:
    """However the text writes it, unless the text has an ordinary word of the same letters."""
    rows = [("GoDrive", "go drive"), ("IT", "i t"), ("Al Majaz", "al mah jazz")]

    assert display_forms(["take a Godrive, take it"], rows) == {"godrive": "GoDrive", "al_majaz": "Al Majaz"}


def test_recognised_words_are_written_as_a_sentence() -> None:
    """With display forms, a capital and a full stop."""
    forms = {"godrive": "GoDrive", "sharjah": "Sharjah", "al_majaz": "Al Majaz"}

    assert as_display(["is", "al_majaz", "in", "sharjah"], forms) == "Is Al Majaz in Sharjah."
    assert as_display(["i", "think", "i'll", "take", "the", "godrive"], forms) == "I think I'll take the GoDrive."


def test_silence_is_written_as_nothing() -> None:
    """No lone full stop."""
    assert as_display([], {}) == ""
