"""Whether the testing data can speak for every group that they name."""

from collections import Counter
from collections.abc import Iterator, Mapping

from domain.corpus import Labels
from domain.leakage.findings import Leak

SMALL_SHARE = 0.05
"""Of the testing words. Where there are many groups, a quarter of an equal share counts as small."""

LARGE_SHARE = 0.5
"""Of the testing words, held by one speaker."""

_MOST_NAMED = 5


def imbalance(references: Mapping[str, str], labels: Labels, file: str) -> Iterator[Leak]:
    """Groups, by each column of the labels, with little or no evidence; and a speaker who is most of the evidence.

    Args:
        references: normalised texts by recording.
        labels: the recordings' labels.
        file: what to call the testing data.
    """
    for column in dict.fromkeys(column for row in labels.values() for column in row):
        words = _words_by_value(references, labels, column)
        total = words.total()
        if total and column == "speaker":
            yield from _one_voice(words, total, file)
        if total and len(words) * 2 <= len(labels):  # else nearly every recording has its own: no groups
            yield from _small_groups(column, words, total, file)


def _words_by_value(references: Mapping[str, str], labels: Labels, column: str) -> Counter[str]:
    words: Counter[str] = Counter()
    for recording, row in labels.items():
        if column in row:
            words[row[column]] += len(references.get(recording, "").split())
    return words


def _small_groups(column: str, words: Counter[str], total: int, file: str) -> Iterator[Leak]:
    least = min(SMALL_SHARE, 0.25 / len(words)) * total
    small = sorted((count, value) for value, count in words.items() if count < least)
    if small:
        named = ", ".join(f"'{value}' {count:,}" for count, value in small[:_MOST_NAMED])
        more = f" and {len(small) - _MOST_NAMED} more" if len(small) > _MOST_NAMED else ""
        yield _note(f"by {column}, these groups hold few of the {total:,} words: {named}{more}", file)


def _one_voice(words: Counter[str], total: int, file: str) -> Iterator[Leak]:
    (_, most), *others = words.most_common()
    if others and most > LARGE_SHARE * total:
        yield _note(
            f"one speaker says {most / total:.0%} of the {total:,} words; the result is mostly about them", file
        )


def _note(reason: str, file: str) -> Leak:
    return Leak(kind="balance", file=file, reason=reason, blocks=False, suspicious=False)
