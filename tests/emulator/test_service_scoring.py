"""Scoring: counts, rates, token classes, and Azure's documented normalisation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.normaliser import normalise
from emulator.scoring import Tally, align_tokens, align_words, counts, token_class


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Holy cow!” said Batman.", "holy cow said batman"),
        ("“What?” said Batman’s sidekick, Robin.", "what said batman's sidekick robin"),
        ("Go get -em!", "go get em"),
        ("I'm double-jointed", "i'm double jointed"),
        ("104 Elm Street", "one oh four elm street"),
        ("Tune to 102.7", "tune to one oh two point seven"),
        ("Pi is about 3.14", "pi is about three point one four"),
        ("'quoted' rock 'n' roll", "quoted rock n roll"),
        ("1,250 on the 21st", "one thousand two hundred fifty on the twenty first"),
        ("007 and A4 and v2.0", "zero zero seven and a4 and v2 zero"),
        ("Café_au\tlait\n", "café au lait"),
        ("!!!", ""),
    ],
)
def test_text_is_normalised_as_documented(text: str, expected: str) -> None:
    """Every example of Microsoft's page for US English, and what lies near."""
    assert normalise(text) == expected


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    """Or the gate's figures could depend on who normalises first."""
    assert normalise(normalise(text)) == normalise(text)


def test_errors_are_counted_by_kind() -> None:
    """One substitution, one deletion, one insertion."""
    found = counts(align_words("we drive to Al Majaz park today", "we drove to al park today please"))

    assert found == {"reference": 7, "correct": 5, "substitutions": 1, "deletions": 1, "insertions": 1}


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_the_counts_add_up_to_the_texts(reference: list[str], heard: list[str]) -> None:
    """correct + S + D is the reference, correct + S + I what was heard."""
    found = counts(align_words(" ".join(reference), " ".join(heard)))

    assert found["correct"] + found["substitutions"] + found["deletions"] == found["reference"] == len(reference)
    assert found["correct"] + found["substitutions"] + found["insertions"] == len(heard)


def test_rates_are_pooled_not_averaged() -> None:
    """Ten right words and one wrong one are 9.1 %, not 50 %; four decimals as a fraction."""
    tally = Tally()
    for reference, heard in (("a b c d e f g h i j", "a b c d e f g h i j"), ("k", "l")):
        tally.add(align_words(reference, heard), align_tokens(reference, heard))

    properties = tally.properties(2)
    assert properties["wordErrorRate2"] == 0.0909
    assert properties["sentenceErrorRate2"] == 0.5
    assert properties["tokenErrors2"]["lexical"] == {"numberOfEdits": 1, "percentageOfAllEdits": 100.0}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ((".", None), "punctuation"),
        ((None, ","), "punctuation"),
        (("sharjah", "Sharjah"), "capitalization"),
        (("two", "2"), "inverseTextNormalization"),
        (("qasba", "casbah"), "lexical"),
        ((None, "um"), "lexical"),
    ],
)
def test_token_edits_have_classes(edit: tuple, expected: str) -> None:
    """The names are Azure's."""
    assert token_class(edit) == expected
