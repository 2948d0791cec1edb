"""The gate: a candidate goes live only on valid evidence of a gain that matters."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.comparison import Comparison, Measured, ServiceScore
from domain.gate import check, decide
from domain.track import GatePolicy
from domain.verdict import Outcome, Verdict
from domain.wer import Scorecard, UtteranceScore

POLICY = GatePolicy()
WORDS = 1000


def measured(model: str, errors: int, words: int = WORDS, **service: object) -> Measured:
    """A model with so many substitutions in so many words, in two recordings, and a service that agrees."""
    half = words // 2
    texts = [("a.wav", half, errors), ("b.wav", words - half, 0)]
    utterances = tuple(
        UtteranceScore(
            name, " ".join(["x"] * size), " ".join(["y"] * bad + ["x"] * (size - bad)), "S" * bad + "H" * (size - bad)
        )
        for name, size, bad in texts
    )
    score = ServiceScore("Succeeded", errors / words if words else -1, words, words - errors, errors, 0, 0)
    return Measured(model, Scorecard(utterances, normaliser="n1"), replace(score, **service))


def judge(benchmark: int, candidate: int, policy: GatePolicy = POLICY, **service: object) -> Verdict:
    """Judge models with so many errors in 1,000 words; `service` changes what the service says of the candidate."""
    return decide(Comparison(measured("old", benchmark), measured("new", candidate, **service)), policy)


def test_a_real_gain_passes() -> None:
    """Fewer errors than asked for: PASS, with the figures as the reason."""
    verdict = judge(300, 60)

    assert verdict.outcome is Outcome.PASS
    assert verdict.releases
    assert "WER fell from 30.0% to 6.0% (24.0 points)" in verdict.reasons


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
    assert judge(36, 34).outcome is Outcome.PASS


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
        ({"correct": -1}, "count of correct of the candidate is -1"),
        ({"substitutions": -1}, "count of substitutions of the candidate is -1"),
        ({"deletions": -1}, "count of deletions of the candidate is -1"),
        ({"insertions": -1}, "count of insertions of the candidate is -1"),
        ({"correct": 999}, "do not add up"),
        ({"wer": 0.0631}, "our WER of the candidate is 6.00% but the service's is 6.31%"),
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


@pytest.mark.parametrize("change", [{"missing": ("c.wav",)}, {"unexpected": ("c.wav",)}])
@pytest.mark.parametrize("side", ["benchmark", "candidate"])
def test_every_recording_must_be_transcribed_by_both(side: str, change: dict[str, tuple[str, ...]]) -> None:
    """A model that leaves out the hard recordings is not better."""
    sides = {"benchmark": measured("old", 300), "candidate": measured("new", 60)}
    sides[side] = replace(sides[side], scorecard=replace(sides[side].scorecard, **change))

    verdict = decide(Comparison(**sides), POLICY)

    assert verdict.outcome is Outcome.INVALID
    assert "c.wav" in verdict.reasons[0]


def test_no_words_is_no_evidence() -> None:
    """Empty references show neither 0 % nor a pass."""
    verdict = decide(Comparison(measured("old", 0, words=0), measured("new", 0, words=0)), POLICY)

    assert verdict.outcome is Outcome.INVALID
    assert verdict.candidate_wer is None


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (
            replace(measured("new", 60), scorecard=replace(measured("new", 60).scorecard, normaliser="n2")),
            "different normalisers",
        ),
        (measured("new", 60, words=999), "different references"),
    ],
)
def test_only_like_is_compared_with_like(candidate: Measured, reason: str) -> None:
    """The normaliser moves WER by more than any model does."""
    verdict = decide(Comparison(measured("old", 300), candidate), POLICY)

    assert verdict.outcome is Outcome.INVALID
    assert any(reason in told for told in verdict.reasons)


def test_a_measurement_is_checked_without_being_judged() -> None:
    """A testing update asks only whether the figures are valid."""
    assert check(Comparison(measured("old", 60), measured("new", 300)), POLICY).outcome is Outcome.PASS


@given(st.integers(0, 500), st.integers(0, 500))
def test_nothing_goes_live_without_fewer_errors(benchmark: int, candidate: int) -> None:
    """PASS implies a gain of at least 0.2 points and 2 %."""
    if judge(benchmark, candidate).releases:
        assert benchmark - candidate >= max(2, 0.02 * benchmark)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_verdict_can_be_read_back(benchmark: int, candidate: int) -> None:
    """Evidence is kept as JSON for years."""
    verdict = judge(benchmark, candidate)

    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
