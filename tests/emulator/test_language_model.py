"""Language models: what sentences teach, and how general English and a domain are mixed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pocketsphinx import Config, LogMath, NGramModel

from emulator.dictionary import shipped_language_model
from emulator.language_model import (
    NOTHING,
    HeldOut,
    bigram_probabilities,
    cross_validate,
    estimate,
    mix,
    token_keys,
    trigram_probabilities,
    with_words,
)
from emulator.ngram_keys import Probabilities
from emulator.trie import WORD_BITS, NGrams, read_trie, write_trie

WORDS = ("</s>", "<s>", "a", "b", "c", "d")
IDS = {word: number for number, word in enumerate(WORDS)}
Sentences = st.lists(st.lists(st.sampled_from(WORDS[2:]), min_size=1, max_size=6), min_size=1, max_size=12)

DOMAIN = [
    sentence.split()
    for sentence in (
        "take the godrive to the qasba canal",
        "the godrive waits at the fort",
        "book a godrive to the souq",
        "how far is the souq from the fort",
        "the souq is near the qasba canal",
        "take me to the fort of kalba",
        "is there a godrive in kalba",
    )
]


@pytest.fixture(scope="module")
def general_english() -> NGrams:
    """The shipped model with the domain's words added."""
    return with_words(read_trie(shipped_language_model()), sorted({word for line in DOMAIN for word in line}))


def model_of(sentences: list[list[str]]) -> NGrams:
    """A domain model over the tiny vocabulary."""
    return estimate(token_keys(sentences, IDS), WORDS)


def all_after(model: NGrams, *newest_first: str) -> Probabilities:
    """The probability of every word after a context."""
    previous, before = (*(model.words.index(word) for word in newest_first), NOTHING)[:2]
    return trigram_probabilities(model, np.arange(len(model.words)) << 2 * WORD_BITS | previous << WORD_BITS | before)


def test_a_domain_model_follows_witten_and_bell() -> None:
    """After "a" came b twice and c once: two kinds in three, so two fifths go to what single words say."""
    model = model_of([["a", "b"], ["a", "b"], ["a", "c"]])
    b_after_a = bigram_probabilities(model, np.array([IDS["b"] << WORD_BITS | IDS["a"]]))[0]

    assert model.unigrams[IDS["b"]] == pytest.approx((2 + 4 * 1 / 5) / (9 + 4))
    assert b_after_a == pytest.approx((2 + 2 * model.unigrams[IDS["b"]]) / (3 + 2))


def test_nothing_predicts_the_start_of_a_sentence() -> None:
    """Its mark is where prediction begins, and never a word that is heard."""
    assert model_of([["a", "b"]]).unigrams[IDS["<s>"]] == 0


@given(Sentences)
def test_what_a_domain_model_gives_to_all_words_sums_to_one(sentences: list[list[str]]) -> None:
    """After nothing, one word or two, seen or never seen."""
    model = model_of(sentences)

    for context in (("<s>",), ("a",), ("a", "<s>"), ("b", "a"), ("d", "c")):
        assert all_after(model, *context).sum() == pytest.approx(1)


@given(Sentences, Sentences, st.floats(0.01, 0.99))
def test_a_mixture_sums_to_one_and_lies_between_its_models(
    ours: list[list[str]], theirs: list[list[str]], weight: float
) -> None:
    """Every n-gram of either model has its exact share, and back-off leaves neither gap nor overlap."""
    base, domain = model_of(theirs), model_of(ours)
    mixed = mix(base, domain, weight)
    expected = (1 - weight) * trigram_probabilities(base, mixed.trigram_keys)
    expected += weight * trigram_probabilities(domain, mixed.trigram_keys)

    assert mixed.trigrams == pytest.approx(expected)
    for context in (("<s>",), ("a",), ("a", "<s>"), ("b", "a"), ("d", "c")):
        assert all_after(mixed, *context).sum() == pytest.approx(1, abs=1e-4)


@given(Sentences)
def test_mixing_a_model_with_itself_changes_no_n_gram(sentences: list[list[str]]) -> None:
    """Whatever the weight."""
    model = model_of(sentences)

    assert mix(model, model, 0.3).trigrams == pytest.approx(model.trigrams)


def test_the_real_mixture_sums_to_one_in_pocketsphinx(general_english: NGrams, tmp_path: Path) -> None:
    """Read by the decoder's own code, after rounding, for contexts of either model, of both and of none."""
    ids = {word: number for number, word in enumerate(general_english.words)}
    mixed = mix(general_english, estimate(token_keys(DOMAIN, ids), general_english.words), 0.5)
    write_trie(mixed, tmp_path / "mixed.lm.bin")
    model = NGramModel(Config(lm=None), LogMath(), str(tmp_path / "mixed.lm.bin"))

    for context in ([], ["the"], ["godrive", "the"], ["to", "want"], ["qasba"], ["zydeco", "kalba"]):
        total = sum(1.0001 ** model.prob([word, *context]) for word in mixed.words)
        assert total == pytest.approx(1, abs=2e-3), context


def test_a_domain_makes_its_own_words_likelier_and_keeps_the_others(general_english: NGrams) -> None:
    """The new name becomes possible, and general English stays within reach."""
    ids = {word: number for number, word in enumerate(general_english.words)}
    mixed = mix(general_english, estimate(token_keys(DOMAIN, ids), general_english.words), 0.5)

    assert all_after(general_english, "the")[ids["godrive"]] == 0
    assert all_after(mixed, "the")[ids["godrive"]] > 0.01
    assert (
        all_after(mixed, "the", "of")[ids["president"]]
        > 0.4 * all_after(general_english, "the", "of")[ids["president"]]
    )


def test_words_that_are_added_take_their_share_from_the_others() -> None:
    """A name that only a pronunciation row knows gets a little, and the whole stays one."""
    model = with_words(model_of([["a", "b"]]), ["x", "y", "a"], probability=0.01)

    assert model.words[-2:] == ("x", "y")
    assert model.unigrams.sum() == pytest.approx(1)
    assert all_after(mix(model, model, 0.0), "b", "a").sum() == pytest.approx(1)


def test_held_out_text_asks_for_the_model_that_predicts_it() -> None:
    """Much of the domain when the domain is right, little when it is wrong."""
    likely, unlikely = np.full(50, 0.2), np.full(50, 0.001)

    assert HeldOut(base=unlikely, domain=likely).best_weight() > 0.95
    assert HeldOut(base=likely, domain=unlikely).best_weight() < 0.05


def test_perplexities_are_over_words_that_general_english_knows() -> None:
    """A name of probability zero would make the base model's perplexity infinite, and tell nothing."""
    before, after = HeldOut(base=np.array([0.1, 0.0]), domain=np.array([0.5, 0.5])).perplexities(0.5)

    assert (before, after) == pytest.approx((10, 1 / 0.3))


def test_a_coherent_domain_lowers_the_perplexity_of_sentences_it_has_not_seen(general_english: NGrams) -> None:
    """Seven sentences are enough for that, each predicted by a model of the others."""
    held_out = cross_validate(DOMAIN, general_english)

    assert held_out is not None
    before, after = held_out.perplexities(held_out.best_weight())
    assert after < before / 2


def test_a_single_sentence_leaves_nothing_to_hold_out(general_english: NGrams) -> None:
    """The weight must then come from elsewhere."""
    assert cross_validate(DOMAIN[:1], general_english) is None
