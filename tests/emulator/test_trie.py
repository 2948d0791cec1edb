"""The binary that PocketSphinx loads, read and written."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pocketsphinx import Config, LogMath, NGramModel

from emulator.dictionary import shipped_language_model
from emulator.trie import WORD_BITS, MalformedTrie, NGrams, _pack, _packed_size, _unpack, read_trie, write_trie

TINY = NGrams(
    words=("</s>", "<s>", "fort", "old", "the"),
    unigrams=np.array([0.2, 1e-30, 0.3, 0.2, 0.3]),
    unigram_backoffs=np.array([1.0, 0.4, 0.5, 0.6, 0.7]),
    bigram_keys=np.array([2 << WORD_BITS | 3, 2 << WORD_BITS | 4, 3 << WORD_BITS | 4]),
    bigrams=np.array([0.7, 0.2, 0.5]),
    bigram_backoffs=np.array([1.0, 1.0, 0.25]),
    trigram_keys=np.array([(2 << 2 * WORD_BITS) | (3 << WORD_BITS) | 4]),
    trigrams=np.array([0.9]),
)


@pytest.fixture(scope="module")
def general_english() -> NGrams:
    """The shipped model, read once."""
    return read_trie(shipped_language_model())


def probability(model: NGramModel, *newest_first: str) -> float:
    """What PocketSphinx itself reads out of a model."""
    return float(1.0001 ** model.prob(list(newest_first)))


def load(path: Path) -> NGramModel:
    """Let PocketSphinx load a model."""
    return NGramModel(Config(lm=None), LogMath(), str(path))


def test_the_shipped_model_is_read_completely(general_english: NGrams) -> None:
    """All words and n-grams are there, but for the six bigrams that its header only claims."""
    sizes = (len(general_english.words), len(general_english.bigrams), len(general_english.trigrams))

    assert sizes == (72_547, 2_051_541, 1_669_625)
    assert general_english.unigrams.sum() == pytest.approx(1, abs=1e-4)


def test_every_table_of_the_shipped_model_is_sorted(general_english: NGrams) -> None:
    """Look-ups rely on the order of keys, which the shipped file breaks in two places."""
    assert np.all(np.diff(general_english.bigram_keys) > 0)
    assert np.all(np.diff(general_english.trigram_keys) > 0)


def test_the_shipped_model_survives_being_written_and_read(general_english: NGrams, tmp_path: Path) -> None:
    """The same n-grams come back; probabilities differ by the rounding to 65,536 bins only."""
    write_trie(general_english, tmp_path / "again.lm.bin")
    again = read_trie(tmp_path / "again.lm.bin")

    assert again.words == general_english.words
    assert np.array_equal(again.bigram_keys, general_english.bigram_keys)
    assert np.array_equal(again.trigram_keys, general_english.trigram_keys)
    assert np.quantile(np.abs(np.log(again.trigrams / general_english.trigrams)), 0.999) < 0.01


def test_pocketsphinx_reads_the_probabilities_that_were_written(tmp_path: Path) -> None:
    """Trigram, back-off to a bigram and back-off to a word all come out of PocketSphinx as they went in."""
    write_trie(TINY, tmp_path / "tiny.lm.bin")
    model = load(tmp_path / "tiny.lm.bin")

    assert probability(model, "fort", "old", "the") == pytest.approx(0.9, rel=1e-3)
    assert probability(model, "fort", "the") == pytest.approx(0.2, rel=1e-3)
    assert probability(model, "the", "old", "the") == pytest.approx(0.25 * 0.6 * 0.3, rel=1e-3)


def test_a_model_with_few_n_grams_is_kept_exactly(tmp_path: Path) -> None:
    """Nothing is rounded away while there are fewer values than bins."""
    write_trie(TINY, tmp_path / "tiny.lm.bin")
    again = read_trie(tmp_path / "tiny.lm.bin")

    for field in fields(NGrams)[1:]:
        assert getattr(again, field.name) == pytest.approx(getattr(TINY, field.name), rel=1e-5), field.name


@given(st.data())
def test_packed_fields_come_out_as_they_went_in(data: st.DataObject) -> None:
    """Whatever the widths, and however many entries the last byte leaves room for."""
    widths = data.draw(st.lists(st.integers(1, 25), min_size=1, max_size=4))
    count = data.draw(st.integers(0, 40))
    columns = [
        np.array(data.draw(st.lists(st.integers(0, 2**width - 1), min_size=count, max_size=count)), np.int64)
        for width in widths
    ]
    packed = _pack(columns, widths)

    assert len(packed) == _packed_size(count, widths)
    assert all(np.array_equal(*pair) for pair in zip(_unpack(packed, count, widths), columns, strict=True))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\\data\\\nngram 1=2\n" * 9, "not a trigram trie"),
        (b"Trie Language Model\x02" + bytes(99), "order 3"),
        (b"Trie Language Model\x03" + bytes([9, 0, 0, 0] * 3) + bytes([1, 0, 0, 0]), "cut off"),
        (b"Trie Language Model\x03" + bytes(99), "16 bits"),
    ],
)
def test_another_file_is_refused_with_its_reason(content: bytes, message: str, tmp_path: Path) -> None:
    """Whoever points at the wrong file is told so."""
    (tmp_path / "model").write_bytes(content)

    with pytest.raises(MalformedTrie, match=message):
        read_trie(tmp_path / "model")


def test_a_trigram_without_its_bigram_is_refused(tmp_path: Path) -> None:
    """PocketSphinx could not reach it."""
    orphan = NGrams(
        **{field.name: getattr(TINY, field.name) for field in fields(NGrams)}
        | {"trigram_keys": np.array([(1 << 2 * WORD_BITS) | (3 << WORD_BITS) | 4])}
    )

    with pytest.raises(MalformedTrie, match="lacks"):
        write_trie(orphan, tmp_path / "orphan.lm.bin")


def test_a_word_with_too_many_predecessors_is_refused(tmp_path: Path) -> None:
    """PocketSphinx multiplies vocabulary and children in 32 bits; beyond that it finds wrong n-grams without a word."""
    size = 70_000
    everything_before_the_last = np.int64(size - 1) << WORD_BITS | np.arange(size - 1)
    huge = NGrams(
        words=tuple(f"w{i}" for i in range(size)),
        unigrams=np.full(size, 1 / size),
        unigram_backoffs=np.ones(size),
        bigram_keys=everything_before_the_last,
        bigrams=np.full(size - 1, 0.5),
        bigram_backoffs=np.ones(size - 1),
        trigram_keys=np.zeros(0, np.int64),
        trigrams=np.zeros(0),
    )

    with pytest.raises(MalformedTrie, match="too many"):
        write_trie(huge, tmp_path / "huge.lm.bin")
