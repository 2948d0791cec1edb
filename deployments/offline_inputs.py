"""What the gate judges, put together from plain files instead of an evaluation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deployments.plain_files import read_labels, read_phrases, read_training_text, read_transcripts
from domain.comparison import Comparison, Measured
from domain.corpus import Labels
from domain.leakage import LeakReport, Testing, Training, find_leaks
from domain.mistakes import Mistake
from domain.normalise import normaliser_for
from domain.wer import score_utterances

_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?-[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one comparison: what was said, what each model heard, and what is known beside it."""

    reference: Path
    benchmark: Path
    candidate: Path
    base: Path | None = None
    labels: Path | None = None
    phrases: Path | None = None
    training: Sequence[Path] = ()


def read_one(reference: Path, heard: Path, labels: Path | None, locale: str) -> tuple[Measured, Labels]:
    """One model's transcripts, scored.

    Raises:
        Mistake: a file is not what it should be, or the locale is none.
    """
    check_locale(locale)
    said = read_transcripts(reference)
    known: Labels = read_labels(labels, said.keys()) if labels else {}
    return _measured(said, heard, locale), known


def read_comparison(files: Files, locale: str) -> Comparison:
    """Two models' transcripts, or three, scored on the same references.

    Raises:
        Mistake: a file is not what it should be, or the locale is none.
    """
    check_locale(locale)
    said = read_transcripts(files.reference)
    labels: Labels = read_labels(files.labels, said.keys()) if files.labels else {}
    return Comparison(
        benchmark=_measured(said, files.benchmark, locale),
        candidate=_measured(said, files.candidate, locale),
        base=_measured(said, files.base, locale) if files.base else None,
        labels=labels,
        phrases=read_phrases(files.phrases) if files.phrases else (),
        leaks=_leaks(files.training, said, labels, files.reference, locale) if files.training else None,
    )


def read_leaks(training: Sequence[Path], testing: Path, labels: Path | None, locale: str) -> LeakReport:
    """What training text and testing references share.

    Raises:
        Mistake: a file is not what it should be, or the locale is none.
    """
    check_locale(locale)
    said = read_transcripts(testing)
    return _leaks(training, said, read_labels(labels, said.keys()) if labels else {}, testing, locale)


def read_vocabulary(training: Sequence[Path], locale: str) -> frozenset[str]:
    """The normalised words of training text."""
    normaliser = normaliser_for(locale)
    lines = (text for path in training for _, text in read_training_text(path).lines)
    return frozenset(word for text in lines for word in normaliser(text).split())


def check_locale(locale: str) -> None:
    """Refuse what is no language and region, for it would be scored by rules that nobody meant.

    Raises:
        Mistake: it is none.
    """
    if not _LOCALE.fullmatch(locale):
        raise Mistake(f"{locale[:40]!a} is not a locale. Name language and region, such as --locale en-US.")


def _measured(said: dict[str, str], heard: Path, locale: str) -> Measured:
    texts = read_transcripts(heard, said.keys())
    return Measured(model=str(heard), scorecard=score_utterances(said, texts, normaliser_for(locale)), service=None)


def _leaks(training: Sequence[Path], said: dict[str, str], labels: Labels, testing: Path, locale: str) -> LeakReport:
    texts = [read_training_text(path) for path in training]
    return find_leaks(Training(texts=texts), Testing(said, labels=labels, file=str(testing)), locale)
