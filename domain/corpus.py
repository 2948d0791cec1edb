"""What a track's transcripts and labels must look like, and what makes two datasets the same one.

Pure rules over bytes. Each returns what it could read together with every problem that it found.
Source: Microsoft, "Training and testing datasets" and "How to create human-labeled transcriptions".
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from domain.naming import fingerprint
from domain.problems import MOST_PROBLEMS, Problem
from domain.text_lines import Line, read_lines

Labels = Mapping[str, Mapping[str, str]]
"""Recording's file name to its labels: always `speaker`, then whatever slices the user has."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in the recording `name`, as it stands in line `line`."""

    name: str
    text: str
    line: int


def content_hash(files: Iterable[tuple[str, str]]) -> str:
    """What makes a dataset that dataset: SHA-256 (64 hex digits) over (file name, SHA-256 of its bytes), in any order.

    >>> content_hash([("a.wav", "00"), ("b.wav", "ff")]) == content_hash([("b.wav", "ff"), ("a.wav", "00")])
    True
    """
    return fingerprint(*sorted((canonical_name(name), digest) for name, digest in files))


def canonical_name(name: str) -> str:
    """A file's name in NFC: macOS may store "é" as two characters where a transcript has one."""
    return unicodedata.normalize("NFC", name)


def parse_transcripts(
    data: bytes, file: str, audio_names: Collection[str]
) -> tuple[tuple[Transcript, ...], tuple[Problem, ...]]:
    """Read `<file name><tab><text>` lines; every recording needs exactly one.

    Args:
        data: the bytes of the transcript file.
        file: what to call it in problems.
        audio_names: the recordings beside it, by `canonical_name`.
    """
    unreadable: list[Problem] = []
    check = _NameCheck(file, audio_names)
    rows = []
    for line in read_lines(data, file, unreadable):
        row = check.judged(_transcript(line, file), line)
        if isinstance(row, Transcript):
            rows.append(row)
        if check.has_enough:
            break
    if not unreadable:
        check.report_left_over("transcript", "a line with its name, a tab and what is said")
    return tuple(rows), _in_order(unreadable + check.problems)


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line is None, problem.line))[:MOST_PROBLEMS])


def _transcript(line: Line, file: str) -> Transcript | Problem:
    name, tab, text = line.text.partition("\t")
    text = text.replace("\t", " ").strip()
    if not tab:
        return Problem(file, line.number, "the line has no tab", "Put one tab between the file name and what is said.")
    if not any(character.isalnum() for character in text):
        return Problem(
            file, line.number, f"'{name}' has no words", "Write what is said, or remove the line and the recording."
        )
    return Transcript(canonical_name(name), text, line.number)


def parse_labels(data: bytes, file: str, audio_names: Collection[str]) -> tuple[Labels, tuple[Problem, ...]]:
    """Read a table with tabs: a header with `file`, `speaker` and any slice columns, then one row per recording.

    Args:
        data: the bytes of `utterances.tsv`.
        file: what to call it in problems.
        audio_names: the recordings that need labels, by `canonical_name`.
    """
    unreadable: list[Problem] = []
    check = _NameCheck(file, audio_names)
    labels: dict[str, Mapping[str, str]] = {}
    lines = read_lines(data, file, unreadable)
    columns = _columns(next(lines, None))
    if not columns:
        return {}, _in_order(unreadable) or (_no_header(file),)
    for line in lines:
        row = check.judged(_labels(line, file, columns), line)
        if isinstance(row, _Labels):
            labels[row.name] = row.labels
        if check.has_enough:
            break
    if not unreadable:
        check.report_left_over("row of labels", "a row for it")
    return labels, _in_order(unreadable + check.problems)


@dataclass(frozen=True, slots=True)
class _Labels:
    name: str
    labels: Mapping[str, str]


def _columns(header: Line | None) -> Sequence[str]:
    columns = [cell.strip() for cell in header.text.split("\t")] if header else []
    each_once = all(columns) and len(set(columns)) == len(columns)
    return columns if each_once and columns[:1] == ["file"] and "speaker" in columns else ()


def _no_header(file: str) -> Problem:
    reason = "the first line is not a header with the columns file, speaker and any slices, each once"
    return Problem(file, 1, reason, "Begin the file with `file<tab>speaker`.")


def _labels(line: Line, file: str, columns: Sequence[str]) -> _Labels | Problem:
    cells = [cell.strip() for cell in line.text.split("\t")]
    if len(cells) != len(columns):
        reason = f"the row has {len(cells)} columns, the header has {len(columns)}"
        return Problem(file, line.number, reason, "Put one tab between two columns, none inside.")
    row = dict(zip(columns, cells, strict=True))
    empty = [column for column, cell in row.items() if not cell]
    if empty:
        return Problem(file, line.number, f"the column {empty[0]} is empty", "Write a label, such as `unknown`.")
    return _Labels(canonical_name(row.pop("file")), row)


Row = TypeVar("Row", Transcript, _Labels)


@dataclass
class _NameCheck:
    """Whether each line names a recording that exists, and each recording is named once."""

    file: str
    audio_names: Collection[str]
    problems: list[Problem] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    meant: set[str] = field(default_factory=set)
    """Recordings that a faulty line is about, so that they are not reported a second time."""

    def __post_init__(self) -> None:
        self.audio_names = frozenset(self.audio_names)
        self._alike = {_alike(name): name for name in self.audio_names}

    @property
    def has_enough(self) -> bool:
        return len(self.problems) >= MOST_PROBLEMS

    def judged(self, row: Row | Problem, line: Line) -> Row | None:
        """The row when nothing is wrong with it and its recording; else None, and a problem is noted."""
        if isinstance(row, Problem):
            self.meant |= {canonical_name(part) for part in (line.text.split()[0], line.text.partition("\t")[0])}
            self.problems.append(row)
        elif problem := self._problem(row.name, line.number):
            self.problems.append(problem)
        else:
            return row
        return None

    def report_left_over(self, what: str, add: str) -> None:
        """Note each recording that no line is about."""
        left = sorted(frozenset(self.audio_names) - self.seen.keys() - self.meant)
        for name in left[: MOST_PROBLEMS - len(self.problems)]:
            reason = f"the recording '{name}' has no {what}"
            self.problems.append(Problem(self.file, None, reason, f"Add {add}, or remove the recording."))

    def _problem(self, name: str, line: int) -> Problem | None:
        if name in self.seen:
            reason = f"'{name}' stands here and in line {self.seen[name]}"
            return Problem(self.file, line, reason, "Keep one of the two.")
        self.seen[name] = line
        if name in self.audio_names:
            return None
        return Problem(self.file, line, f"there is no recording '{name}'", self._hint(name))

    def _hint(self, name: str) -> str:
        meant = self._alike.get(_alike(name))
        if meant is None:
            return "Add the recording, or remove the line."
        self.meant.add(meant)
        return f"Write the name exactly as the file's: '{meant}'."


def _alike(name: str) -> str:
    return name.strip().replace("\\", "/").rpartition("/")[2].casefold().removesuffix(".wav")
