"""What people read on a pull request: one comment in Markdown, whatever its files are called and whatever is in them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from domain.changes import Change, Difference, Part, differences
from domain.leakage import LeakReport
from domain.problems import MOST_PROBLEMS, Problem
from domain.report import escaped, leak_markdown, table
from domain.report.wording import SIGNS
from domain.verdict import Outcome

MARKER = "<!-- speechops pull request -->"
"""Begins the comment, and finds it again. People do not see it."""

MODEL_MARKER = "<!-- speechops model -->"
"""Begins the part on temporary models. It stays when the data are checked anew: a training takes hours, a push does not."""

MOST_CHARACTERS = 30_000
"""Of each of the two parts of a comment: GitHub takes 65,536, Azure DevOps 150,000, GitLab a million."""

_MADE_INERT = (
    (re.compile(r"&(?=[#\w])"), "＆"),  # character references, which could spell all that follows
    (re.compile(r"@"), "＠"),  # people and groups
    (re.compile(r"\\?#(?=\w)"), "＃"),  # issues
    (re.compile(r"\\?!(?=\d)"), "！"),  # merge requests of GitLab, pull requests of Azure DevOps
    (re.compile(r"://"), "：//"),
    (re.compile(r"<!--"), "‹!--"),  # our own marks
    (re.compile(r"(?i)\b(www)\."), r"\1．"),
    (re.compile(r"(?m)^(\s*)/"), r"\1∕"),  # GitLab's quick actions
)


@dataclass(frozen=True, slots=True)
class PartChange:
    """How many files of one part of a track are new, gone, or have other content.

    >>> print(PartChange(Part.TESTING, added=2, changed=1))
    testing: 2 new, 1 changed
    """

    part: Part
    added: int = 0
    removed: int = 0
    changed: int = 0

    def __str__(self) -> str:
        counts = {"new": self.added, "gone": self.removed, "changed": self.changed}
        return f"{self.part.value}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


@dataclass(frozen=True, slots=True)
class TrackReport:
    """What was found out about one track that a pull request changes."""

    track: str
    changes: tuple[PartChange, ...] = ()
    runs: tuple[str, ...] = ()
    """The flows that a merge would start."""
    problems: tuple[Problem, ...] = ()
    leaks: LeakReport | None = None
    """None when there was nothing to compare, or the data have problems."""
    leaks_block: bool = True
    """Whether the track's policy refuses leaked data."""
    not_judged: str = ""
    """Why nobody knows whether its data are sound; empty when they were checked."""
    outcome: Outcome | None = None
    """The temporary model's; None without one."""
    verdict: str = ""
    """The verdict's page in Markdown, as `domain.report.verdict_page` makes it."""
    note: str = ""
    """Why there is no temporary model although one was asked for."""

    @property
    def is_sound(self) -> bool:
        """Whether a merge would not fail on the data."""
        leaked = self.leaks is not None and self.leaks.outcome == "leaked"
        return not (self.not_judged or self.problems or (leaked and self.leaks_block))


