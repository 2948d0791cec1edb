"""Letter-to-sound rules: how names that no dictionary holds are said."""

from pathlib import Path

import pytest

from emulator.dictionary import read_dictionary, shipped_dictionary
from emulator.g2p import FILE_NAME, G2P, load_g2p
from emulator.graphones import LETTERS, align
from emulator.ngram_keys import find

HELD_OUT_EVERY = 40


@pytest.fixture(scope="module")
def rules(model_cache: Path) -> G2P:
    """The rules of the whole shipped dictionary."""
    return load_g2p(model_cache)


def errors(expected: list[str], actual: list[str]) -> int:
    """Edit distance."""
    row = list(range(len(actual) + 1))
    for i, phone in enumerate(expected, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(actual, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (phone != other))
    return row[-1]


@pytest.mark.slow
def test_words_held_out_of_the_dictionary_are_mostly_said_right() -> None:
    """At most one phone in ten is wrong, and for three words in four a right variant is among the first two."""
    dictionary = read_dictionary(shipped_dictionary())
    plain = [word for word in sorted(dictionary) if len(word) > 1 and set(word) <= set(LETTERS[1:])]
    held_out = plain[::HELD_OUT_EVERY]
    rules = G2P.train({word: dictionary[word] for word in set(plain).difference(held_out)})

    guesses = rules.guess(held_out, 2)

    wrong = total = right = 0
    for word in held_out:
        best = guesses[word][0].split()
        one_wrong, one_total = min((errors(v.split(), best), len(v.split())) for v in dictionary[word])
        wrong, total = wrong + one_wrong, total + one_total
        right += any(variant in dictionary[word] for variant in guesses[word])
    assert wrong / total < 0.10
    assert right / len(held_out) > 0.75


def test_learning_twice_gives_the_same_rules() -> None:
    """A model that is rebuilt must hear the same."""
    words = read_dictionary(shipped_dictionary())
    some = {word: words[word] for word in sorted(words)[::50]}

    first, second = (G2P.train(some).guess(["sharjah", "kalba", "qasba"], 3) for _ in range(2))

    assert first == second


def test_the_best_guess_comes_first_and_none_comes_twice(rules: G2P) -> None:
    """The decoder takes every variant for a different one."""
    variants = rules.guess(["sharjah"], 5)["sharjah"]

    assert len(set(variants)) == 5
    assert variants[0].startswith("SH AA R")


def test_words_are_guessed_alike_in_any_company(rules: G2P) -> None:
    """A word's sound must not depend on the other words of a text."""
    together = rules.guess(["souq", "o'hara", "fujairah", "mleiha"], 2)

    assert together == {word: rules.guess([word], 2)[word] for word in together}


def test_no_word_gives_no_guess(rules: G2P) -> None:
    """A text without unknown words asks for nothing."""
    assert rules.guess([], 2) == {}


def test_rules_are_learnt_once_and_then_read(rules: G2P, model_cache: Path) -> None:
    """The file in the cache is not written a second time."""
    written = (model_cache / FILE_NAME).stat().st_mtime_ns

    again = load_g2p(model_cache)

    assert (model_cache / FILE_NAME).stat().st_mtime_ns == written
    assert again.guess(["kalba"], 2) == rules.guess(["kalba"], 2)


def test_letters_find_their_sounds() -> None:
    """In "taxes" and "phone" each letter gets the none, one or two phones that it stands for."""
    dictionary = read_dictionary(shipped_dictionary())
    sample = [(word, dictionary[word][0].split()) for word in sorted(dictionary)[::20] if len(word) == 6]
    alignment = align([*sample, ("taxes", ["T", "AE", "K", "S", "IH", "Z"]), ("phone", ["F", "OW", "N"])] * 2)

    taxes, phone = ([alignment.graphones[i].phones for i in row] for row in sorted(alignment.words[0].tolist())[::2])
    if phone[-1]:
        taxes, phone = phone, taxes
    assert taxes == [("T",), ("AE",), ("K", "S"), ("IH",), ("Z",)]
    assert phone[2:] == [("OW",), ("N",), ()]


def test_the_probabilities_of_what_may_follow_sum_to_one(rules: G2P) -> None:
    """Over all graphones and the end, after a context that occurs."""
    lowest, second = rules.orders[:2]
    context = int(second.contexts[0])
    keys = lowest.keys << 10 | context

    assert rules._probabilities(keys, 2).sum() == pytest.approx(1)
    assert (find(second.keys, keys) >= 0).any()
