"""How words of a custom model are said, and where that is learnt from."""

from functools import partial
from pathlib import Path

import pytest

from emulator.dictionary import read_dictionary, shipped_dictionary, write_dictionary
from emulator.g2p import load_g2p
from emulator.lexicon import Lexicon

SPELLINGS = {"godrive": "GoDrive", "qwrtz": "QWRTZ", "uaeb": "UAEB", "souq": "Souq"}
COMMON = frozenset(("watch", "tower", "palm", "tree", "go", "drive"))


@pytest.fixture(scope="module")
def dictionary() -> dict[str, tuple[str, ...]]:
    """The shipped dictionary."""
    return read_dictionary(shipped_dictionary())


@pytest.fixture
def lexicon(dictionary: dict[str, tuple[str, ...]], model_cache: Path) -> Lexicon:
    """A lexicon that knows a few spellings."""
    return Lexicon(dictionary, COMMON, SPELLINGS, partial(load_g2p, model_cache))


def test_a_word_of_the_dictionary_needs_nothing(lexicon: Lexicon) -> None:
    """Only what is new or changed is reported."""
    assert lexicon.pronounce(["desert", "camel"], []) == {}


def test_a_row_says_how_a_name_is_spoken(lexicon: Lexicon) -> None:
    """Its spoken form is looked up word by word."""
    assert lexicon.pronounce([], [("GoDrive", "go drive")]) == {"godrive": ("G OW D R AY V",)}


def test_a_row_may_spell_letters_and_numbers(lexicon: Lexicon) -> None:
    """As in Microsoft's own example, "3CPO" is spoken "three c p o"."""
    assert lexicon.pronounce([], [("3CPO", "three c p o")])["3cpo"][0] == "TH R IY S IY P IY OW"


def test_a_row_may_spell_a_sound_that_is_no_word(lexicon: Lexicon) -> None:
    """Letter-to-sound rules read what the dictionary does not hold."""
    assert "JH" in lexicon.pronounce([], [("Sharjah", "shar jhaz")])["sharjah"][0]


def test_two_rows_for_one_name_are_two_ways_to_say_it(lexicon: Lexicon) -> None:
    """Speakers differ."""
    rows = [("Souq", "souk"), ("Souq", "sock")]

    assert lexicon.pronounce(["souq"], rows)["souq"] == ("S UW K", "S AA K")


def test_a_row_for_a_known_word_comes_before_the_dictionary(lexicon: Lexicon) -> None:
    """The usual way to say it stays possible."""
    assert lexicon.pronounce([], [("Tomato", "toe mah toe")])["tomato"] == (
        "T OW M AA T OW",
        "T AH M EY T OW",
        "T AH M AA T OW",
    )


def test_one_row_gives_at_most_three_variants(lexicon: Lexicon) -> None:
    """ "A" and "the" have two sounds each; all combinations would confuse the decoder."""
    assert len(lexicon.pronounce([], [("Athea", "a the a")])["athea"]) == 3


def test_a_row_about_several_words_makes_one_unit(lexicon: Lexicon) -> None:
    """The unit is what the tokeniser makes of the display form."""
    assert lexicon.pronounce([], [("Al Majaz", "al mah jazz")]) == {"al_majaz": ("AE L M AA JH AE Z",)}


@pytest.mark.parametrize(
    ("word", "variant"),
    [
        ("godrive", "G OW D R AY V"),
        ("watchtower", "W AA CH T AW ER"),
        ("qwrtz", "K Y UW D AH B AH L Y UW AA R T IY Z IY"),
        ("b12", "B IY T W EH L V"),
        ("mp3", "EH M P IY TH R IY"),
        ("palm_tree", "P AA M T R IY"),
    ],
)
def test_spelling_tells_how_a_new_word_is_made(word: str, variant: str, lexicon: Lexicon) -> None:
    """Capitals, common parts, letters and digits come before letter-to-sound rules."""
    assert lexicon.pronounce([word], [])[word][0] == variant


def test_an_acronym_with_vowels_is_read_both_ways(lexicon: Lexicon) -> None:
    """Nobody knows whether it is said like NASA or like the UAE."""
    variants = lexicon.pronounce(["uaeb"], [])["uaeb"]

    assert len(variants) == 2
    assert "Y UW EY IY B IY" in variants


@pytest.mark.parametrize(
    ("word", "ending"), [("souq's", "K S"), ("kalba's", "AH Z"), ("majaz's", "Z IH Z"), ("godrive's", "V Z")]
)
def test_a_possessive_sounds_as_english_wants_it(word: str, ending: str, lexicon: Lexicon) -> None:
    """Voiceless, voiced and hissing ends differ, whether a row or the rules say the name."""
    rows = [("Souq", "souk")]

    assert all(variant.endswith(ending) for variant in lexicon.pronounce([word], rows)[word][:1])


def test_an_unknown_name_gets_two_guesses(lexicon: Lexicon) -> None:
    """One is wrong too often, three leave a pronunciation file nothing to gain."""
    assert len(lexicon.pronounce(["fujairah"], [])["fujairah"]) == 2


def test_accents_do_not_matter(lexicon: Lexicon) -> None:
    """An accented name is read like the plain one."""
    assert lexicon.pronounce(["kalbá"], [])["kalbá"] == lexicon.pronounce(["kalba"], [])["kalba"]


def test_a_word_in_another_script_gets_no_sound(lexicon: Lexicon) -> None:
    """It is left out, and the words beside it are not."""
    assert set(lexicon.pronounce(["москва", "مدينة", "kalba"], [])) == {"kalba"}


@pytest.mark.parametrize("row", [("", "nothing"), ("Qasba", ""), ("...", "dots"), ("Qasba", "москва")])
def test_a_row_that_says_nothing_is_passed_over(row: tuple[str, str], lexicon: Lexicon) -> None:
    """The other rows still count."""
    assert set(lexicon.pronounce([], [row, ("Souq", "souk")])) == {"souq"}


def test_a_dictionary_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Variants keep their order."""
    words = {"read": ("R EH D", "R IY D"), "souq": ("S UW K",)}
    write_dictionary(words, tmp_path / "words.dict")

    assert read_dictionary(tmp_path / "words.dict") == words
    assert "read(2) R IY D" in (tmp_path / "words.dict").read_text()