@dataclass(frozen=True, slots=True)
class PullReport:
    """What was found out about a pull request at one commit."""

    number: int
    head: str
    """The full id of the commit that was looked at."""
    tracks: tuple[TrackReport, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether a merge would not fail on the data of any track."""
        return all(track.is_sound for track in self.tracks)

    @property
    def tells_anything(self) -> bool:
        """Whether people need a comment: most pull requests of a repository have nothing to do with speech data."""
        return bool(self.tracks or self.notes)

    @property
    def summary(self) -> str:
        """One line without any text from the data.

        >>> PullReport(7, "abc").summary
        'no speech data changed'
        """
        if not self.tracks:
            return "no speech data changed"
        unknown = sum(bool(track.not_judged) for track in self.tracks)
        wrong = sum(not track.is_sound for track in self.tracks) - unknown
        tracks = _counted(len(self.tracks), "track")
        told = [f"{wrong} of {tracks} cannot be used"] if wrong else []
        told += [f"{unknown} of {tracks} not judged"] if unknown else []
        return ", ".join(told) or f"the data of {tracks} are sound"

    @property
    def model_summary(self) -> str:
        """What the temporary models came to, in one line; empty without any."""
        return ", ".join(f"{track.track}: {track.outcome.value}" for track in self.tracks if track.outcome)


def part_changes(changes: Iterable[Change], data: str) -> Mapping[str, tuple[PartChange, ...]]:
    """By track, what differs in each of its parts.

    >>> found = part_changes([Change("data/taxi/testing/a.wav", "", "1"), Change("data/taxi/track.toml", "1", "2")], "data")
    >>> [str(change) for change in found["taxi"]]
    ['testing: 1 new', 'track.toml: 1 changed']
    """
    return {track: tuple(_parts(found)) for track, found in differences(changes, data).items()}


def data_markdown(report: PullReport, *, link: str = "") -> str:
    """The comment's part on the data. Nothing from the data can call people, link, or be anything but text.

    Args:
        report: what was found out.
        link: where the whole run can be seen; our own address, empty for none.
    """
    return _part(MARKER, _data(report), link)


def model_markdown(report: PullReport, *, link: str = "") -> str:
    """The comment's part on temporary models; see `data_markdown`."""
    return _part(MODEL_MARKER, _models(report), link)


def comment_with(old: str, *, data: str = "", model: str = "") -> str:
    """The comment with another part; the other one stays as it is.

    >>> comment_with(comment_with("", data="<data>"), model=f"{MODEL_MARKER} better")
    '<data>\\n\\n<!-- speechops model --> better'
    """
    old_data, _, old_model = old.partition(MODEL_MARKER)
    kept = f"{MODEL_MARKER}{old_model}" if old_model else ""
    return "\n\n".join(filter(None, (data or old_data.strip() or MARKER, model or kept)))


def inert(text: str) -> str:
    """Markdown in which nothing calls anybody: no mention, no reference, no address, no command.

    >>> print(inert("ask @ada about #12 at https://example.org &#64;all"))
    ask ＠ada about ＃12 at https：//example.org ＆＃64;all
    """
    for pattern, instead in _MADE_INERT:
        text = pattern.sub(instead, text)
    return text


def _parts(found: Difference) -> Iterator[PartChange]:
    for part in Part:
        lost = {name for where, name, _ in found.lost if where is part}
        gained = {name for where, name, _ in found.gained if where is part}
        if lost or gained:
            yield PartChange(part, len(gained - lost), len(lost - gained), len(lost & gained))


def _part(marker: str, sections: Iterable[str], link: str) -> str:
    after = f"\n\n[The run]({link})" if link else ""
    body = "\n\n".join([marker, *map(inert, sections)])
    return _shortened(body, MOST_CHARACTERS - len(after)) + after


def _data(report: PullReport) -> Iterator[str]:
    sign = SIGNS[Outcome.PASS if report.is_sound else Outcome.FAIL]
    yield f"## {sign} Speech data: {report.summary}"
    yield f"Commit `{report.head[:12]}`."
    if report.tracks:
        yield table(["track", "what differs", "a merge starts", "data"], map(_row, report.tracks))
    if report.notes:
        yield "\n".join(f"- {escaped(note)}" for note in report.notes)
    for track in report.tracks:
        yield from _details(track, report.head[:12])


def _models(report: PullReport) -> Iterator[str]:
    yield "## Speech models, trained for this, judged and removed"
    yield f"Commit `{report.head[:12]}`."
    for track in report.tracks:
        sign = f"{SIGNS[track.outcome]} " if track.outcome else ""
        yield f"### {sign}{escaped(track.track)}"
        yield _lowered(track.verdict) if track.verdict else f"No temporary model: {escaped(track.note)}"


def _row(track: TrackReport) -> tuple[str, ...]:
    found: str = track.leaks.outcome if track.leaks else "sound"
    if track.not_judged:
        found = "not judged"
    elif track.problems:
        found = _counted(len(track.problems), "problem")
    return (
        track.track,
        "; ".join(map(str, track.changes)),
        ", ".join(track.runs) or "nothing",
        f"{SIGNS[Outcome.PASS if track.is_sound else Outcome.FAIL]} {found}",
    )


def _details(track: TrackReport, revision: str) -> Iterator[str]:
    if track.not_judged:
        yield f"### {escaped(track.track)}: not judged"
        remedy = "Make it smaller, or ask an operator to raise the limits of the Git Data block."
        yield f"Nobody knows whether these data are sound: {escaped(track.not_judged)}. {remedy}"
    if track.problems:
        yield f"### {escaped(track.track)}: {_counted(len(track.problems), 'problem')}"
        yield table(["where", "what is wrong", "what to do"], map(_problem, track.problems[:MOST_PROBLEMS]))
    if track.leaks and track.leaks.leaks:
        yield _lowered(leak_markdown(track.leaks, track.track, revision))


def _problem(problem: Problem) -> tuple[str, str, str]:
    place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
    return place, problem.reason, problem.remedy


def _lowered(page: str) -> str:
    """A page as a part of another one."""
    return re.sub(r"(?m)^(#+) ", r"##\1 ", page)


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    more = "\n\nThe rest does not fit into a comment: it is in the run's artifact."
    return text[: most - len(more)].rpartition("\n")[0] + more


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
