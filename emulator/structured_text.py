"""Structured text (datasets of kind LanguageMarkdown): sentences with slots, the lists that fill them, and phones.

Source: azure-ai-docs, how-to-custom-speech-test-and-train, "structured-text data for training". The page names two sets
of limits; these are those of its section on the format.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, product
from math import prod

from emulator.text import Row

MAX_LISTS = 20
MAX_ITEMS = 35_000
MAX_ENTRIES = 15_000
MAX_PRONUNCIATIONS = 2
MOST_SENTENCES = 50_000
"""All sentences with slots are written out to about so many: the page's "up to 50,000 training sentences"."""

SLOT = re.compile(r"\{@\s*([^{}]+?)\s*\}")
_LIST = re.compile(r"@\s*list\s+([^={}]*[^={}\s])\s*=", re.IGNORECASE)
_LEXICON = re.compile(r"@\s*speech:phoneticlexicon", re.IGNORECASE)
_HEADING = re.compile(r"#\s*\w+", re.ASCII)
_COMMENT = re.compile(r"(?:^|\s)//.*")

_SHARED = "aa ae ah ao aw ay b ch d dh eh er ey f g ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh hh"
_OTHERS = "ax=AH axr=ER a=AA e=EY i=IY o=OW u=UW h=HH j=Y ra=R ai=AY au=AW ei=EY oi=OY"
PHONES = {phone: phone.upper() for phone in _SHARED.split()} | dict(pair.split("=") for pair in _OTHERS.split())
"""Phones of the Universal Phone Set that en-US needs, to those that the recogniser has."""

Check = Callable[[str], str | None]


@dataclass(slots=True)
class StructuredText:
    """A file as far as it is read: lists by name, phones by word, and sentences, with slots and without."""

    lists: dict[str, list[str]] = field(default_factory=dict)
    sounds: dict[str, list[str]] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    entries: int = 0

    @property
    def phones(self) -> tuple[Row, ...]:
        """Rows of word and phones."""
        return tuple((word, phones) for word, variants in self.sounds.items() for phones in variants)

    def expanded(self) -> Iterator[str]:
        """Sentences with their slots filled; when there are too many ways to, so that every item has its turn."""
        with_slots = [sentence for sentence in self.sentences if SLOT.search(sentence)]
        budget = max(1, MOST_SENTENCES // max(1, len(with_slots)))
        yield from (sentence for sentence in self.sentences if not SLOT.search(sentence))
        for number, sentence in enumerate(with_slots):
            yield from self._filled(sentence, number * budget, budget)

    def _filled(self, sentence: str, start: int, budget: int) -> Iterator[str]:
        """The sentence in at most `budget` ways; `start` is where the lists are entered when there are more."""
        parts = SLOT.split(sentence)
        texts, choices = parts[::2], [self.lists.get(name, []) for name in parts[1::2]]
        ways = prod(map(len, choices))
        if ways <= budget:
            chosen: Iterable[tuple[str, ...]] = product(*choices)
        else:
            turns = range(start, start + budget)
            chosen = (tuple(items[turn % len(items)] for items in choices) for turn in turns)
        for items in chosen:
            yield "".join(text + item for text, item in zip(texts, (*items, ""), strict=True))


class Reader:
    """Reads line by line; each line is taken, passed over, or refused with a reason."""

    def __init__(self, names: Iterable[str] = (), check: Check = lambda _: None, most_lists: int | None = None) -> None:
        names = islice(dict.fromkeys(names), MAX_LISTS if most_lists is None else most_lists)
        self.text = StructuredText({name: [] for name in names})
        self._check = check
        self._take: Check = lambda _: "it belongs to no list, lexicon or section of sentences"

    def read(self, line: str) -> str | None:
        """Take one line; the result is why it is refused, or None."""
        line = without_comment(line)
        if not line:
            return None
        if line.startswith("-"):
            item = line[1:].strip()
            return self._take(item) if item else "there is nothing after the hyphen"
        return self._open(line)

    def _open(self, line: str) -> str | None:
        if found := _LIST.fullmatch(line):
            return self._open_list(found[1])
        if _LEXICON.fullmatch(line):
            self._take = self._take_entry
            return None
        if line.startswith("#"):
            self._take = self._take_sentence
            return None if _HEADING.fullmatch(line) else "a section's heading has letters, digits and underscores only"
        return "neither a list, a lexicon, a section, an item nor a comment"

    def _open_list(self, name: str) -> str | None:
        items = self.text.lists.get(name)
        if items is None:
            self._take = lambda _: f"its list is one too many: {MAX_LISTS} are allowed"
            return f"there are more than {MAX_LISTS} lists"
        self._take = lambda item: self._take_item(items, item)
        return None

    def _take_item(self, items: list[str], item: str) -> str | None:
        if len(items) >= MAX_ITEMS:
            return f"a list has at most {MAX_ITEMS} items"
        reason = self._check(item)
        if not reason:
            items.append(item)
        return reason

    def _take_entry(self, entry: str) -> str | None:
        word, slash, spelled = (part.strip() for part in entry.partition("/"))
        if not (word and slash and spelled):
            return "expected: word, slash, phones"
        phones = [PHONES.get(phone.lower().rstrip("012")) for phone in spelled.split()]
        variants = self.text.sounds.get(word, [])
        if None in phones:
            return "a phone is not one of the Universal Phone Set for en-US"
        if len(variants) >= MAX_PRONUNCIATIONS:
            return f"a word has at most {MAX_PRONUNCIATIONS} pronunciations"
        if self.text.entries >= MAX_ENTRIES:
            return f"the lexicon has at most {MAX_ENTRIES} entries"
        self.text.entries += 1
        self.text.sounds[word] = [*variants, " ".join(phone for phone in phones if phone)]
        return None

    def _take_sentence(self, sentence: str) -> str | None:
        if any(name not in self.text.lists for name in SLOT.findall(sentence)):
            return "it names a list that does not exist"
        reason = self._check(SLOT.sub(" ", sentence))
        if not reason:
            self.text.sentences.append(sentence)
        return reason


def without_comment(line: str) -> str:
    """A line without its comment and outer white space.

    >>> without_comment("- what {@pet} do you have // a question"), without_comment("// only this")
    ('- what {@pet} do you have', '')
    """
    return _COMMENT.sub("", line.strip()).strip()


def names_of_lists(lines: Iterable[str]) -> Iterator[str]:
    """Which lists there are: a sentence may stand before the lists that it names."""
    return (found[1] for line in lines if (found := _LIST.fullmatch(without_comment(line))))


def read(lines: Iterable[str]) -> StructuredText:
    """What lines hold that were accepted before, of one dataset or of several."""
    lines = list(lines)
    reader = Reader(names_of_lists(lines), most_lists=len(lines))
    for line in lines:
        reader.read(line)
    return reader.text
