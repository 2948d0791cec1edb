"""The page of a track tells what is live and whether all is well, and says nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.ledger import Benchmark, Entry, Pending, Release, State, Withdrawn
from domain.lineage.history import lines_of, marks_of
from domain.report.track_page import Summary, TrackFacts, index_page, standing, track_page
from domain.watch.expiry import Ending
from domain.watch.findings import Finding, WatchReport

NOW = datetime(2026, 11, 21, tzinfo=UTC)
EVIL = "</style><script>alert(1)</script><b>&\u202e"


def entry(number: int, kind: str, **facts: object) -> Entry:
    """An entry of the history; the page does not look at its links."""
    at = NOW + timedelta(days=number)
    return Entry(
        number=number, previous="", writer="w", at=at, kind=kind, flow_run="", revision=f"r{number}", facts=facts
    )


def release(number: int, version: str, **changes: object) -> Release:
    """A release."""
    known = {"model": f"models/{number}", "model_name": f"m{number}", "recipe": "r", "endpoint": "endpoints/1", "wer": 0.1,
             "evidence": f"{number:064x}", "revision": "abc", "released_at": NOW, "version": version}  # fmt: skip
    return Release(number=number, **(known | changes))


BENCHMARK = Benchmark(model="models/2", model_name="m2", wer=0.1, words=1200, testing_hash="t", evidence="e")
STATE = State(
    track="taxi", benchmark=BENCHMARK, release=release(2, "1.1.0"), previous_releases=(release(1, "1.0.0"),)
)  # fmt: skip
ENTRIES = [
    entry(1, "testing-update", benchmark_wer=0.3, testing="t", words=9),
    entry(2, "training-update", candidate_wer=0.2, testing="t", ruling=f"{1:064x}", outcome="PASS"),
    entry(3, "release", ruling=f"{1:064x}"),
    entry(4, "training-update", candidate_wer=0.4, testing="t", ruling="9" * 64, outcome="FAIL"),
    entry(5, "training-update", candidate_wer=0.1, testing="u", ruling=f"{2:064x}", outcome="PASS"),
    entry(6, "release", ruling=f"{2:064x}"),
]
FACTS = TrackFacts(STATE, ENTRIES, NOW)


def watched(severity: str, title: str = "it ends") -> WatchReport:
    """What a watch found."""
    found = Finding(kind="k", severity=severity, title=title, detail="d", what_to_do="do it")
    ends = Ending(
        roles=("live",), model="m", path="p", use="transcription", what="transcription with the live model", at=NOW
    )
    return WatchReport(track="taxi", at=NOW, findings=(found,), expiry=(ends,))


def test_a_release_is_one_point_of_the_chart_where_it_went_live() -> None:
    """With its version; what was refused is a point of its own; each knows its testing data."""
    marks = marks_of(lines_of(ENTRIES, STATE))

    assert [(one.kind, one.label, one.testing) for one in marks] == [
        ("measured", "", "t"), ("release", "1.0.0", "t"), ("refused", "", "t"), ("release", "1.1.0", "u"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "report", "waiting", "sign"),
    [
        (STATE, None, 0, "✔ 1.1.0 LIVE"),
        (State(track="taxi"), None, 0, "– NOTHING LIVE"),
        (STATE, watched("critical"), 1, "✘ LOOK"),
        (
            STATE.model_copy(update={"pending": Pending(model_name="m", evidence="e")}),
            watched("warning"),
            0,
            "… UNDER WAY",
        ),
        (STATE, watched("warning"), 1, "? LOOK"),
        (STATE, watched("info"), 1, "? WAITS"),
        (STATE, watched("info"), 0, "✔ 1.1.0 LIVE"),
    ],
)
def test_the_worst_that_is_known_is_the_headline(
    state: State, report: WatchReport | None, waiting: int, sign: str
) -> None:
    """At three in the morning nobody reads further."""
    assert standing(state, report, waiting).sign == sign


def test_the_page_tells_release_chart_history_and_expiry() -> None:
    """And what clients have also when the headline is about something else."""
    page = track_page(replace(FACTS, watched=watched("critical"), pages=frozenset({f"{2:064x}"})))

    for told in ("✘ LOOK", "Live: 1.1.0, m2", "2026-11-21", "transcription with the live model", "do it", "<svg", "r6"):
        assert told in page
    assert f'href="../evidence/{2:064x}/report.html"' in page
    assert f"{1:064x}/report" not in page
    assert page == track_page(replace(FACTS, watched=watched("critical"), pages=frozenset({f"{2:064x}"})))


def test_what_was_taken_back_stands_there_with_the_command_that_makes_it_welcome() -> None:
    """Nobody has to look for it at night."""
    taken = Withdrawn(model="m", model_name="bad", recipe="r", version="1.2.0", reason="nonsense", at=NOW)
    page = track_page(replace(FACTS, state=STATE.model_copy(update={"withdrawn": (taken,)})))

    assert "speechops rollback <bdi>taxi</bdi> --to <bdi>1.2.0</bdi>" in page


def test_nothing_from_data_becomes_markup() -> None:
    """Names and reasons come from people, commits and services."""
    bad = release(2, "1.1.0", model_name=EVIL, reason=EVIL, revision=EVIL, endpoint=EVIL)
    taken = Withdrawn(model="m", model_name=EVIL, recipe="r", version="", reason=EVIL, at=NOW)
    pending = Pending(model_name=EVIL, evidence="e", reason=EVIL)
    state = STATE.model_copy(update={"release": bad, "withdrawn": (taken,), "pending": pending})
    entries = [*ENTRIES, entry(7, EVIL, by=EVIL, model=EVIL, reason=EVIL, ruling=EVIL, version=EVIL)]
    facts = replace(
        FACTS, state=state, entries=entries, watched=watched("critical", EVIL), locale=EVIL, description=EVIL
    )

    for page in (track_page(facts), index_page([Summary(state, facts.watched, 1, EVIL)], NOW)):
        assert "<script" not in page
        assert "<b>&" not in page
        assert "\u202e" not in page


def test_a_long_history_makes_no_long_page() -> None:
    """The newest are shown, and where the others are."""
    entries = [entry(number, "testing-update", benchmark_wer=0.2, testing="t", words=9) for number in range(1, 1001)]
    page = track_page(replace(FACTS, entries=entries))

    assert "r1000" in page
    assert "r960<" not in page
    assert "And 960 before these" in page
    assert len(page) < 100_000


@pytest.mark.parametrize(
    "facts", [{"wer": "x", "words": True, "testing": 7}, {"ruling": ["x"], "outcome": None}, {"by": 3}]
)
@pytest.mark.parametrize(
    "kind", ["watch", "release", "training-update", "approval", "retention", "forget", "of tomorrow"]
)
def test_odd_facts_of_other_versions_break_no_page(kind: str, facts: dict[str, object]) -> None:
    """The ledger keeps what any version wrote."""
    entries = [*ENTRIES, entry(7, kind, **facts)]

    assert "<h1>" in track_page(replace(FACTS, entries=entries))


def test_the_index_has_those_first_that_need_somebody() -> None:
    """Then by name."""
    summaries = [
        Summary(State(track="new")),
        Summary(STATE.model_copy(update={"track": "b"})),
        Summary(STATE.model_copy(update={"track": "a"})),
        Summary(STATE.model_copy(update={"track": "late"}), watched("warning")),
        Summary(STATE.model_copy(update={"track": "gone"}), watched("critical")),
    ]
    page = index_page(summaries, NOW)

    places = [page.index(f'href="{name}.html"') for name in ("gone", "late", "a", "b", "new")]
    assert places == sorted(places)
