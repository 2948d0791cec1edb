"""German: the words that Azure counts."""

import pytest

from domain.normalise import AZURE_DE_DE, normaliser_for

AUTOMATIC = [
    ("Frankfurter Ring", "frankfurter ring"),
    ("¡Eine Frage!", "eine frage"),
    ("Wir, haben", "wir haben"),
    ('"test", \'test\', "test„, and «test»', "test test test and test"),
]
"""Microsoft's table "normalization automatically performed", de-DE, and the quotation marks that its rules name."""

PREPARED = [
    ("Es ist 12:23 Uhr", "es ist zwölf uhr drei und zwanzig uhr"),
    ("{12,45}", "zwölf komma vier fünf"),
    ("2 plus 3 minus 4", "zwei plus drei minus vier"),
]
"""Microsoft's table of what people should perform: their text, and what the service makes of it."""

LEFT_TO_PEOPLE = [
    ("Es ist 12.23 Uhr", "es ist zwölf uhr drei und zwanzig uhr"),
    ("{12.45}", "zwölf komma vier fünf"),
    ("2 + 3 - 4", "zwei plus drei minus vier"),
]
"""The same table's originals: nobody is told what the service makes of these."""

OUR_READING = [
    ("Größer als Ägypten", "größer als ägypten"),
    ("Wie geht’s? 'gut'", "wie gehts gut"),
    ("5,50 €, € 0,50 und 1 Euro", "fünf euro fünfzig fünfzig cent und ein euro"),
    ("$3,14", "drei dollar vierzehn"),
    ("Es kostet 1.250.", "es kostet ein tausend zwei hundert fünfzig"),
    ("1.250.000,5", "eine million zwei hundert fünfzig tausend komma fünf"),
    ("1992, 2005 und 2024", "neunzehn hundert zwei und neunzig zwei tausend fünf und zwei tausend vier und zwanzig"),
    ("030 1234567", "null drei null eins zwei drei vier fünf sechs sieben"),
    ("12:00 Uhr und 1:00", "zwölf uhr und ein uhr"),
    ("5 % von 250", "fünf prozent von zwei hundert fünfzig"),
    ("1234567890123456", "eins zwei drei vier fünf sechs sieben acht neun null eins zwei drei vier fünf sechs"),
]


@pytest.mark.parametrize(("written", "said"), AUTOMATIC + PREPARED)
def test_every_example_that_microsoft_documents_comes_out_as_documented(written: str, said: str) -> None:
    """Azure counts words after these rules, so we must as well."""
    assert normaliser_for("de-DE")(written) == said


@pytest.mark.parametrize(("original", "said"), LEFT_TO_PEOPLE)
def test_what_microsoft_leaves_to_people_is_a_known_miss(original: str, said: str) -> None:
    """The guide says how to write it; we do not guess."""
    assert AZURE_DE_DE(original) != said


@pytest.mark.parametrize(("written", "said"), OUR_READING)
def test_other_numbers_are_written_as_most_people_say_them(written: str, said: str) -> None:
    """Microsoft says that numbers are expanded, but not how: our choice is pinned here."""
    assert AZURE_DE_DE(written) == said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dreiundzwanzig", "23"),
        ("drei und zwanzig", "23"),
        ("einundzwanzigster", "ein und zwanzigster"),
        ("neunzehnhundertzweiundneunzig", "1992"),
        ("hundertundelf", "hundert und elf"),
    ],
)
def test_a_number_word_costs_nothing_however_it_was_written(one: str, other: str) -> None:
    """References and recognisers write German numbers in one word, in several, or in digits."""
    assert AZURE_DE_DE(one) == AZURE_DE_DE(other)


@pytest.mark.parametrize("word", ["achtung", "hundertschaft", "einhorn", "undine", "tausende", "dreieck", "achte"])
def test_words_that_begin_like_numbers_stay_whole(word: str) -> None:
    """Only a word that is nothing but a number is parted."""
    assert AZURE_DE_DE(word) == word
