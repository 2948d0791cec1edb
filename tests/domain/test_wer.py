"""Counting word errors."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.normalise import normaliser_for
from domain.wer import (
    ErrorCounts,
    Scorecard,
    UtteranceScore,
    broken_words,
    fixed_words,
    missed_words,
    score,
    score_utterances,
)

EN_US = normaliser_for("en-US")
SENTENCES = st.lists(st.sampled_from("abcd"), max_size=12).map(" ".join)
PAIRS = st.lists(st.tuples(SENTENCES, SENTENCES), max_size=8)


def scorecard(references: list[str], hypotheses: list[str]) -> Scorecard:
    """Both sides under the ids `0.wav`, `1.wav` and so on."""
    return score_utterances(named(references), named(hypotheses), EN_US)


def named(texts: list[str]) -> dict[str, str]:
    """Texts under the ids `0.wav`, `1.wav` and so on."""
    return {f"{number}.wav": text for number, text in enumerate(texts)}


def least_errors(reference: list[str], hypothesis: list[str]) -> int:
    """The edit distance by the textbook, independent of jiwer."""
    row = list(range(len(hypothesis) + 1))
    for said in reference:
        left, row[0] = row[0], row[0] + 1
        for place, heard in enumerate(hypothesis, start=1):
            left, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, left + (said != heard))
    return row[-1]


@given(PAIRS.filter(lambda pairs: any(reference for reference, _ in pairs)))
def test_counts_are_jiwers(pairs: list[tuple[str, str]]) -> None:
    """jiwer is the scorer of record: every count is its, over any number of utterances."""
    references, hypotheses = [one for one, _ in pairs], [one for _, one in pairs]
    words = jiwer.process_words(references, hypotheses)

    total = scorecard(references, hypotheses).total

    assert (total.hits, total.substitutions) == (words.hits, words.substitutions)
    assert (total.deletions, total.insertions) == (words.deletions, words.insertions)
    assert total.wer == pytest.approx(words.wer)


@given(SENTENCES, SENTENCES)
def test_errors_are_the_fewest_possible_and_every_word_is_counted(reference: str, hypothesis: str) -> None:
    """H+S+D are the reference's words, H+S+I the hypothesis's, and no alignment has fewer errors."""
    counts = score(reference, hypothesis)

    assert counts.errors == least_errors(reference.split(), hypothesis.split())
    assert counts.hits + counts.substitutions + counts.deletions == counts.reference_words == len(reference.split())
    assert counts.hits + counts.substitutions + counts.insertions == len(hypothesis.split())


@given(PAIRS)
def test_the_total_is_the_sum_of_the_utterances(pairs: list[tuple[str, str]]) -> None:
    """Counts are pooled; rates are never averaged."""
    card = scorecard([one for one, _ in pairs], [one for _, one in pairs])

    assert card.total == sum((one.counts for one in card.utterances), ErrorCounts())


@given(PAIRS)
def test_a_scorecard_survives_storage(pairs: list[tuple[str, str]]) -> None:
    """Evidence that is read back years later says exactly what it said."""
    card = scorecard([one for one, _ in pairs], [one for _, one in pairs])

    assert Scorecard.from_json(card.to_json()) == card


@given(SENTENCES, SENTENCES)
def test_the_alignment_shows_every_word_once_and_in_order(reference: str, hypothesis: str) -> None:
    """What a report shows side by side are the two texts, nothing lost."""
    (utterance,) = scorecard([reference], [hypothesis]).utterances
    steps = list(utterance.steps())

    assert [step.reference for step in steps if step.reference is not None] == reference.split()
    assert [step.hypothesis for step in steps if step.hypothesis is not None] == hypothesis.split()
    assert [word for word, _ in utterance.heard_right()] == reference.split()


def test_an_empty_reference_counts_insertions_and_gives_no_rate() -> None:
    """Words heard in silence are errors, but a rate over no words is no evidence."""
    counts = score("", "hm well")

    assert (counts.insertions, counts.reference_words, counts.wer) == (2, 0, None)


def test_insertions_in_silence_raise_the_total() -> None:
    """A model that babbles in silence must not look better for it."""
    assert scorecard(["one two", ""], ["one two", "three"]).wer == pytest.approx(0.5)


@pytest.mark.parametrize("gap", ["\t", "\u00a0", "\u3000", "\n", "  "])
def test_any_white_space_parts_words(gap: str) -> None:
    """jiwer alone would give a WER of 1 here, on a transcript that is right."""
    assert score(f"turn{gap}left", "turn left").errors == 0


def test_utterances_are_paired_by_id_not_by_place() -> None:
    """The service lists transcripts in any order."""
    card = score_utterances({"a.wav": "one", "b.wav": "two"}, {"b.wav": "two", "a.wav": "one"}, EN_US)

    assert card.total.errors == 0
    assert card.is_complete


def test_a_recording_without_a_transcript_is_reported() -> None:
    """A model must not win by staying silent about the hard recordings."""
    card = score_utterances({"easy.wav": "one", "hard.wav": "two"}, {"easy.wav": "one"}, EN_US)

    assert card.missing == ("hard.wav",)
    assert not card.is_complete


def test_a_transcript_of_an_unknown_recording_is_reported() -> None:
    """It would mean that another dataset was evaluated."""
    card = score_utterances({"a.wav": "one"}, {"a.wav": "one", "z.wav": "two"}, EN_US)

    assert card.unexpected == ("z.wav",)
    assert not card.is_complete


def test_a_second_transcript_of_a_recording_is_reported_and_not_scored() -> None:
    """Which of the two is right nobody knows, so the scorecard is not complete."""
    card = score_utterances({"a.wav": "one"}, [("a.wav", "one"), ("a.wav", "two")], EN_US)

    assert (card.unexpected, card.total.errors) == (("a.wav",), 0)


def test_both_sides_are_normalised_and_the_scorecard_says_how() -> None:
    """Display form against lexical form costs no model a word."""
    card = score_utterances({"a.wav": "104 Elm Street."}, {"a.wav": "one oh four elm street"}, EN_US)

    assert card.total.errors == 0
    assert (card.comparable, card.unit) == (True, "word")
    assert (card.normaliser, card.normaliser_name) == (EN_US.fingerprint, "azure-en-US 2")


def test_a_script_without_spaces_is_scored_by_character_and_the_scorecard_says_so() -> None:
    """A stray space is no error there, and the rate cannot be held against the service's."""
    card = score_utterances({"a.wav": "我今年 21 岁"}, {"a.wav": "我今年二十二岁"}, normaliser_for("zh-CN"))

    assert (card.total.reference_words, card.total.substitutions, card.total.errors) == (7, 1, 1)
    assert (card.comparable, card.unit) == (False, "character")


