"""The pronunciation dictionary that ships with PocketSphinx: words and their phones, in cmudict's format."""

from collections.abc import Mapping
from pathlib import Path

from pocketsphinx import get_model_path

Dictionary = Mapping[str, tuple[str, ...]]
"""A word to its variants, each with its phones separated by spaces: {"read": ("R EH D", "R IY D")}."""


def shipped(name: str) -> Path:
    """Where a file of the shipped en-us model lies."""
    return Path(get_model_path(f"en-us/{name}"))


def shipped_dictionary() -> Path:
    """Where the shipped dictionary lies: 126,000 words."""
    return shipped("cmudict-en-us.dict")


def shipped_language_model() -> Path:
    """Where the shipped trigram model lies: 72,547 words."""
    return shipped("en-us.lm.bin")


def read_dictionary(path: Path) -> dict[str, tuple[str, ...]]:
    """Read a dictionary; the second variant of a word stands there as "word(2)"."""
    variants: dict[str, tuple[str, ...]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry, _, phones = line.partition(" ")
        word = entry.partition("(")[0]
        variants[word] = (*variants.get(word, ()), phones.strip())
    return variants


def write_dictionary(dictionary: Dictionary, path: Path) -> None:
    """Write a dictionary that PocketSphinx can load."""
    path.write_text("".join(f"{entry} {phones}\n" for entry, phones in _entries(dictionary)), encoding="utf-8")


def _entries(dictionary: Dictionary) -> list[tuple[str, str]]:
    return [
        (word if number == 1 else f"{word}({number})", phones)
        for word, variants in dictionary.items()
        for number, phones in enumerate(variants, start=1)
    ]
