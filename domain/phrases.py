"""Phrases that matter to a track, such as names of places and products: `testing/phrases.tsv`."""

from domain.comparison import Phrase
from domain.problems import Problem
from domain.text_lines import Line, read_lines

PHRASES = "phrases.tsv"
"""Stands beside the recordings to test with."""


def parse_phrases(data: bytes, file: str) -> tuple[tuple[Phrase, ...], tuple[Problem, ...]]:
    """Read one phrase per line; `<phrase><tab>must` for one whose every occurrence must be heard.

    Args:
        data: the bytes of the file.
        file: what to call it in problems.
    """
    problems: list[Problem] = []
    phrases: dict[str, Phrase] = {}
    for line in read_lines(data, file, problems):
        phrase = _phrase(line, file)
        if isinstance(phrase, Problem):
            problems.append(phrase)
        elif phrase.text.casefold() in phrases:
            problems.append(Problem(file, line.number, "the phrase stands here a second time", "Keep one of the two."))
        else:
            phrases[phrase.text.casefold()] = phrase
    return tuple(phrases.values()), tuple(problems)


def _phrase(line: Line, file: str) -> Phrase | Problem:
    text, _, mark = (cell.strip() for cell in line.text.partition("\t"))
    if not text or mark not in ("", "must"):
        reason = "the line is not a phrase, or a phrase, one tab and the word `must`"
        return Problem(file, line.number, reason, "Write for instance `Al Qasba`, or `Al Qasba<tab>must`.")
    return Phrase(text, must=mark == "must")
