"""The gate: a candidate goes live only on valid evidence of a gain that matters."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.comparison import Measured
from domain.gate import check, decide
from domain.policy import GatePolicy
from domain.verdict import Outcome, Verdict
from tests.domain.gate_kit import LABELS, compared, measured, uneven

POLICY = GatePolicy()


def judge(benchmark: int, candidate: int, policy: GatePolicy = POLICY, size: int = 1000, **service: object) -> Verdict:
    """Judge models with so many errors; `service` changes what the service says of the candidate."""
    return decide(compared(measured("old", benchmark, size), measured("new", candidate, size, **service)), policy)


def test_a_real_gain_passes() -> None:
    """Fewer errors than asked for, with every speaker: PASS, with the figures as the reason."""
    verdict = judge(300, 60)

    assert verdict.outcome is Outcome.PASS
    assert verdict.releases
    assert "WER fell from 30.0% to 6.0% (24.0 points)" in verdict.reasons
    assert "both models transcribed all 20 recordings, and our WER agrees with the service's" in verdict.reasons


@pytest.mark.parametrize(
    ("benchmark", "candidate", "reason"),
    [
        (100, 100, "WER stayed at 10.0% (0.0 points); at least 0.2 points less is asked for"),
        (100, 99, "WER fell from 10.0% to 9.9% (0.1 points); at least 0.2 points less is asked for"),
        (100, 105, "WER rose from 10.0% to 10.5% (0.5 points); at least 0.2 points less is asked for"),
        (300, 297, "WER fell from 30.0% to 29.7% (1.0% of it); at least 2.0% less is asked for"),
        (0, 0, "WER stayed at 0.0% (0.0 points); at least 0.2 points less is asked for"),
    ],
)
def test_too_small_a_gain_fails(benchmark: int, candidate: int, reason: str) -> None:
    """Equal or hardly better is no reason to change what is live; Microsoft's template does change it."""
    verdict = judge(benchmark, candidate)

    assert verdict.outcome is Outcome.FAIL
    assert not verdict.releases
    assert reason in verdict.reasons


def test_exactly_the_asked_gain_passes() -> None:
    """3.6 % to 3.4 % is 0.2 points, whatever binary fractions say."""
    assert judge(360, 340, size=10_000).outcome is Outcome.PASS


def test_better_but_not_acceptable_fails() -> None:
    """A track may say which WER is acceptable at all."""
    verdict = judge(400, 250, GatePolicy(target_wer_percent=20))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("WER 25.0% is over the target of 20.0%",)


def test_without_any_minimum_equal_still_fails() -> None:
    """A policy of zero asks for a gain, not for none."""
    assert judge(100, 100, GatePolicy(minimum_gain_points=0, minimum_relative_gain_percent=0)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ({"status": "Failed"}, "the evaluation is Failed"),
        ({"status": "Running", "wer": -1.0, "words": -1}, "the evaluation is Running"),
        ({"wer": -1.0}, "WER of the candidate is -1.0"),
        ({"wer": math.nan}, "WER of the candidate is nan"),
        ({"wer": math.inf}, "WER of the candidate is inf"),
        ({"words": -1}, "word count of the candidate is -1"),
        ({"words": 0}, "word count of the candidate is 0"),
        ({"words": math.nan}, "word count of the candidate is nan"),
        ({"correct": -1}, "count of correct of the candidate is -1"),
        ({"substitutions": -1}, "count of substitutions of the candidate is -1"),
        ({"deletions": -1}, "count of deletions of the candidate is -1"),
        ({"insertions": -1}, "count of insertions of the candidate is -1"),
        ({"correct": 999}, "do not add up"),
        ({"wer": 0.0631}, "our WER of the candidate is 6.00% but the service's is 6.31%"),
        ({"insertions": 900}, "the service's WER of the candidate is 6.00%, but its counts make 96.00%"),
    ],
)
def test_evidence_that_cannot_be_trusted_is_invalid(service: dict[str, object], reason: str) -> None:
    """However good the figures look, nothing goes live on them: -1 is Azure's "not yet", not a perfect score."""
    verdict = judge(300, 60, **service)

    assert verdict.outcome is Outcome.INVALID
    assert any(reason in told for told in verdict.reasons), verdict.reasons


def test_a_small_disagreement_with_the_service_is_fine() -> None:
    """Normalisers differ in details."""
    assert judge(300, 60, wer=0.0629).outcome is Outcome.PASS


def test_a_figure_that_means_something_else_is_not_compared() -> None:
    """Where a script has no spaces we count characters, and the service words."""
    sides = [measured("old", 300), measured("new", 60, wer=0.2, correct=800, substitutions=200)]
    other = [replace(side, scorecard=replace(side.scorecard, comparable=False)) for side in sides]

    assert decide(compared(*sides), POLICY).outcome is Outcome.INVALID
    assert decide(compared(*other), POLICY).outcome is Outcome.PASS


