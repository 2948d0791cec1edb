"""The watch's page: findings first, then all that was looked at; markup in names stays text."""

from datetime import UTC, datetime

import pytest

from domain.watch.findings import Finding, Look, WatchReport, told_before, unchecked
from domain.watch.page import headline, watch_page

NOW = datetime(2026, 11, 21, 5, 41, tzinfo=UTC)


def report(*findings: Finding, looks: tuple[Look, ...] = ()) -> WatchReport:
    """A watch that found this."""
    return WatchReport(track="taxi", at=NOW, model="m", looks=looks, findings=told_before(findings, None, NOW))


def finding(kind: str, severity: str, title: str = "t") -> Finding:
    """A finding."""
    return Finding(kind=kind, severity=severity, title=title, detail="d", what_to_do="do")


def test_the_worst_comes_first() -> None:
    """Who is woken reads one line."""
    watched = report(finding("a", "info", "later"), finding("b", "critical", "now"), finding("c", "warning", "soon"))

    assert [one.title for one in watched.findings] == ["now", "soon", "later"]
    assert headline(watched) == "3 finding(s), 3 of them new; the worst: now"
    page = watch_page(watched)
    assert page.index("critical: now") < page.index("warning: soon") < page.index("for information: later")


def test_what_is_known_says_since_when() -> None:
    """And is not new."""
    first = report(finding("a", "warning"))
    later = NOW.replace(day=23)

    again = told_before([finding("a", "warning"), finding("b", "warning")], first, later)

    assert [(one.new, one.since) for one in again] == [(False, NOW), (True, later)]


@pytest.mark.parametrize(("severity", "new"), [("critical", True), ("warning", False), ("info", False)])
def test_what_becomes_worse_is_news(severity: str, new: bool) -> None:
    """A warning that turns critical wakes somebody; one that eases does not."""
    (again,) = told_before([finding("a", severity)], report(finding("a", "warning")), NOW.replace(day=23))

    assert (again.new, again.since) == (new, NOW)


def test_markup_stays_text() -> None:
    """Names on the service are somebody else's words."""
    page = watch_page(report(finding("a", "info", "<img src=x> | [x](y)"), looks=(Look(name="n", told="a|b"),)))

    assert "<img" not in page.replace("\\<", "")
    assert "a\\|b" in page


def test_what_could_not_be_looked_at_is_one_finding_for_each_look() -> None:
    """Two looks that fail are two findings, and the same ones tomorrow."""
    one, other = unchecked("taxi", "accuracy", "reason", "`again`"), unchecked("taxi", "expiry", "reason", "`again`")

    assert one.identity != other.identity
    assert one.identity == unchecked("taxi", "accuracy", "another reason", "`again`").identity
    assert "`again`" in one.what_to_do
