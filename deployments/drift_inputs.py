"""What `speechops drift` compares: transcripts of two periods, from plain files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployments.offline_inputs import check_locale, read_vocabulary
from domain.mistakes import Mistake
from domain.normalise import normaliser_for
from domain.production import DriftPolicy, DriftReport, Heard, beside_base, find_drift
from tasks.production import read_folder


@dataclass(frozen=True, slots=True)
class Question:
    """The folders of both periods and of the base model, texts whose words are known, and where the report goes."""

    now: Path
    before: Path
    base: Path | None
    vocabulary: Sequence[Path]
    locale: str
    report: Path | None


def answer(question: Question, *, to_label: int, least: float) -> DriftReport:
    """Compare the periods; `least` is in per cent.

    Raises:
        Mistake: a file is not what it should be, the locale is none, or the report is of an unknown kind.
    """
    check_locale(question.locale)
    if question.report and question.report.suffix not in (".html", ".csv"):
        raise Mistake(f"{question.report}: a report is an .html or a .csv file. Correct its name.")
    normaliser = normaliser_for(question.locale)
    words = read_vocabulary(question.vocabulary, question.locale) if question.vocabulary else None
    now, before = read_folder(question.now, normaliser), read_folder(question.before, normaliser)
    if question.base:
        now, before = _beside(now, before, read_folder(question.base, normaliser))
    policy = DriftPolicy(to_label=to_label, least_relative_percent=least)
    return find_drift(now, before, vocabulary=words, policy=policy, unit=normaliser.unit, locale=question.locale)


def _beside(
    now: tuple[Heard, ...], before: tuple[Heard, ...], base: Sequence[Heard]
) -> tuple[tuple[Heard, ...], tuple[Heard, ...]]:
    texts: Mapping[str, Heard] = {one.name: one for one in base}
    twice = {one.name for one in now} & {one.name for one in before} & texts.keys()
    if twice:
        raise Mistake(
            f"{len(twice)} names, such as {min(twice)[:80]!a}, stand in both periods, so nobody knows which of the two the base "
            "model heard. Give the files of each period names of their own, for example a folder with its date."
        )
    return beside_base(now, texts), beside_base(before, texts)
