"""The verdict page: readable, and safe whatever the data contain."""

import pytest
from markdown_it import MarkdownIt

from domain.comparison import Comparison
from domain.gate import decide
from domain.normalise import normaliser_for
from domain.report import measurement_page, verdict_page
from domain.ruling import Decision, ModelRef, Ruling, Subject
from domain.track import GatePolicy, Track
from domain.wer import score_utterances
from tests.domain.test_gate import measured

EVIL = "<img src=x onerror=alert(1)> ![b](http://evil) `x` | # y\n## z.wav"


def decision(comparison: Comparison, name: str = "new", revision: str = "abc") -> Decision:
    """A decision about a comparison."""
    ref = ModelRef(path="models/1", name=name)
    subject = Subject(
        track=Track(name="t", locale="en-US"), revision=revision, base=ref, benchmark=ref, candidate=ref, recipe="r",
        testing_hash="h", testing="k", sheet="s",
    )  # fmt: skip
    verdict = decide(comparison, GatePolicy()).model_copy(update={"candidate": name})
    return Decision(digest="d", ruling=Ruling(subject=subject, verdict=verdict, measurement="m"))


def test_the_page_leads_with_the_verdict_and_its_reasons() -> None:
    """What a manager reads first."""
    comparison = Comparison(measured("old", 300), measured("new", 60))

    page = verdict_page(decision(comparison), comparison)

    assert page.startswith("# ✔ PASS: the candidate is better")
    assert "WER fell from 30.0% to 6.0% (24.0 points)" in page


@pytest.mark.parametrize("page_of", [verdict_page, measurement_page])
def test_nothing_from_the_data_becomes_markup(page_of: object) -> None:
    """File names, words, model names and revisions are text: no image, no link, no heading, no table cell of their own."""
    card = score_utterances({EVIL: "take me", "a.wav": "<b> ![x](y)"}, {"a.wav": "other"}, normaliser_for("xx-XX"))
    side = measured("m", 1)
    side = type(side)(EVIL, card, side.service)
    comparison = Comparison(side, side)

    html = MarkdownIt("commonmark").enable("table").render(page_of(decision(comparison, EVIL, EVIL), comparison))

    for forbidden in ("<img", "<a ", "onerror=alert(1)>", "<h2>z"):
        assert forbidden not in html
    assert "&lt;img" in html


def test_ordinary_text_stays_as_it_is() -> None:
    """Nobody reads backslashes."""
    comparison = Comparison(measured("old", 300), measured("new", 60))

    assert "\\" not in verdict_page(decision(comparison), comparison)
