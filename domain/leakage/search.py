"""The search: every check, in the order in which people read what it found."""

from collections.abc import Iterator, Sequence

from domain.leakage.balance import imbalance
from domain.leakage.data import Testing, Training, TrainingText
from domain.leakage.findings import Leak, LeakReport
from domain.leakage.oddities import OddityCheck
from domain.leakage.recordings import shared_recordings, tested_twice
from domain.leakage.speakers import shared_people
from domain.leakage.texts import TextSearch
from domain.normalise import normaliser_for


def find_leaks(training: Training, testing: Testing, locale: str) -> LeakReport:
    """Search everything that a model learns for what it is tested with, and for what is odd.

    Texts are compared after the locale's normaliser. The report is equal for equal data, and quotes no transcript.
    """
    normaliser = normaliser_for(locale)
    said = {identity: normaliser(text) for identity, text in testing.references.items()}
    search = TextSearch(said, normaliser.unit)
    checked, odd = [], list[Leak]()
    for text in training.texts:
        lines, found = _read(text, search, locale)
        checked.append(f"{_counted(lines, 'line')} of {text.file}")
        odd += found
    leaks = (
        *search.leaks(),
        *shared_recordings(training.recordings, testing.recordings),
        *shared_people(training.labels, testing.labels),
        *odd,
        *tested_twice(testing.recordings),
        *imbalance(said, testing.labels, testing.file),
    )
    return LeakReport(leaks=leaks, checked=(*checked, *_looked_at(training, testing)))


def _read(text: TrainingText, search: TextSearch, locale: str) -> tuple[int, Sequence[Leak]]:
    """How many lines there are, and what is odd in them."""
    normalise, check, lines = normaliser_for(locale), OddityCheck(text.file, locale), 0
    for lines, (number, line) in enumerate(text.lines, start=1):  # noqa: B007 - counts
        normalised = normalise(line)
        search.read(normalised, (text.file, number))
        if text.written:
            check.read(number, line, normalised)
    return lines, tuple(check.leaks())


def _looked_at(training: Training, testing: Testing) -> Iterator[str]:
    yield _counted(len(testing.references), "testing text")
    if training.recordings and testing.recordings:
        yield f"the bytes and the sound of {_counted(len(training.recordings), 'training recording')}"
    if training.recordings and not (training.labels and testing.labels):
        yield "not the speakers, for training or testing recordings have no labels"
    elif training.labels:
        yield "speakers and sessions of " + ", ".join(training.labels)


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"
