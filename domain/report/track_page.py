"""One page per track, which tells the person on call what is live and whether all is well, and an index of all tracks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from domain.approval import Request
from domain.ledger import Entry, Release, State
from domain.lineage.history import Line, lines_of, marks_of, releases_of
from domain.lineage.places import page_name
from domain.report.rendering import rendered
from domain.report.wording import percent
from domain.watch.expiry import Ending
from domain.watch.findings import WatchReport

MOST_LINES: Final = 40
"""Entries of the history on a page; `speechops history` has them all."""
MOST_RELEASES: Final = 20


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """All that a track's page rests on. `pages` are the digests of the evidence that has a report of its own."""

    state: State
    entries: Sequence[Entry]
    now: datetime
    watched: WatchReport | None = None
    requests: Sequence[Request] = ()
    pages: frozenset[str] = frozenset()
    locale: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """A track in the index."""

    state: State
    watched: WatchReport | None = None
    waiting: int = 0
    """Open requests for approval."""
    problem: str = ""
    """Why the track cannot be read."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a track stands, in a sign, a tone of the style sheet and a sentence."""

    tone: str
    sign: str
    sentence: str


def track_page(facts: TrackFacts) -> str:
    """The page of a track as one HTML file, equal for equal facts."""
    state, lines = facts.state, lines_of(facts.entries, facts.state)
    shown = linked_digests(state, facts.entries)
    return rendered(
        "track.html",
        title=f"{state.track}: what is live",
        facts=facts,
        state=state,
        release=state.release,
        standing=standing(state, facts.watched, len(facts.requests)),
        figures=list(_figures(facts)),
        live_as_well=_live(state, facts),
        watched=facts.watched,
        ends=_ends(facts.watched),
        releases=_releases(state),
        more_releases=max(0, len(releases_of(state)) - MOST_RELEASES),
        lines=lines[::-1][:MOST_LINES],
        more_lines=max(0, len(lines) - MOST_LINES),
        chart=_chart(lines),
        linked=facts.pages & shown,
    )


def linked_digests(state: State, entries: Sequence[Entry]) -> frozenset[str]:
    """The digests of the evidence that the page would link to."""
    told = (str(one.facts.get("ruling", "")) for one in entries[-MOST_LINES:])
    return frozenset([*told, *(one.evidence for one in _releases(state))]) - {""}


def index_page(tracks: Sequence[Summary], now: datetime) -> str:
    """The index of all tracks of a store, those first that need somebody, then by name."""
    rows = [(one, standing(one.state, one.watched, one.waiting, one.problem)) for one in tracks]
    rows.sort(key=lambda row: (_URGENCY.get(row[1].tone, 9), row[0].state.track))
    needing = sum(row[1].tone in ("FAIL", "INCONCLUSIVE") for row in rows)
    return rendered(
        "tracks.html",
        title="Tracks",
        rows=rows,
        now=now,
        live=sum(one.state.release is not None for one in tracks),
        page_name=page_name,
        needing=needing,
        waiting=sum(one.waiting for one in tracks),
        standing=_overall([row[1] for row in rows], needing),
    )


def _overall(ranked: Sequence[Standing], needing: int) -> Standing:
    """How all tracks stand; `ranked` has the worst first."""
    if needing:
        return Standing(
            ranked[0].tone, "? LOOK", "One track needs somebody" if needing == 1 else f"{needing} tracks need somebody"
        )
    return Standing(
        "PASS" if ranked else "MEASURED", "✔ ALL WELL" if ranked else "– NO TRACK", "Speech models of this store"
    )


_URGENCY: Final = {"FAIL": 0, "INCONCLUSIVE": 1, "INVALID": 2, "PASS": 3, "MEASURED": 4}


def standing(state: State, watched: WatchReport | None = None, waiting: int = 0, problem: str = "") -> Standing:
    """How a track stands: the worst that is known of it."""
    worst, release = watched.worst if watched else None, state.release
    titles = "; ".join(one.title for one in watched.findings if one.severity == worst) if watched and worst else ""
    if problem:
        return Standing("FAIL", "✘ UNREADABLE", problem)
    if worst == "critical":
        return Standing("FAIL", "✘ LOOK", titles)
    if state.pending:
        kind = "A rollback" if state.pending.kind == "rollback" else "A release"
        return Standing(
            "INCONCLUSIVE", "… UNDER WAY", f"{kind} of {state.pending.model_name} is under way, or was interrupted"
        )
    if worst == "warning":
        return Standing("INCONCLUSIVE", "? LOOK", titles)
    if waiting:
        return Standing("INCONCLUSIVE", "? WAITS", "A model that passed waits for a person to agree")
    if release is None:
        return Standing("MEASURED", "– NOTHING LIVE", "No model of this track has gone live yet")
    after = "after a rollback" if release.kind == "rollback" else "released"
    return Standing(
        "PASS", f"✔ {called(release)} LIVE", f"{release.model_name}, {after} {release.released_at:%Y-%m-%d}"
    )


def _live(state: State, facts: TrackFacts) -> str:
    """What clients have, when the headline is about something else."""
    at_rest, now = standing(state), standing(state, facts.watched, len(facts.requests))
    return (
        "" if at_rest == now or state.release is None else f"Live: {called(state.release)}, {state.release.model_name}"
    )


def called(release: Release) -> str:
    """What people call a release: its version, or its number when it was released before there were versions."""
    return release.version or f"release {release.number}"


def _figures(facts: TrackFacts) -> Iterable[tuple[str, str, str, str]]:
    """Name, figure, note and tone of the large figures."""
    state = facts.state
    release, benchmark = state.release, state.benchmark
    if benchmark:
        what = "live model" if release and release.model == benchmark.model else "base model"
        yield f"WER, {what}", percent(benchmark.wer), f"{benchmark.words:,} words", "candidate"
    if release and release.latency:
        latency = release.latency
        yield "Latency", f"{latency.median:.2f} s", f"95% within {latency.percentile_95:.2f} s", ""
    yield "Releases", str(release.number if release else 0), _since(release), ""
    if ends := next_end(facts.watched):
        yield "First to end", f"{ends[1]:%Y-%m-%d}", ends[0], ""


def _since(release: Release | None) -> str:
    return f"the last on {release.released_at:%Y-%m-%d}" if release else "none yet"


def next_end(watched: WatchReport | None) -> tuple[str, datetime] | None:
    """What ends first of what the track rests on, and when."""
    return next(((one.what, one.at) for one in _ends(watched) if one.at), None)


def _ends(watched: WatchReport | None) -> list[Ending]:
    """What ends, the first first; what has no date comes last."""
    known = watched.expiry if watched else ()
    return sorted(known, key=lambda one: (one.at is None, one.at.timestamp() if one.at else 0.0, one.what))


def _releases(state: State) -> list[Release]:
    return sorted(releases_of(state).values(), key=lambda one: -one.number)[:MOST_RELEASES]


def _chart(lines: Sequence[Line]) -> dict[str, Any] | None:
    marks = marks_of(lines)
    if not marks:
        return None
    from domain.report import timeline  # matplotlib takes a second to import

    drawn = timeline.timeline(marks)
    return {"svg": Markup(timeline.svg(drawn)), "count": len(marks)}  # noqa: S704 - it escapes what it draws
