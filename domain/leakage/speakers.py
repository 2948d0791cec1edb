"""People and sessions that are in training and in testing data."""

from collections.abc import Iterable, Iterator, Mapping

from domain.corpus import Labels
from domain.leakage.findings import Leak

_COLUMNS = ("speaker", "session")
_NO_NAMES = frozenset({"unknown", "none", "n/a", "-"})


def shared_people(training: Mapping[str, Labels], testing: Labels) -> Iterator[Leak]:
    """Speakers and sessions that a model learns and is tested with.

    They do not block. To know its speakers may be what a model is for, other words are said in the two, and both models
    are tested with the same people. But the gain is a gain for these people, so a large one is suspicious.
    """
    for column in _COLUMNS:
        tested = _values(testing.values(), column)
        for file, labels in training.items():
            shared = _values(labels.values(), column) & tested
            if shared:
                yield _leak(column, file, len(shared), _recordings(testing, column, shared), len(testing))


def _values(rows: Iterable[Mapping[str, str]], column: str) -> frozenset[str]:
    values = (row.get(column, "").casefold() for row in rows)
    return frozenset(value for value in values if value and value not in _NO_NAMES)


def _recordings(labels: Labels, column: str, values: frozenset[str]) -> int:
    return sum(row.get(column, "").casefold() in values for row in labels.values())


def _leak(column: str, file: str, shared: int, recordings: int, of: int) -> Leak:
    people = f"{shared} {column} is" if shared == 1 else f"{shared} {column}s are"
    reason = (
        f"{people} in training and testing data, with {recordings} of {of} testing recordings; "
        f"the gain is for {'speakers that the model knows' if column == 'speaker' else 'sessions that it knows'}"
    )
    return Leak(kind=column, file=file, reason=reason, blocks=False)
