"""A verdict stands for years; a person may take the responsibility for some, and never for figures that mean nothing."""

import math
from dataclasses import replace

import pytest
from pydantic import ValidationError

from domain.mistakes import Mistake
from domain.verdict import Finding, Outcome, Override, Verdict, may_override, overridden
from tests.domain.gate_kit import compared, judged, measured

GOOD = compared(measured("old", 300), measured("new", 200))
VERDICTS = {
    Outcome.PASS: judged(GOOD),
    Outcome.INCONCLUSIVE: judged(replace(GOOD, earlier_verdicts=99)),
    Outcome.FAIL: judged(GOOD, minimum_gain_points=50),
    Outcome.INVALID: judged(replace(GOOD, candidate=measured("new", 200, wer=-1.0))),
}
ANNA = Override(by="Anna", reason="the new names are needed today")
SILENT = Override(by="Anna", reason="   ")


@pytest.mark.parametrize(
    ("outcome", "override", "allowed"),
    [
        (Outcome.PASS, ANNA, False),
        (Outcome.INCONCLUSIVE, ANNA, True),
        (Outcome.INCONCLUSIVE, SILENT, True),
        (Outcome.FAIL, ANNA, True),
        (Outcome.FAIL, SILENT, False),
        (Outcome.INVALID, ANNA, False),
        (Outcome.INVALID, SILENT, False),
    ],
)
def test_a_person_may_overrule_doubt_and_with_a_reason_a_refusal(
    outcome: Outcome, override: Override, allowed: bool
) -> None:
    """Never INVALID: nobody can take responsibility for figures that mean nothing."""
    verdict = VERDICTS[outcome]

    assert verdict.outcome is outcome
    assert may_override(verdict, override.reason) is allowed
    if allowed:
        released = overridden(verdict, override)
        assert released.releases
        assert (released.outcome, released.findings, released.override) == (outcome, verdict.findings, override)
        assert Verdict.model_validate_json(released.model_dump_json()) == released
    else:
        with pytest.raises(Mistake, match="cannot be overridden"):
            overridden(verdict, override)


@pytest.mark.parametrize("outcome", [Outcome.INVALID, Outcome.PASS])
def test_a_forged_override_cannot_be_read(outcome: Outcome) -> None:
    """Whoever writes one into the evidence by hand gains nothing."""
    forged = VERDICTS[outcome].model_dump(mode="json") | {"override": ANNA.model_dump(mode="json")}

    with pytest.raises(ValidationError, match="nobody may override"):
        Verdict.model_validate(forged)


def test_an_override_has_a_name() -> None:
    """Somebody is responsible, or nobody releases."""
    with pytest.raises(ValidationError):
        Override(by=" ", reason="because")


def test_the_last_digits_of_a_figure_do_not_make_another_verdict() -> None:
    """Two machines may differ there; a replay must not."""
    one, other = (Finding(rule="r", outcome="PASS", reason="", value=value) for value in (0.1 + 0.2, 0.3))

    assert one.model_dump_json() == other.model_dump_json()


def test_a_figure_that_is_none_survives_reading_back() -> None:
    """NaN is evidence too: of a service that answered nonsense."""
    finding = Finding(rule="r", outcome="PASS", reason="", value=math.nan, interval=(-math.inf, 1.0))

    assert Finding.model_validate_json(finding.model_dump_json()).model_dump_json() == finding.model_dump_json()
