"""Import of text: plain sentences, pronunciations, structured text and rules for display text, line by line.

Rules: azure-ai-docs, how-to-custom-speech-test-and-train.
"""

import re
from contextlib import suppress

from emulator import display_format, structured_text
from emulator.entities import FileKind
from emulator.errors import JobFailure
from emulator.import_order import Check, Imported, ImportOrder, Lines

MAX_TEXT_BYTES = 200 * 1024**2
MAX_PRONUNCIATION_BYTES = 1024**2
MAX_FORMATTING_BYTES = 10 * 1024**2
MOST_REPEATS = 3
LONGEST_GROUP = 6
"""Words of a group that is looked for again."""

_ITEM = re.compile(r"\s*-")
_RULE = re.compile(r"\s*(?!//|#)\S")
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_STUTTER = re.compile(rf"([^\W\d_])\1{{{MOST_REPEATS},}}", re.IGNORECASE)


def import_language(order: ImportOrder, imported: Imported) -> None:
    """Plain text: sentences without URIs and endless repetitions."""
    _import(order, imported, Lines(imported), check_sentence, "language_data.txt", FileKind.LANGUAGE_DATA)


def import_pronunciation(order: ImportOrder, imported: Imported) -> None:
    """Rows of display form and spoken form."""
    _check_size(order, MAX_PRONUNCIATION_BYTES)
    name, kind = "pronunciation_data.txt", FileKind.PRONUNCIATION_DATA
    _import(order, imported, Lines(imported, ansi=True), _check_pronunciation, name, kind)


def import_structured_text(order: ImportOrder, imported: Imported) -> None:
    """Lists, phones and sentences with slots; comments and the heads of sections are not counted."""
    reader = structured_text.Reader(_lists_of(order), check_sentence)
    lines = Lines(imported, needs_bom=True)
    _import(order, imported, lines, reader.read, "language_data.md", FileKind.LANGUAGE_DATA, is_entry=_ITEM)


def import_output_formatting(order: ImportOrder, imported: Imported) -> None:
    """Rules for display text; comments and the heads of sections are not counted."""
    _check_size(order, MAX_FORMATTING_BYTES)
    reader, name = display_format.Reader(), "output_formatting.md"
    kind = FileKind.OUTPUT_FORMATTING_DATA
    _import(order, imported, Lines(imported, needs_bom=True), reader.read, name, kind, is_entry=_RULE)


def _import(
    order: ImportOrder,
    imported: Imported,
    lines: Lines,
    check: Check,
    name: str,
    kind: FileKind,
    is_entry: re.Pattern[str] | None = None,
) -> None:
    """Keep the lines that pass; those that are an entry (all without `is_entry`) are counted as accepted."""
    _check_size(order, MAX_TEXT_BYTES)
    kept = order.source.with_name("kept")
    with order.source.open("rb") as stream, kept.open("w", encoding="utf-8", newline="\n") as target:
        for number, line in lines.read(stream):
            reason = check(line)
            if reason:
                imported.reject(number, reason)
                continue
            imported.accepted += is_entry is None or is_entry.match(line) is not None
            target.write(f"{line}\n")
    imported.files.append(order.shelf.put(name, kind, kept))


def _check_size(order: ImportOrder, limit: int) -> None:
    if order.source.stat().st_size > limit:
        raise JobFailure("DataImportFailed", f"The data are larger than {limit // 1024**2} MB.")


def _lists_of(order: ImportOrder) -> list[str]:
    """Names of the lists, from a first look at the file: sentences may come before the lists that they name."""
    with suppress(JobFailure), order.source.open("rb") as stream:
        return list(structured_text.names_of_lists(line for _, line in Lines(Imported()).read(stream)))
    return []


def check_sentence(line: str) -> str | None:
    """Why a line is no sentence to learn from."""
    if _ADDRESS.search(line):
        return "a URI is not text"
    if _STUTTER.search(line) or _repeats(line.casefold().split()):
        return f"characters, words or groups of words are repeated more than {MOST_REPEATS} times"
    return None


def _repeats(words: list[str]) -> bool:
    return any(_repeats_group(words, size) for size in range(1, LONGEST_GROUP + 1))


def _repeats_group(words: list[str], size: int) -> bool:
    """Whether a group of so many words stands there more than three times in a row."""
    same = 0
    for word, before in zip(words[size:], words, strict=False):
        same = same + 1 if word == before else 0
        if same >= MOST_REPEATS * size:
            return True
    return False


def _check_pronunciation(line: str) -> str | None:
    parts = [part.strip() for part in line.split("\t")]
    return None if len(parts) == 2 and all(parts) else "expected: display form, TAB, spoken form"
