"""The comment on a pull request: everything that is wrong, and nothing that its author could smuggle in."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from domain.changes import Change
from domain.leakage import Leak, LeakReport
from domain.problems import Problem
from domain.pull_report import (
    MARKER,
    MODEL_MARKER,
    PullReport,
    TrackReport,
    comment_with,
    data_markdown,
    inert,
    model_markdown,
    part_changes,
)
from domain.temporary import pull_of, temporary_track
from domain.track import Track
from domain.verdict import Outcome

HEAD = "0badc0de" * 5
LEAK = Leak(kind="same text", file="taxi/training/plain_text.txt", line=3, reason="the text is also tested")
HOSTILE = (
    "@everyone", "a #12 b", "org/repo#12", "&#64;all", "&commat;all", "https://evil.example", "www.evil.example",
    "<img src=x onerror=1>", "![x](http://e)", "[x](javascript:1)", "<!-- x -->", MARKER, MODEL_MARKER, "a|b|c", "`x`",
    "a\n\n# Approved\n\nb", "/close", "!7", "\u202egnp.exe", "</details>", "~~~", "```\n", "\\@x", "x" * 5000,
)  # fmt: skip


def report(*tracks: TrackReport, notes: tuple[str, ...] = ()) -> PullReport:
    """A report on pull request 7."""
    return PullReport(7, HEAD, tracks, notes)


class Seen(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        """Note it."""
        self.text += data


def rendered(text: str) -> Seen:
    """As a host shows it that takes HTML in Markdown."""
    return Seen(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def test_every_problem_is_told_with_file_line_and_remedy() -> None:
    """People mend it without looking anywhere else."""
    problem = Problem("taxi/testing/trans.txt", 3, "the line has no tab", "Put a tab after the file name.")

    text = data_markdown(report(TrackReport("taxi", problems=(problem,))))

    assert "| taxi/testing/trans.txt:3 | the line has no tab | Put a tab after the file name. |" in text
    assert "## ✘ Speech data: 1 of 1 track cannot be used" in text


def test_what_was_not_judged_is_not_taken_for_sound() -> None:
    """Nor is it counted among what is wrong."""
    told = report(
        TrackReport("taxi", not_judged="too large"), TrackReport("bus", problems=(Problem("x", 1, "y", "z"),))
    )

    assert not told.is_sound
    assert told.summary == "1 of 2 tracks cannot be used, 1 of 2 tracks not judged"
    assert "✘ not judged" in data_markdown(told)
    assert "too large" in data_markdown(told)


def test_the_difference_is_told_in_counts() -> None:
    """New, gone and changed files of each part, whatever their order."""
    changes = [
        Change("data/taxi/testing/a.wav", "", "1"),
        Change("data/taxi/testing/b.wav", "1", ""),
        Change("data/taxi/testing/c.wav", "1", "2"),
        Change("data/taxi/training/plain_text.txt", "1", "2"),
        Change("data/taxi/README.md", "1", "2"),
    ]

    (taxi,) = part_changes(changes, "data").values()
    text = data_markdown(report(TrackReport("taxi", taxi, ("training-update",))))

    assert "| taxi | testing: 1 new, 1 gone, 1 changed; training: 1 changed | training-update | ✔ sound |" in text


@pytest.mark.parametrize(("blocks", "sign"), [(True, "✘"), (False, "✔")])
def test_leaks_count_as_the_track_wants(blocks: bool, sign: str) -> None:
    """A track may have decided to live with them; they are told all the same."""
    text = data_markdown(report(TrackReport("taxi", leaks=LeakReport(leaks=(LEAK,)), leaks_block=blocks)))

    assert f"{sign} leaked" in text
    assert "plain\\_text.txt:3" in text


def test_a_model_part_tells_the_verdict_or_why_there_is_none() -> None:
    """Each track for itself."""
    better = TrackReport("taxi", outcome=Outcome.PASS, verdict="# ✔ PASS\n\n## Word error rates\n\n6.1%")

    text = model_markdown(report(better, TrackReport("bus", note="its data cannot be used.")))

    assert text.startswith(MODEL_MARKER)
    assert "### ✔ taxi\n\n### ✔ PASS\n\n#### Word error rates\n\n6.1%" in text
    assert "### bus\n\nNo temporary model: its data cannot be used." in text


def test_new_checks_leave_the_model_part_and_a_verdict_leaves_the_checks() -> None:
    """A training takes hours; the next push comes meanwhile."""
    first = comment_with("", data=f"{MARKER}\nold data")
    judged = comment_with(first, model=f"{MODEL_MARKER}\nbetter")

    again = comment_with(judged, data=f"{MARKER}\nnew data")

    assert again == f"{MARKER}\nnew data\n\n{MODEL_MARKER}\nbetter"
    assert comment_with("", model=f"{MODEL_MARKER}\nx").startswith(MARKER)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    """Names of files and folders come from anybody."""
    leaks = LeakReport(leaks=(LEAK.model_copy(update={"file": text, "reason": text}),))
    track = TrackReport(text, (), (text,), (Problem(text, 1, text, text),), leaks, outcome=Outcome.FAIL, note=text)
    told = report(track, TrackReport("other", note=text), notes=(text,))
    whole = comment_with("", data=data_markdown(told), model=model_markdown(told))

    seen = rendered(whole)

    assert seen.tags <= {"h2", "h3", "h4", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert not re.search(r"@|#\w|&#|://|www\.", seen.text)
    assert not re.search(r"(?m)^\s*/", whole)
    assert whole.count(MARKER) == whole.count(MODEL_MARKER) == 1
    assert "\u202e" not in whole


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_text_calls_anybody(text: str) -> None:
    """Whatever stands in it."""
    assert not re.search(r"@|#\w|&[#\w]|://|(?m:^\s*/)", inert(text))


def test_a_comment_never_grows_beyond_what_hosts_take() -> None:
    """The longest problems there can be; what is left out is in the artifact, and the comment says so."""
    problem = Problem("f" * 400, 1, "r" * 400, "m" * 400)
    told = report(*[TrackReport(f"t{number}", problems=(problem,) * 100, note="n" * 400) for number in range(51)])

    whole = comment_with("", data=data_markdown(told, link="https://x.example/run"), model=model_markdown(told))

    assert len(whole) < 65_536
    assert "The rest does not fit" in whole
    assert "[The run](https://x.example/run)" in whole


def test_a_temporary_name_cannot_be_a_tracks_name() -> None:
    """So nothing that is live is ever taken for temporary."""
    name = temporary_track(Track(name="taxi", locale="en-US"), 7).name

    with pytest.raises(ValueError, match="name"):
        Track(name=name, locale="en-US")
    assert pull_of(f"{name}-model-x", {"track": name}) == 7


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("taxi.pr7-model-x", None),
        ("taxi.pr7-model-x", {"track": "taxi"}),
        ("taxi-model-x", {"track": "taxi.pr7"}),
        ("taxi-pr7-model-x", {"track": "taxi-pr7"}),
        ("taxi.pr7-model-x", {"track": "taxi.pr70"}),
        ("taxi.pr0-model-x", {"track": "taxi.pr0"}),
    ],
)
def test_what_does_not_say_twice_that_it_is_temporary_is_kept(name: str, properties: dict[str, str] | None) -> None:
    """People name things as they like, and copy them."""
    assert pull_of(name, properties) is None
