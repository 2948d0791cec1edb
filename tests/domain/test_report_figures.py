"""What the report counts, against tables made by hand and against the scorer."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.comparison import Comparison, Measured
from domain.normalise import normaliser_for
from domain.report import HistoryPoint, charts, charts_png
from domain.report.alignments import Column, Heard, alignments
from domain.report.calibration import calibration, normalised_cross_entropy
from domain.report.errors import changes, errors_of, never_heard, word_errors
from domain.report.rates import RESAMPLES, SEED, Rate, Rates, Row, rates, sides_of
from domain.report.sections import audit_of, history_of
from domain.report.wording import finding_figures, points
from domain.significance import wer_interval
from domain.verdict import Finding, Outcome
from domain.wer import Scorecard, UtteranceScore, alignment_of, broken_words, fixed_words, missed_words
from tests.domain.report_samples import decision_of, sample
from tests.domain.test_report_html import history

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join), min_size=3, max_size=3)


def measured(model: str, said: list[str], heard: list[str]) -> Measured:
    """A model that heard these, in recordings named 0, 1 and so on."""
    pairs = zip(said, heard, strict=True)
    scores = (
        UtteranceScore(str(place), one, other, alignment_of(one, other)) for place, (one, other) in enumerate(pairs)
    )
    return Measured(model, Scorecard(tuple(scores), "n"), None)


def comparison(said: list[str], before: list[str], after: list[str], base: list[str] | None = None) -> Comparison:
    """Benchmark and candidate on the same recordings."""
    return Comparison(
        measured("old", said, before), measured("new", said, after), base=measured("base", said, base) if base else None
    )


@given(TEXTS, TEXTS, TEXTS)
def test_words_are_counted_as_the_scorer_counts_them(said: list[str], before: list[str], after: list[str]) -> None:
    """The quick count of the report equals the plain one."""
    one = comparison(said, before, after)
    cards = one.benchmark.scorecard, one.candidate.scorecard

    found = word_errors(one)

    assert (found.fixed, found.broken) == (fixed_words(*cards), broken_words(*cards))
    assert found.missed == missed_words(cards[1])
    assert found.after.total() == cards[1].total.errors


@given(TEXTS, TEXTS)
def test_errors_are_those_of_the_alignment(said: list[str], heard: list[str]) -> None:
    """Each error names the words that the alignment puts side by side."""
    for one in measured("m", said, heard).scorecard.utterances:
        told = [(operation, reference, hypothesis) for operation, _, reference, hypothesis in errors_of(one)]

        assert told == [step for step in one.steps() if step.operation != "H"]


def test_confusions_show_both_models() -> None:
    """What the candidate mixes up less, or more, than the benchmark did."""
    found = changes(word_errors(comparison(["a b", "a b"], ["x b", "x b"], ["a b", "x b c"])), 9)

    assert [(one.kind, one.said, one.heard, one.before, one.after) for one in found] == [
        ("S", "a", "x", 2, 1),
        ("I", None, "c", 0, 1),
    ]


def test_a_word_that_any_model_heard_once_is_not_called_unknown() -> None:
    """Out of vocabulary is what nobody ever hears."""
    said = ["qasba souq dhow bay"] * 2
    one = comparison(said, ["x y dhow z"] * 2, ["qasba y v z", "x y v z"], ["x souq v z", "x y v z"])

    found = never_heard(one, word_errors(one), Counter(" ".join(said).split()))

    assert found == {"bay": 2}


def test_alignments_stand_under_what_was_said() -> None:
    """Columns: what was said, what each model heard instead; a word put in has a column of its own."""
    one = comparison(["take me to qasba"], ["take me to cause bar"], ["take to qasba"])

    shown = alignments(one, sides_of(one)).worst[0]

    heard = [
        (column.said, *(part and f"{part.operation} {part.word}" for part in column.heard)) for column in shown.columns
    ]
    assert heard == [
        ("take", "H take", "H take"),
        ("me", "H me", "D "),
        ("to", "H to", "H to"),
        (None, "I cause", None),
        ("qasba", "S bar", "H qasba"),
    ]


def test_right_words_far_from_errors_are_left_out_and_counted() -> None:
    """A two-hour recording must not fill the page."""
    said = " ".join(["a"] * 50 + ["b"] + ["a"] * 50)
    one = comparison([said], [said], [said.replace("b", "c")])

    columns = alignments(one, sides_of(one)).worse[0].columns

    assert [column.skipped for column in columns] == [47, *[0] * 7, 47]
    assert columns[4] == Column("b", (Heard("H", "b"), Heard("S", "c")))


def test_movers_are_ranked_by_how_many_errors_they_gained_or_lost() -> None:
    """The biggest change comes first, equal ones by name."""
    one = comparison(["a b c", "a b", "a", "a"], ["x y z", "a b", "x", "a"], ["a b c", "x y", "a", "x"])

    found = alignments(one, sides_of(one))

    assert [talk.id for talk in found.better] == ["0", "2"]
    assert [talk.id for talk in found.worse] == ["1", "3"]
    assert [talk.id for talk in found.worst] == ["1", "3"]


def test_rates_are_pooled_and_intervals_are_those_of_the_gate() -> None:
    """The figures of the report and of the verdict never differ."""
    one = sample(120)

    everything = rates(one, sides_of(one)).rows[0]

    for rate, side in zip(everything.rates, sides_of(one).values(), strict=True):
        assert rate.wer == side.wer
        assert rate.interval == wer_interval(side, one.labels, resamples=RESAMPLES, seed=SEED)
    assert (everything.words, everything.speakers) == (one.candidate.scorecard.total.reference_words, 24)


def test_slices_add_up_and_too_few_speakers_have_no_interval() -> None:
    """Every recording is in one slice per label; an interval over four people would be a guess."""
    one = sample(120, speakers=4)

    rows = rates(one, sides_of(one)).rows

    assert sum(row.words for row in rows if row.label == "noise") == rows[0].words
    assert {rate.interval for row in rows for rate in row.rates} == {None}


def test_confidence_is_calibrated_when_it_is_what_it_says() -> None:
    """Words of which the service is 75 % sure are right in three of four cases: no calibration error, no information."""
    said = ["a b c d"] * 10
    side = measured("m", said, ["a b c x"] * 10)
    sure = {one.id: tuple((word, 0.75) for word in one.hypothesis.split()) for one in side.scorecard.utterances}

    found = calibration(Measured("m", side.scorecard, None, sure), str)

    assert found is not None
    assert (found.words, found.ece, len(found.bins)) == (40, 0.0, 1)
    assert found.nce == pytest.approx(0)


def test_normalised_cross_entropy_is_nists_formula() -> None:
    """By hand: three right words at 0.9, 0.8 and 0.6, one wrong at 0.3."""
    entropy = -(3 * math.log2(0.75) + math.log2(0.25))
    told = math.log2(0.9) + math.log2(0.8) + math.log2(0.6) + math.log2(0.7)

    assert normalised_cross_entropy(
        np.array([0.9, 0.8, 0.6, 0.3]), np.array([True, True, True, False])
    ) == pytest.approx((entropy + told) / entropy)
    assert normalised_cross_entropy(np.array([0.9, 1.0]), np.array([True, True])) is None


def test_confidences_that_do_not_fit_the_scored_words_do_not_count() -> None:
    """Nobody knows which word they belong to; the page says how many recordings could be used."""
    normaliser = normaliser_for("en-US")
    side = measured("m", ["one oh four elm", "a b"], ["one oh four elm", "a b"])
    sure = {"0": (("104", 0.5), ("Elm", 0.9)), "1": (("a", 0.9), ("c", 0.9))}

    found = calibration(Measured("m", side.scorecard, None, sure), normaliser)

    assert found is not None
    assert (found.utterances, found.of_utterances, found.words) == (1, 2, 4)
    assert (
        calibration(Measured("m", side.scorecard, None, {"0": (("104", math.nan), ("Elm", 7.0))}), normaliser) is None
    )


def test_one_model_alone_proves_no_reference_wrong() -> None:
    """Two models that agree against a reference are worth listening to; a model agrees with itself always."""
    one = comparison(["a b"], ["a c"], ["a c"])
    itself = Comparison(one.candidate, one.candidate)

    found = audit_of(one, transcripts=True)

    assert found is not None
    assert found.shown[0].words == (("b", "c"),)
    assert audit_of(itself, transcripts=True) is None


def test_history_marks_where_the_testing_data_changed() -> None:
    """Rates on both sides of the mark cannot be compared."""
    assert [one.changed for one in history_of(history()[::-1])] == [True, False, False]


@pytest.mark.parametrize("name", ["$x_1^{$", "ไทย العربية", "\x00\u202e", "a" * 500, "%s {0} \\frac", "<b>&amp;"])
def test_any_label_can_be_drawn(name: str) -> None:
    """matplotlib takes $ for mathematics and warns of unknown letters; a label is neither."""
    row = Row(name, name, 10, 2, (Rate("benchmark", 0.1, None), Rate("candidate", None, None)))
    chart = charts.forest(Rates((row, row)))

    drawn = charts.svg(chart)

    assert "<b>" not in drawn
    assert charts.png([chart]).startswith(b"\x89PNG")


def test_charts_are_the_same_for_the_same_input() -> None:
    """No date, no random id: a report can be compared by its hash."""
    one = sample(60)
    point = HistoryPoint(at="2026-05-01T00:00:00Z", wer=0, words=1, kind="release", testing_hash="t")

    pictures = [charts_png(decision_of(one), one, history=[point]) for _ in range(2)]

    assert pictures[0] == pictures[1]


def test_charts_on_one_page_share_no_id() -> None:
    """A clip path of another chart would cut this one."""
    one = sample(30)
    points = [HistoryPoint(at="2026-05-01T00:00:00Z", wer=0.1, words=1, kind="release", testing_hash="t")]
    drawn = [charts.svg(chart) for chart in (charts.forest(rates(one, sides_of(one))), charts.history(points))]

    first, second = ({part.split('"')[0] for part in one.split(' id="')[1:]} for one in drawn)

    assert not first & second


def test_figures_are_written_for_people() -> None:
    """A count is no percentage, and there is no minus zero."""
    reuse = Finding(rule="reuse", outcome=Outcome.PASS, reason="", value=3, threshold=20)

    assert finding_figures(reuse) == ("3", "", "20")
    assert points(-0.0001) == "+0.0 points"
