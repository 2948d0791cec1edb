"""What is searched for leaks: training data and testing data, as plain values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from domain.corpus import Labels


@dataclass(frozen=True, slots=True)
class TrainingText:
    """Text that a model learns: lines with their numbers as people find them in `file`. They are read once."""

    file: str
    lines: Iterable[tuple[int, str]]
    written: bool = True
    """Whether it is text for its own sake; transcripts of recordings are not searched for oddities."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording `name` at the place `file`: SHA-256 of its bytes, and of its samples alone (`sound`)."""

    name: str
    file: str
    contents: str
    sound: str


@dataclass(frozen=True, slots=True)
class Training:
    """All that a model learns from. `labels` are by the file that holds them."""

    texts: Sequence[TrainingText] = ()
    recordings: Sequence[Recording] = ()
    labels: Mapping[str, Labels] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Testing:
    """All that models are tested with; `file` is what to call it. References are by recording's name."""

    __test__: ClassVar[bool] = False  # no test case for pytest
    references: Mapping[str, str]
    recordings: Sequence[Recording] = ()
    labels: Labels = field(default_factory=dict)
    file: str = "testing"
