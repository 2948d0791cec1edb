"""Alignments: jiwer's, by a shorter way."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import jiwer
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import domain.alignment
from domain.alignment import alignments, by_jiwer
from domain.mistakes import Mistake
from domain.normalise import Normaliser
from domain.wer import score, score_utterances
from tests.domain.sclite_corpora import RATES, corpus, digest

SCLITE = json.loads((Path(__file__).parents[1] / "data" / "sclite.json").read_text())
WORDS = st.text(alphabet="ab日é'", min_size=1, max_size=2)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)
PLAIN = Normaliser("plain", 1, ())
Codes = npt.NDArray[np.int64]


def error_rows(references: Sequence[str], hypotheses: Sequence[str]) -> Codes:
    """Words, substitutions, deletions and insertions of each pair, from its alignment."""
    found = alignments(references, hypotheses)
    return np.array([[len(one) - one.count("I"), *map(one.count, "SDI")] for one in found])


def random_pairs(count: int, seed: int) -> list[tuple[str, str]]:
    """Pairs of at most ten of four words: few enough words that many alignments have the same number of errors."""
    rng = random.Random(seed)

    def text() -> str:
        return " ".join(rng.choices("abcd", k=rng.randrange(11)))

    return [(text(), text()) for _ in range(count)]


def jiwers_counts(reference: str, hypothesis: str) -> tuple[int, int, int, int]:
    """Hits, substitutions, deletions and insertions by jiwer alone; it splits these texts as we do."""
    counted = jiwer.process_words(reference, hypothesis)
    return counted.hits, counted.substitutions, counted.deletions, counted.insertions


def our_counts(reference: str, hypothesis: str) -> tuple[int, int, int, int]:
    """The same four by us."""
    counts = score(reference, hypothesis)
    return counts.hits, counts.substitutions, counts.deletions, counts.insertions


def fewest_errors(pairs: list[tuple[str, str]]) -> Codes:
    """The textbook's dynamic programme over all pairs at once, independent of jiwer and rapidfuzz."""
    said, heard = (_coded([pair[side] for pair in pairs]) for side in (0, 1))
    table = np.zeros((len(pairs), said.shape[1] + 1, heard.shape[1] + 1), dtype=np.int64)
    table[:, :, 0], table[:, 0, :] = np.arange(said.shape[1] + 1), np.arange(heard.shape[1] + 1)
    for row in range(said.shape[1]):
        for column in range(heard.shape[1]):
            dropped, added = table[:, row, column + 1] + 1, table[:, row + 1, column] + 1
            swapped = table[:, row, column] + (said[:, row] != heard[:, column])
            table[:, row + 1, column + 1] = np.minimum(np.minimum(dropped, added), swapped)
    lengths = [(len(one.split()), len(other.split())) for one, other in pairs]
    return table[np.arange(len(pairs)), [one for one, _ in lengths], [other for _, other in lengths]]


def _coded(texts: list[str]) -> Codes:
    return np.array([[*map(ord, text.split()), *[0] * (10 - len(text.split()))] for text in texts])


@given(TEXTS, TEXTS)
def test_every_count_is_jiwers_whatever_the_texts(reference: str, hypothesis: str) -> None:
    """jiwer is the scorer of record."""
    assert our_counts(reference, hypothesis) == jiwers_counts(reference, hypothesis)


def test_every_count_is_jiwers_on_thousands_of_random_pairs() -> None:
    """Pair by pair, not only in total: what is drawn in a report is what jiwer would draw."""
    said, heard = map(list, zip(*random_pairs(5_000, seed=1), strict=True))

    assert alignments(said, heard) == by_jiwer(said, heard)
    assert [our_counts(*pair) for pair in zip(said[:500], heard[:500], strict=True)] == [
        jiwers_counts(*pair) for pair in zip(said[:500], heard[:500], strict=True)
    ]


