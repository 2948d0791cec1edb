"""MAPSSWE: the figures of NIST's sc_stats, to the last digit that it prints."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alignment import alignments
from domain.comparison import Comparison, Measured
from domain.significance import MatchedPairs, matched_alignments, matched_pairs
from domain.wer import Scorecard, UtteranceScore

FIXTURES = Path(__file__).parent.parent / "data" / "mapsswe"
"""Made by benchmarks/mapsswe_fixtures.py with Debian's sctk."""
NAMES = sorted(file.stem for file in FIXTURES.glob("*.tsv"))


def columns(name: str) -> list[list[str]]:
    """Reference, benchmark, candidate, and sclite's alignments of both."""
    lines = (FIXTURES / f"{name}.tsv").read_text().removesuffix("\n").split("\n")
    return [list(column) for column in zip(*(line.split("\t") for line in lines), strict=True)]


def figures(name: str) -> tuple[int, float, float, float]:
    """Segments, mean, standard deviation and Z, as sc_stats printed them."""
    told = (FIXTURES / f"{name}.sc_stats").read_text()
    found = re.search(r"# segs: (\d+)\).*mean: (\S+)\) \(std dev: (\S+)\) \(Z Stat: (\S+)\)", told)
    assert found
    return int(found[1]), float(found[2]), float(found[3]), float(found[4])


def test_there_are_fixtures() -> None:
    """A wrong path must not make all of this vacuous."""
    assert len(NAMES) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_those_of_sc_stats(name: str) -> None:
    """On sclite's own alignments: the same segments, and mean, deviation and Z within the digits that it prints."""
    segments, mean, deviation, z = figures(name)

    ours = matched_alignments(*columns(name)[3:])

    assert ours.segments == segments
    assert (ours.mean, ours.deviation, ours.z) == pytest.approx((mean, deviation, z), abs=0.0006)


@pytest.mark.parametrize("name", NAMES)
def test_on_our_alignments_the_figures_are_near(name: str) -> None:
    """jiwer breaks ties otherwise than sclite, which moves the edges of some segments and no conclusion."""
    reference, benchmark, candidate, *_ = columns(name)

    ours = matched_alignments(alignments(reference, benchmark), alignments(reference, candidate))

    segments, _, _, z = figures(name)
    assert ours.segments == pytest.approx(segments, rel=0.02)
    assert ours.z == pytest.approx(z, abs=0.05)


LETTERS = st.lists(st.tuples(st.sampled_from("HHHSD"), st.sampled_from("HHHSD"), st.integers(0, 2), st.integers(0, 1)))


@settings(deadline=None)
@given(st.lists(LETTERS, max_size=4))
def test_segments_end_where_both_have_two_words_right(utterances: list[list[tuple[str, str, int, int]]]) -> None:
    """An independent walk from word to word finds the same segments."""
    benchmark = ["".join("I" * one + letter for letter, _, one, _ in words) for words in utterances]
    candidate = ["".join("I" * two + letter for _, letter, _, two in words) for words in utterances]

    segments = [saved for words in utterances for saved in walked(words)]

    ours = matched_alignments(benchmark, candidate)
    assert ours.segments == len(segments)
    assert ours.mean == pytest.approx(sum(segments) / len(segments) if segments else 0)


def walked(words: list[tuple[str, str, int, int]]) -> list[int]:
    """The errors that the candidate saves, per segment of one utterance."""
    saved: list[int] = []
    right = 2
    for first, second, inserted, also_inserted in words:
        for one, two in ((inserted, also_inserted), (first != "H", second != "H")):
            if one or two:
                saved = [*saved, 0] if right >= 2 else saved
                saved[-1] += int(one) - int(two)
                right = 0
        right += first == second == "H"
    return saved


def test_equal_systems_show_no_difference() -> None:
    """There is no Z to divide out, and no evidence of anything."""
    assert matched_alignments(["HHSHH"], ["HHDHH"]) == MatchedPairs(1, 0.0, 0.0, None, 1.0)
    assert matched_alignments([], []) == MatchedPairs(0, 0.0, 0.0, None, 1.0)


def test_unanimous_segments_are_judged_by_their_number() -> None:
    """All segments better by one error: the deviation is 0, and Z would be infinite. Three of three are no proof."""
    few, many = (matched_alignments(["SHHHH"] * number, ["HHHHH"] * number) for number in (3, 30))

    assert (few.p, few.mean, few.deviation) == (0.25, 1.0, 0.0)
    assert many.p < 1e-6
    assert many.z is not None
    assert few.z is not None
    assert many.z > few.z > 0


def test_only_utterances_of_both_count_and_a_better_candidate_is_positive() -> None:
    """The order of the candidate's utterances is no matter: they are paired by id."""
    benchmark = card({"1": "SHHHHSHHH", "2": "HHHH", "3": "DDDD"})
    candidate = card({"2": "HHHH", "1": "HHHHHSHHH"})

    pairs = matched_pairs(Comparison(Measured("old", benchmark, None), Measured("new", candidate, None)))

    assert (pairs.segments, pairs.mean) == (2, 0.5)


def card(alignments: dict[str, str]) -> Scorecard:
    """A scorecard with these alignments."""
    return Scorecard(tuple(UtteranceScore(name, "", "", letters) for name, letters in alignments.items()), "n1")
