"""The HTML report: one file, safe whatever the data contain, the same for the same input."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.comparison import Comparison, Phrase
from domain.latency import Latency
from domain.leakage import Leak, LeakReport
from domain.normalise import Normaliser
from domain.report import HistoryPoint, ModelCard, TrainingData, html_report, leak_page, measurement_report
from domain.report.harmless import harmless
from domain.wer import score_utterances
from tests.domain.report_samples import decision_of, sample

FRAGMENTS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</textarea><script>x</script>", "</style>", "</svg>", "<!--",
    "javascript:alert(1)", '" onclick="x', "' onload='x", "{{ 7*7 }}", "{% raw %}", "&lt;b&gt;", "http://evil.example/x.png",
    "\x00", "\x1b[31m", "\u202eevil\u202c", "\u2066x", "\u200f", "\ufeff", "\u2028", "\ud800", "👩‍👩‍👧‍👦", "e\u0301" * 9, "ไทย", "العربية", "日本", "$x_1$", "]]>",
)  # fmt: skip
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
WANTED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "nav", "footer", "p", "h1", "h2", "h3", "ul", "ol",
    "li", "dl", "dt", "dd", "b", "i", "small", "span", "code", "bdi", "br", "a", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "figure", "details", "summary", "div", "label", "textarea", "abbr", "svg", "g", "defs", "path", "text", "use", "clippath", "rect",
}  # fmt: skip
PLAIN = Normaliser("plain", 1, ())
CSS = Path(__file__).parents[2] / "domain/report/templates/style.css"


class Page(HTMLParser):
    """What a browser would find: tags, attributes, text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def check_safe(page: str) -> Page:
    """Fail when the page could do anything but be read."""
    seen = Page(page)
    assert set(seen.tags) <= WANTED
    assert [name for name, _ in seen.attributes if name.startswith("on") or name in ("src", "action", "srcdoc")] == []
    assert {value[:1] for name, value in seen.attributes if name.endswith("href")} <= {"#"}
    assert [value for _, value in seen.attributes if "url(" in value and "url(#" not in value] == []
    assert UNSEEN.findall(page.replace("\n", "")) == []
    return seen


def evil(chance: random.Random) -> str:
    """A transcript that nobody wants."""
    parts = [
        chance.choice(FRAGMENTS) if chance.random() < 0.3 else chr(chance.randrange(1, 0x2FFFF))
        for _ in range(chance.randint(0, 8))
    ]
    return (" " if chance.random() < 0.5 else "").join(parts)


def evil_comparison(utterances: int, seed: int = 1) -> Comparison:
    """Models that heard such things, with such names and labels, and a few transcripts of a megabyte."""
    chance = random.Random(seed)
    said = {f"{number}{chance.choice(FRAGMENTS)}": evil(chance) for number in range(utterances)}
    names = list(said)
    said[names[0]], said[names[1]] = "x" * 1_000_000, "<script>yyyyyyyyyyyyyyyy " * 40_000
    sides = []
    for model in FRAGMENTS[:3]:
        heard = {name: text if chance.random() < 0.3 else evil(chance) for name, text in said.items()}
        sides.append(replace(sample(1).candidate, model=model, scorecard=score_utterances(said, heard, PLAIN)))
    labels = {name: {"speaker": evil(chance), chance.choice(FRAGMENTS): chance.choice(FRAGMENTS)} for name in said}
    leaks = LeakReport(
        leaks=tuple(Leak(kind=one, file=one, line=1, reason=one) for one in FRAGMENTS if one != "\ud800"),
        checked=FRAGMENTS[:9],
    )
    return Comparison(sides[0], sides[1], base=sides[2], labels=labels, leaks=leaks)


def test_ten_thousand_evil_transcripts_leave_the_report_safe_and_standing() -> None:
    """Markup, RTL overrides, emoji, NUL and megabyte lines are text; the report has all its sections and stays small."""
    comparison = evil_comparison(10_000)

    page = html_report(
        decision_of(comparison, revision=f"{FRAGMENTS[0]}\x00\u202e"), comparison, vocabulary={"x"}, history=history()
    )

    seen = check_safe(page)
    assert seen.tags.count("section") >= 10
    assert "<script>alert(1)</script>" in "".join(seen.text)
    assert len(page.encode()) < 2_000_000


def history() -> list[HistoryPoint]:
    """Three measurements, the last one on other testing data."""
    return [
        HistoryPoint(
            at=datetime(2026, 5, day, tzinfo=UTC),
            wer=0.2 - day / 100,
            words=900,
            kind="<b>release",
            testing_hash=testing,
        )
        for day, testing in ((1, "a"), (3, "a"), (9, "b"))
    ]


@given(st.text(st.characters(exclude_categories=())))
def test_harmless_text_has_nothing_unseen(text: str) -> None:
    """What people cannot see cannot fool them; and any text can be written as UTF-8."""
    shown = harmless(text)

    assert not UNSEEN.search(shown.replace("\n", ""))
    assert "\n" in shown or "\n" not in text
    shown.encode()