def test_composed_and_decomposed_letters_are_the_same_word() -> None:
    """Which of the two a keyboard makes nobody sees."""
    assert scorecard(["caf\u00e9"], ["cafe\u0301"]).total.errors == 0


def test_evidence_of_an_earlier_version_can_still_be_read() -> None:
    """Scorecards that were stored before they said what was counted hold words."""
    utterance = b'{"id":"a.wav","reference":"one","hypothesis":"one","alignment":"H"}'

    card = Scorecard.from_json(b'{"utterances":[' + utterance + b'],"normaliser":"n1","missing":[],"unexpected":[]}')

    assert (card.wer, card.comparable, card.unit) == (0.0, True, "word")


def test_words_are_fixed_broken_and_missed_at_their_place() -> None:
    """The second `bank` is fixed although the first was right before; `the` is broken in the same sentence."""
    reference = ["the bank by the river bank to qasba"]
    benchmark = scorecard(reference, ["the bank by the river tank to cause bar"])
    candidate = scorecard(reference, ["a bank by the river bank to cuss bar"])

    assert fixed_words(benchmark, candidate) == {"bank": 1}
    assert broken_words(benchmark, candidate) == {"the": 1}
    assert missed_words(candidate) == {"the": 1, "qasba": 1}


def test_scorecards_of_different_references_cannot_be_compared() -> None:
    """Fixed words would be nonsense."""
    with pytest.raises(ValueError, match=r"0\.wav"):
        fixed_words(scorecard(["one"], ["one"]), scorecard(["two"], ["two"]))


def test_many_utterances_are_scored_like_few() -> None:
    """Batches are an inner matter: nothing changes at their edges."""
    references = ["the same", "turn left now", ""] * 1_000
    hypotheses = ["the same", "turn right", "hm"] * 1_000

    total = scorecard(references, hypotheses).total

    assert (total.reference_words, total.substitutions, total.deletions, total.insertions) == (
        5_000,
        1_000,
        1_000,
        1_000,
    )


@pytest.mark.parametrize("wrong", [{"substitutions": 1}, {"reference_words": 2, "deletions": 3}, {"insertions": -1}])
def test_impossible_counts_cannot_be_made(wrong: dict[str, int]) -> None:
    """-1 is Azure's sign for "not yet", and never a count."""
    with pytest.raises(ValueError, match="impossible"):
        ErrorCounts(**wrong)


def test_an_utterance_that_contradicts_itself_is_noticed() -> None:
    """Evidence whose alignment does not fit its words is refused when it is read."""
    with pytest.raises(ValueError, match="argument"):
        list(UtteranceScore("a.wav", "one two", "one", "H").heard_right())
