"""The sections of a page on words. Without transcripts they hold counts, and nothing that was said."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain

from domain.comparison import Comparison
from domain.report.errors import Change, WordErrors, changes, never_heard, ranked
from domain.report.harmless import LONGEST_WORD, harmless

MOST_WORDS, MOST_TO_PASTE, MOST_CONFUSIONS = 40, 200, 25


@dataclass(frozen=True, slots=True)
class Words:
    """Words with how often: how many in all, how many different ones, and those that the page shows."""

    total: int
    distinct: int
    shown: tuple[tuple[str, int], ...] = ()
    lines: str = ""
    """For a plain text file: one word per line."""
    pronunciations: str = ""
    """For a pronunciation file: the word, a tab, and the word again, to be corrected."""


def words_of(counted: Counter[str], transcripts: bool) -> Words:
    """The words for a page."""
    total, distinct = counted.total(), len(counted)
    if not transcripts:
        return Words(total, distinct)
    paste = [harmless(word, LONGEST_WORD) for word, _ in ranked(counted, MOST_TO_PASTE)]
    return Words(
        total,
        distinct,
        tuple(ranked(counted, MOST_WORDS)),
        "\n".join(paste),
        "\n".join(f"{word}\t{word}" for word in paste),
    )


@dataclass(frozen=True, slots=True)
class WordLists:
    """The section on words; `unknown` are those that the training text lacks, None when nobody gave a vocabulary."""

    fixed: Words
    broken: Words
    missed: Words
    never: Words
    unknown: Words | None
    vocabulary: int
    """Different words that are said."""


def word_lists(
    comparison: Comparison, errors: WordErrors, known: Collection[str] | None, transcripts: bool
) -> WordLists:
    """Fixed, broken, missed, never heard, and unknown words."""
    said = Counter(chain.from_iterable(one.reference.split() for one in comparison.candidate.scorecard.utterances))
    unknown = None if known is None else Counter({word: count for word, count in said.items() if word not in known})
    never = never_heard(comparison, errors, said)
    return WordLists(
        words_of(errors.fixed, transcripts),
        words_of(errors.broken, transcripts),
        words_of(errors.missed, transcripts),
        words_of(never, transcripts),
        None if unknown is None else words_of(unknown, transcripts),
        len(said),
    )


@dataclass(frozen=True, slots=True)
class Confusions:
    """How many different confusions there are, and those that the page shows."""

    distinct: int
    shown: tuple[Change, ...]


def confusions_of(errors: WordErrors, transcripts: bool) -> Confusions:
    """The confusions for a page."""
    distinct = len(errors.before.keys() | errors.after.keys())
    return Confusions(distinct, tuple(changes(errors, MOST_CONFUSIONS)) if transcripts else ())