def test_every_section_is_there() -> None:
    """All that the issue asks for, in the order in which people ask."""
    comparison = sample()
    card = ModelCard(training=(TrainingData(kind="plain text", amount="312 lines"),), limits=("Not for children.",))
    latency = Latency(requests=3, median=0.8, percentile_95=1.4, longest=2.0)

    page = html_report(
        decision_of(comparison), comparison, history=history(), card=card, latency=latency, vocabulary={"take"}
    )

    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles == [
        "Rules", "Word error rates", "Is it more than chance?", "Words", "Confusions", "Recordings to look at", "References to check",
        "Confidence", "Latency", "History of the track", "Leaks and oddities in the data", "Model card", "Evidence",
    ]  # fmt: skip
    for said in (
        "✔ PASS",
        "new testing data",
        "Not for children.",
        "312 lines",
        "Not in the training text",
        "1.40 s",
        "Govern",
    ):
        assert said in page


def test_equal_input_gives_equal_bytes() -> None:
    """A report can be compared by its hash, today and on another machine."""
    pages = [html_report(decision_of(one), one, history=history()) for one in (sample(), sample())]

    assert pages[0] == pages[1]


def test_counts_only_pages_hold_no_word_and_no_recording() -> None:
    """They may go to people who must not see the testing data."""
    leak = Leak(kind="short text", file="training/plain_text.txt", reason="it is what r0003.wav says", blocks=False)
    phrases = (Phrase("take me to the old souq", must=True),)
    comparison = replace(sample(), phrases=phrases, leaks=LeakReport(leaks=(leak,), checked=("text",)))
    missing = replace(comparison.candidate.scorecard, missing=("anna-at-home.wav", "anna " * 30))
    incomplete = replace(comparison, candidate=replace(comparison.candidate, scorecard=missing))

    for one in (comparison, incomplete):
        page = html_report(decision_of(one), one, transcripts=False, vocabulary={"take"})
        text = " ".join(Page(page).text)
        for word in ("qasba", "allosaurus", "dinosaurs", "museum", "souq", "anna", r"r\d{4}\.wav"):
            assert not re.search(rf"\b{word}\b", text), word
        assert "Fixed: 269" in page


def test_a_verdict_that_is_invalid_has_a_report() -> None:
    """Recordings that one model lacks, or no recordings at all, are told instead of failing the page."""
    whole = sample(30)
    less = replace(
        whole.benchmark.scorecard, utterances=whole.benchmark.scorecard.utterances[5:], missing=("r0001.wav",)
    )
    nothing = replace(whole.benchmark.scorecard, utterances=())
    for card in (less, nothing):
        odd = replace(whole, benchmark=replace(whole.benchmark, scorecard=card))
        assert "⊘ INVALID" in html_report(decision_of(odd), odd)


def test_without_confidences_the_page_says_so() -> None:
    """An empty chart would look like a result."""
    comparison = sample(30, confidences=False)

    assert "The service told no confidences" in html_report(decision_of(comparison), comparison)


def test_excluded_recordings_are_in_no_figure() -> None:
    """What leaked into training is left out of the page as it is out of the verdict."""
    comparison = sample(60)
    decision = decision_of(comparison)
    verdict = decision.ruling.verdict.model_copy(
        update={"excluded": tuple(f"r{number:04}.wav" for number in range(10))}
    )
    left = decision.model_copy(update={"ruling": decision.ruling.model_copy(update={"verdict": verdict})})

    page = html_report(left, comparison)

    assert "r0003.wav" not in page
    assert "50 recordings" in page


def test_a_measurement_has_a_report_of_its_own() -> None:
    """A testing update decides nothing: its page leads with the rate."""
    comparison = sample()

    page = measurement_report(decision_of(comparison), comparison, history=history())

    check_safe(page)
    assert '<span class="sign">WER 13.' in page
    assert "Broken" not in page


def test_a_blocked_leak_has_a_page() -> None:
    """File, line, reason and remedy, in the same look."""
    report = LeakReport(
        leaks=(Leak(kind="same text", file="training/plain_text.txt", line=12, reason="it is what a.wav says"),)
    )

    page = leak_page(report, "city", "abc")

    check_safe(page)
    for said in ("✘ BLOCKED", "training/plain_text.txt", "line 12", "Take the line out of the training data"):
        assert said in page


def test_every_page_forbids_scripts_and_the_network() -> None:
    """Should anything ever slip through, the browser still refuses."""
    comparison = sample(10)

    for page in (html_report(decision_of(comparison), comparison), leak_page(LeakReport(), "t", "r")):
        assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page.split("<title>")[0]


@pytest.mark.parametrize("theme", [0, 1])
def test_colours_can_be_read_in_light_and_dark(theme: int) -> None:
    """WCAG AA: text has a contrast of 4.5 to 1 with what is behind it."""
    colours = dict(
        re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", CSS.read_text().split(":root {")[theme + 1].split("}")[0])
    )

    for text in ("ink", "soft", "benchmark", "candidate", "base", "good", "bad", "unsure", "void"):
        for behind in ("card", "page", "tint"):
            assert contrast(colours[text], colours[behind]) >= 4.5, (text, behind)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    darker, lighter = sorted(luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
