"""Testing text in training text: exact and near duplicates, copied passages, shared phrases."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from domain.leakage.codes import Codebook
from domain.leakage.findings import Leak
from domain.leakage.index import TextIndex, runs
from domain.leakage.likeness import ALIKE_PERCENT, CHARACTERS, WORDS
from domain.normalise import Unit

MOST_LINES = 3
"""So many lines are listed for each testing text."""

PHRASES_NOTED = 0.2
PHRASES_BLOCK = 0.5
"""Shares of the testing texts' phrases that occur in training text: docs/leakage.md tells what is ordinary."""

FEWEST_PHRASES = 100
"""A share of fewer phrases says nothing."""

SHORT_TEXTS_MATTER = 0.05
"""Short texts that everybody says flatter a model when they hold this share of the testing words."""

Place = tuple[str, int]
"""A file and a line of it."""


class TextSearch:
    """The testing texts, and what was found of them in the training text that was read so far.

    Training text is read line by line, so memory depends on the testing texts alone.
    """

    def __init__(self, said: Mapping[str, str], unit: Unit = "word") -> None:
        """Index normalised texts, by utterance, whose tokens are words or characters."""
        self._likeness = CHARACTERS if unit == "character" else WORDS
        self._book = Codebook(said.values())
        self._utterances: dict[str, list[str]] = defaultdict(list)
        for identity, text in said.items():
            self._utterances[self._book.code(text)].append(identity)
        self._utterances.pop("", None)
        self._index = TextIndex(self._utterances, self._likeness)
        self._same: dict[str, list[Place]] = defaultdict(list)
        self._near: dict[str, list[Place]] = defaultdict(list)
        self._passages: dict[str, Place] = {}
        self._phrases: dict[str, str] = {}

    def read(self, text: str, place: Place) -> None:
        """Look for the testing texts in a normalised line of training text."""
        line = self._book.code(text)
        if line in self._utterances and len(self._same[line]) < MOST_LINES:
            self._same[line].append(place)
        found = self._index.runs_in(line)
        for run in found:
            if run in self._index.phrases:
                self._phrases.setdefault(run, place[0])
            if run in self._index.passages:
                self._passages.setdefault(run, place)
        for code in self._index.near(line, found):
            self._near[code].append(place)
            if len(self._near[code]) == MOST_LINES:
                self._index.forget(code)

    def leaks(self) -> Iterator[Leak]:
        """What was found, by testing text in the order of the references, then what concerns all of them."""
        rest = []
        for code in self._utterances:
            found = [*self._leaks_of(code)]
            yield from found
            if not found:
                rest.append(code)
        yield from self._short_texts()
        yield from self._shared_phrases(rest)

    def _leaks_of(self, code: str) -> Iterator[Leak]:
        if len(code) >= self._likeness.same and code in self._same:
            yield from self._listed("same text", code, self._same[code], "is word for word")
        if code in self._near:
            yield from self._listed("near text", code, self._near[code], "is nearly")
        elif code not in self._same and (place := self._copied_from(code)):
            yield from self._listed(
                "copied passages", code, [place], "is the first of those that together hold most of"
            )

    def _listed(self, kind: str, code: str, places: Sequence[Place], likeness: str) -> Iterator[Leak]:
        more = " (there may be more such lines)" if len(places) == MOST_LINES else ""
        for utterance in self._utterances[code]:
            reason = f"the line {likeness} what is said in the testing recording '{utterance}'{more}"
            for file, line in places:
                yield Leak(kind=kind, file=file, line=line, utterance=utterance, reason=reason)

    def _copied_from(self, code: str) -> Place | None:
        """Where the first passage comes from, when copied passages hold most of a text's words."""
        length = self._likeness.passage
        starts = [start for start, run in enumerate(runs(code, length)) if run in self._passages]
        words = {word for start in starts for word in range(start, start + length)}
        if not words or len(words) * 100 < len(code) * ALIKE_PERCENT:
            return None
        return self._passages[code[starts[0] : starts[0] + length]]

    def _short_texts(self) -> Iterator[Leak]:
        """What everybody says ("thank you") is no leak, but people should know how much of the testing data it is."""
        short = {code: places for code, places in self._same.items() if len(code) < self._likeness.same}
        if not short:
            return
        recordings = sum(len(self._utterances[code]) for code in short)
        share = self._words(short) / self._words(self._utterances)
        file, line = min(places[0] for places in short.values())
        yield Leak(
            kind="short text",
            file=file,
            line=line,
            reason=f"{recordings} short testing recordings ({share:.1%} of the words) say what lines of training text say",
            blocks=False,
            suspicious=share > SHORT_TEXTS_MATTER,
        )

    def _shared_phrases(self, codes: Iterable[str]) -> Iterator[Leak]:
        """Texts that do not leak one by one may leak together: most of what is said in them can be learnt."""
        phrases = dict.fromkeys(run for code in codes for run in runs(code, self._likeness.phrase))
        shared = [phrase for phrase in phrases if phrase in self._phrases]
        if len(phrases) < FEWEST_PHRASES or len(shared) < PHRASES_NOTED * len(phrases):
            return
        share = len(shared) / len(phrases)
        files = Counter(self._phrases[phrase] for phrase in shared)
        yield Leak(
            kind="shared phrases",
            file=min(files, key=lambda file: (-files[file], file)),
            reason=f"{share:.0%} of the {len(phrases):,} phrases of {self._likeness.phrase} words in the testing data are "
            "in training text, beside the recordings that leak whole",
            blocks=share >= PHRASES_BLOCK,
        )

    def _words(self, codes: Iterable[str]) -> int:
        return sum(len(code) * len(self._utterances[code]) for code in codes)