def test_transcripts_without_a_service_can_be_judged() -> None:
    """People without an evaluation get a verdict too, and are told what was not compared."""
    sides = [replace(measured(name, errors), service=None) for name, errors in (("old", 300), ("new", 60))]

    verdict = decide(compared(*sides), POLICY)

    assert verdict.outcome is Outcome.PASS
    assert "no service's figures stand beside our scoring" in verdict.reasons[0]


@pytest.mark.parametrize("change", [{"missing": ("c.wav",)}, {"unexpected": ("c.wav",)}])
@pytest.mark.parametrize("side", ["benchmark", "candidate", "base"])
def test_every_recording_must_be_transcribed_by_all(side: str, change: dict[str, tuple[str, ...]]) -> None:
    """A model that leaves out the hard recordings is not better."""
    whole = compared(measured("old", 300), measured("new", 60), base=measured("base", 400))
    one = getattr(whole, side)
    lacking = replace(one, scorecard=replace(one.scorecard, **change))

    verdict = decide(replace(whole, **{side: lacking}), POLICY)

    assert verdict.outcome is Outcome.INVALID
    assert "c.wav" in verdict.reasons[0]


def test_no_words_is_no_evidence() -> None:
    """Empty references show neither 0 % nor a pass."""
    verdict = decide(compared(measured("old", 0, size=0), measured("new", 0, size=0)), POLICY)

    assert verdict.outcome is Outcome.INVALID
    assert verdict.candidate_wer is None


def _rescored(**change: object) -> Measured:
    side = measured("new", 60)
    return replace(side, scorecard=replace(side.scorecard, **change))


_ROWS = measured("new", 60).scorecard.utterances


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (_rescored(normaliser="n2"), "different normalisers"),
        (measured("new", 60, size=999), "different references"),
        (_rescored(utterances=(replace(_ROWS[0], reference="z " * 49 + "z"), *_ROWS[1:])), "different references"),
        (_rescored(utterances=_ROWS[1:]), "only one of benchmark and candidate was measured on 00.wav"),
        (_rescored(utterances=(replace(_ROWS[0], id="z.wav"), *_ROWS[1:])), "measured on 00.wav, z.wav"),
        (_rescored(utterances=(*_ROWS, _ROWS[0])), "the candidate was scored twice on 00.wav"),
        (_rescored(utterances=(replace(_ROWS[0], alignment="H"), *_ROWS[1:])), "does not fit its own texts of 00.wav"),
        (_rescored(utterances=(replace(_ROWS[0], alignment="?" * 50), *_ROWS[1:])), "does not fit its own texts"),
        (_rescored(utterances=(replace(_ROWS[0], reference="x"), *_ROWS[1:])), "does not fit its own texts"),
        (_rescored(utterances=(replace(_ROWS[0], hypothesis="x"), *_ROWS[1:])), "does not fit its own texts"),
    ],
)
@pytest.mark.parametrize("as_base", [False, True])
def test_only_like_is_compared_with_like(candidate: Measured, reason: str, as_base: bool) -> None:
    """The normaliser, or another set of recordings, moves WER by more than any model does."""
    whole = compared(measured("old", 300), measured("new", 60))
    changed = replace(whole, base=candidate) if as_base else replace(whole, candidate=candidate)

    verdict = decide(changed, POLICY)

    assert verdict.outcome is Outcome.INVALID
    told = reason.replace("candidate", "base model") if as_base else reason
    assert any(told in one for one in verdict.reasons), verdict.reasons


def test_a_measurement_is_checked_without_being_judged() -> None:
    """A testing update asks only whether the figures are valid."""
    assert check(compared(measured("old", 60), measured("new", 300)), POLICY).outcome is Outcome.PASS


@settings(max_examples=50)
@given(st.integers(0, 500), st.integers(0, 500))
def test_nothing_goes_live_without_fewer_errors(benchmark: int, candidate: int) -> None:
    """PASS implies a gain of at least 0.2 points and 2 %."""
    if judge(benchmark, candidate).releases:
        assert benchmark - candidate >= max(2, 0.02 * benchmark)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 50), min_size=20, max_size=20), st.lists(st.integers(0, 50), min_size=20, max_size=20))
def test_a_verdict_is_the_same_again_and_can_be_read_back(benchmark: list[int], candidate: list[int]) -> None:
    """Evidence is kept as JSON for years, and a replay must give the same bytes; nor does the order of labels matter."""
    comparison = compared(uneven("old", benchmark), uneven("new", candidate))
    turned = replace(comparison, labels=dict(reversed(LABELS.items())))

    written = decide(comparison, GatePolicy(slice_minimum_words=100)).model_dump_json()

    assert decide(turned, GatePolicy(slice_minimum_words=100)).model_dump_json() == written
    assert Verdict.model_validate_json(written).model_dump_json() == written
