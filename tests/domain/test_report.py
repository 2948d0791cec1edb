"""The Markdown pages: readable, and safe whatever the data contain."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from domain.comparison import Comparison, Measured
from domain.leakage import Leak, LeakReport
from domain.report import leak_markdown, measurement_page, verdict_page, wer_rows
from domain.ruling import Decision
from domain.verdict import Finding, Outcome
from domain.wer import Scorecard, UtteranceScore
from tests.domain.report_samples import decision_of, sample

EVIL = "<img src=x onerror=alert(1)> ![b](http://evil) `x` | # y\n## z.wav"


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """A candidate that is better."""
    return sample()


@pytest.fixture(scope="module")
def decision(comparison: Comparison) -> Decision:
    """The gate's word on it."""
    return decision_of(comparison)


def test_the_page_leads_with_the_verdict_and_its_reasons(comparison: Comparison, decision: Decision) -> None:
    """What a manager reads first."""
    page = verdict_page(decision, comparison)

    assert page.startswith("# ✔ PASS: the candidate is better")
    assert "- WER fell from 26.1% to" in page


def test_the_page_shows_intervals_and_slices(comparison: Comparison, decision: Decision) -> None:
    """A figure without its interval says too much, and an average hides for whom it is worse."""
    page = verdict_page(decision, comparison)

    assert "| role | model | WER | 95% interval |" in page
    assert "| noise street |" in page


def test_the_page_links_to_the_whole_report(comparison: Comparison, decision: Decision) -> None:
    """The page in the UI is the short one."""
    linked = verdict_page(decision, comparison, report_link="http://host/evidence/d/report.html")

    assert "[The whole report, with charts](<http://host/evidence/d/report.html>)" in linked
    assert "whole report" not in verdict_page(decision, comparison)


def test_the_base_model_has_a_row_of_its_own(comparison: Comparison) -> None:
    """Whether customisation pays at all is seen beside the two."""
    assert [row["role"] for row in wer_rows(comparison)] == ["benchmark", "candidate", "base model"]


@pytest.mark.parametrize("page_of", [verdict_page, measurement_page])
def test_nothing_from_the_data_becomes_markup(page_of: object) -> None:
    """File names, words, model names, labels and revisions are text: no image, no link, no heading, no cell of their own."""
    card = Scorecard((UtteranceScore("a.wav", f"{EVIL} take", "other", "S" + "D" * 8),), "n", missing=(EVIL,))
    side = replace(sample(4).candidate, model=EVIL, scorecard=card)
    comparison = Comparison(side, side, labels={"a.wav": {"speaker": EVIL, EVIL: EVIL}})
    decision = decision_of(comparison, revision=f"{EVIL}\x00\u202e")

    html = MarkdownIt("commonmark").enable("table").render(page_of(decision, comparison))

    for forbidden in ("<img", "<a ", "onerror=alert(1)>", "<h2>z"):
        assert forbidden not in html
    assert "&lt;img" in html
    assert not {"\x00", "\ufffd", "\u202e"} & set(html)


def test_ordinary_text_stays_as_it_is(comparison: Comparison, decision: Decision) -> None:
    """Nobody reads backslashes."""
    assert "\\" not in verdict_page(decision, comparison)


def test_a_comparison_on_different_references_still_has_a_page() -> None:
    """It is INVALID, and people must be able to read why."""
    comparison = sample(20)
    other = comparison.benchmark.scorecard.utterances[0]
    cards = (
        replace(other, reference="x", hypothesis="x", alignment="H"),
        *comparison.benchmark.scorecard.utterances[1:],
    )
    odd = replace(
        comparison,
        benchmark=replace(comparison.benchmark, scorecard=replace(comparison.benchmark.scorecard, utterances=cards)),
    )

    assert verdict_page(decision_of(odd), odd).startswith("# ⊘ INVALID")


def test_a_leak_has_a_page_with_file_and_line() -> None:
    """Whoever must mend it needs to know where."""
    report = LeakReport(
        leaks=(Leak(kind="same text", file="training/plain_text.txt", line=12, reason="it is what a.wav says"),)
    )

    page = leak_markdown(report, "city", "abc", report_link="http://host/r.html")

    assert page.startswith("# ✘ testing data leaked into training data")
    assert "| same text (blocks) | training/plain\\_text.txt:12 | it is what a.wav says |" in page
    assert "(<http://host/r.html>)" in page


def test_a_persons_override_is_told(comparison: Comparison, decision: Decision) -> None:
    """Who reads the page must not think that the gate let it go live."""
    finding = Finding(rule="significance", outcome=Outcome.INCONCLUSIVE, reason="may be chance")
    verdict = decision.ruling.verdict.model_copy(update={"outcome": Outcome.INCONCLUSIVE, "findings": (finding,)})
    overridden = verdict.model_validate({**dict(verdict), "override": {"by": "ada", "reason": "pilot only"}})
    told = decision.model_copy(update={"ruling": decision.ruling.model_copy(update={"verdict": overridden})})

    assert "ada lets it go live all the same. pilot only" in verdict_page(told, comparison)


@pytest.mark.parametrize("page_of", [verdict_page, measurement_page])
def test_without_transcripts_no_word_of_anybody_is_on_the_page(page_of: Callable[..., str]) -> None:
    """For people who may read the verdict and must not see the testing data."""
    said = "whatsaidwas"
    recordings = tuple(UtteranceScore(f"{number}.wav", said, "heard", "S") for number in range(10))
    right = tuple(replace(one, hypothesis=said, alignment="H") for one in recordings[:5]) + recordings[5:]
    sides = [Measured(name, Scorecard(cards, "n"), None) for name, cards in (("old", recordings), ("new", right))]
    comparison = Comparison(*sides)

    assert said in page_of(decision_of(comparison), comparison)
    assert said not in page_of(decision_of(comparison), comparison, transcripts=False)