def test_errors_are_the_fewest_possible_on_20_000_random_pairs() -> None:
    """An independent dynamic programme finds no alignment with fewer errors."""
    pairs = random_pairs(20_000, seed=2)
    rows = error_rows([said for said, _ in pairs], [heard for _, heard in pairs])

    assert np.array_equal(rows[:, 1:].sum(axis=1), fewest_errors(pairs))
    assert rows[:, 0].tolist() == [len(said.split()) for said, _ in pairs]


@pytest.mark.parametrize("name", RATES)
def test_the_wer_is_sclites(name: str) -> None:
    """Microsoft says that its WER can be had with sclite; the split into S, D and I differs by tie-break."""
    texts, theirs = corpus(name), SCLITE[name]
    assert digest(texts) == theirs["digest"], "another corpus than sclite's figures are of"

    words, *errors = error_rows(*texts).sum(axis=0).tolist()

    assert words == theirs["words"]
    assert sum(errors) / words == pytest.approx(theirs["errors"] / theirs["words"], rel=0.0002)


def test_a_lecture_of_20_000_words_is_one_utterance() -> None:
    """The longest recording that Azure tests with has about so many."""
    said = [f"w{number % 997}" for number in range(20_000)]
    heard = ["what" if place % 100 == 0 else word for place, word in enumerate(said) if place % 250 != 1]

    counts = score(" ".join(said), " ".join(heard))

    assert (counts.reference_words, counts.substitutions, counts.deletions, counts.insertions) == (20_000, 200, 80, 0)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("", "", ""),
        ("", "hm well", "II"),
        ("hm well", "", "DD"),
        (" \t ", "\u3000", ""),
        ("a\tb\u00a0c\u3000d", "a b c d", "HHHH"),
    ],
)
def test_nothing_said_and_nothing_heard_are_texts_too(reference: str, hypothesis: str, expected: str) -> None:
    """An empty output is nothing but deletions, and babble in silence nothing but insertions."""
    assert alignments([reference], [hypothesis]) == [expected]


@pytest.mark.parametrize("side", ["reference", "transcript"])
def test_a_text_too_long_to_align_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    """Time grows with the square of the words: better a clear word than an hour of silence."""
    monkeypatch.setattr(domain.alignment, "LONGEST_UTTERANCE", 10)
    texts = {"reference": {"a.wav": "one"}, "transcript": {"a.wav": "one"}}
    texts[side] = {"a.wav": "word " * 11}

    with pytest.raises(Mistake, match=rf"the {side} of 'a\.wav' has 11 words: at most 10"):
        score_utterances(texts["reference"], texts["transcript"], PLAIN)
    with pytest.raises(Mistake, match=rf"the {side} of utterance 1 has 11 words"):
        error_rows(list(texts["reference"].values()), list(texts["transcript"].values()))


def test_more_utterances_than_can_be_promised_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory of a worker is not gambled with."""
    monkeypatch.setattr(domain.alignment, "MOST_UTTERANCES", 2)

    with pytest.raises(Mistake, match="3 utterances are too many: score at most 2 at once"):
        error_rows(["a"] * 3, ["a"] * 3)


def test_a_jiwer_that_aligns_differently_stops_the_scoring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of tomorrow's release must not be mixed with today's without a word."""
    monkeypatch.setattr(domain.alignment, "by_jiwer", lambda references, _: ["S"] * len(references))

    assert alignments(["a"], ["a"]) == ["H"]
    with pytest.raises(Mistake, match=r"requirements\.lock"):
        alignments(["a b"], ["a"])


def test_sides_of_different_length_are_refused() -> None:
    """A line that is missing would shift every pair after it."""
    with pytest.raises(ValueError, match="argument"):
        error_rows(["a", "b"], ["a"])


def test_a_great_many_different_words_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words' numbers start again when there are too many; no alignment notices."""
    said, heard = map(list, zip(*random_pairs(200, seed=3), strict=True))
    before = alignments(said, heard)
    monkeypatch.setattr(domain.alignment, "_MOST_WORDS_KNOWN", 2)

    assert alignments(said, heard) == before
