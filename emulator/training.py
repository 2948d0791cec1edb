"""Training a custom model: plain text becomes a language model, pronunciation rows and spelling a dictionary.

What a model is made of is its recipe, a few kilobytes. The files that the decoder loads (30 MB) are a cache: they are built
from the recipe in about two seconds, and built again when somebody has deleted them.
"""

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Self

import numpy as np
from filelock import FileLock
from pydantic import TypeAdapter

from emulator.dictionary import read_dictionary, shipped_dictionary, shipped_language_model, write_dictionary
from emulator.g2p import load_g2p
from emulator.language_model import HeldOut, Sentence, cross_validate, estimate, mix, token_keys, with_words
from emulator.lexicon import Lexicon, Variants
from emulator.text import Row, Tokeniser, display_forms, unit_of
from emulator.trie import NGrams, read_trie, write_trie

log = logging.getLogger(__name__)

ALGORITHM = 1
"""Goes into every recipe's key; whoever changes what training makes of a recipe raises it."""

LANGUAGE_MODEL = "lm.bin"
DICTIONARY = "words.dict"
DISPLAY_FORMS = "display.json"
REPORT = "report.json"

WEIGHT_BOUNDS = (0.2, 0.7)
"""Held-out text resembles the training text more than speech does, so its verdict on the weight is clamped."""

ASKED_BOUNDS = (0.01, 0.99)
"""At 0 or 1 one of the two models would be gone."""

ROW_PROBABILITY = 5e-4
"""At most, of a word that a pronunciation row names and no text holds."""

ROWS_PROBABILITY = 0.01
"""At most, of all such words together."""

COMMON_WORDS = 20_000
"""So many of the shipped words may be parts of a compound."""


class CannotTrain(ValueError):
    """There is nothing to learn from; the message says why, for whoever chose the data."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a custom model is made of.

    `sentences` are lines of plain text and transcripts as people write them, `pronunciations` rows of display form and
    spoken form. `weight_percent` (1 to 100, Azure's customModelWeightPercent) is how much the domain counts against
    general English; without it, held-out text decides. `phones` are rows of display form and sounds ("K AE T"), which
    count wherever the text has that form. Order and repeats of lines and rows do not matter.
    """

    sentences: tuple[str, ...]
    pronunciations: tuple[Row, ...]
    weight_percent: int | None = None
    phones: tuple[Row, ...] = ()

    @property
    def key(self) -> str:
        """ "base" for the shipped model; otherwise SHA-256 (64 hex digits) over the content and the algorithm's version."""
        if not self.sentences and not self.pronunciations:
            return "base"
        content = [ALGORITHM, sorted(set(self.sentences)), sorted(set(self.pronunciations)), self.weight_percent]
        if self.phones:
            content.append(sorted(set(self.phones)))
        return sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


BASE = Recipe((), ())
"""The shipped model of general English."""


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What training made of a recipe, for people and as JSON.

    `weight` is the domain's share of the language model (0 to 1). Perplexities are over held-out words of the text that
    the base model knows; None without text to hold out. `pronunciations` are the variants of every word that the shipped
    dictionary lacked or a row changed; `unpronounceable` words are left out, with the `sentences_dropped` they stand in.
    """

    sentences: int
    running_words: int
    sentences_dropped: int
    weight: float
    perplexity_before: float | None
    perplexity_after: float | None
    vocabulary_added: tuple[str, ...]
    pronunciations: Mapping[str, Variants]
    unpronounceable: tuple[str, ...]


_REPORT_FORMAT = TypeAdapter(TrainingReport)


def train(recipe: Recipe, cache: Path) -> TrainingReport:
    """Build `cache/<key>` unless it is there; processes that want the same model at once wait for one of them.

    Raises:
        CannotTrain: no line of the recipe holds a word that can be said.
    """
    folder = cache / recipe.key
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{recipe.key}.lock"):
        if not (folder / REPORT).exists():
            _build(recipe, cache, folder)
    return _REPORT_FORMAT.validate_json((folder / REPORT).read_bytes())


def ensure_model(recipe: Recipe, cache: Path) -> Path:
    """The folder of a model's files, built first if they are not in the cache; raises CannotTrain as `train` does."""
    train(recipe, cache)
    return cache / recipe.key


def _build(recipe: Recipe, cache: Path, folder: Path) -> None:
    """Write all files beside their place and move them there at once, so that a half-built model is never seen."""
    started = monotonic()
    unfinished = folder.with_suffix(".partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    report = _copy_base(unfinished) if recipe.key == BASE.key else _build_custom(recipe, cache, unfinished)
    (unfinished / REPORT).write_bytes(_REPORT_FORMAT.dump_json(report))
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    log.info("built model %.12s in %.1f s", recipe.key, monotonic() - started)


def _copy_base(folder: Path) -> TrainingReport:
    shutil.copyfile(shipped_language_model(), folder / LANGUAGE_MODEL)
    shutil.copyfile(shipped_dictionary(), folder / DICTIONARY)
    (folder / DISPLAY_FORMS).write_text("{}", encoding="utf-8")
    return TrainingReport(0, 0, 0, 0.0, None, None, (), {}, ())


def _build_custom(recipe: Recipe, cache: Path, folder: Path) -> TrainingReport:
    """Build the dictionary and the language model of a recipe into a folder."""
    base, dictionary = read_trie(shipped_language_model()), read_dictionary(shipped_dictionary())
    text = _Text.of(recipe)
    lexicon = Lexicon(dictionary, _common_words(base), text.spellings, partial(load_g2p, cache))
    pronounced = lexicon.pronounce(text.words, text.rows, text.phones)
    usable = [sentence for sentence in text.sentences if all(w in pronounced or w in dictionary for w in sentence)]
    named = [unit for unit in text.units if unit in pronounced]
    if not usable and not named:
        raise CannotTrain(_nothing_usable(recipe))
    model, weight, held_out = _language_model(base, usable, named, recipe.weight_percent)
    write_trie(model, folder / LANGUAGE_MODEL)
    write_dictionary(dictionary | pronounced, folder / DICTIONARY)
    (folder / DISPLAY_FORMS).write_text(json.dumps(text.spellings), encoding="utf-8")
    before, after = held_out.perplexities(weight) if held_out else (None, None)
    return TrainingReport(
        sentences=len(usable),
        running_words=sum(map(len, usable)),
        sentences_dropped=len(text.sentences) - len(usable),
        weight=round(weight, 4),
        perplexity_before=before,
        perplexity_after=after,
        vocabulary_added=model.words[len(base.words) :],
        pronunciations=pronounced,
        unpronounceable=tuple(word for word in text.words if word not in pronounced and word not in dictionary),
    )


@dataclass(frozen=True, slots=True)
class _Text:
    """A recipe in the recogniser's words, each line once and in a fixed order."""

    rows: Sequence[Row]
    units: Sequence[str]
    sentences: Sequence[Sentence]
    words: Sequence[str]
    spellings: Mapping[str, str]
    phones: Mapping[str, Variants]
    """Of words that the text has."""

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        lines, rows = sorted(set(recipe.sentences)), sorted(set(recipe.pronunciations))
        tokeniser = Tokeniser([*rows, *recipe.phones])
        sentences = sorted({tokeniser.words(line) for line in lines} - {()})
        units = sorted({unit_of(display) for display, _ in rows} - {""})
        written = {word for sentence in sentences for word in sentence} | set(units)
        phones = {
            unit: tuple(sorted(variants)) for unit, variants in _by_unit(recipe.phones).items() if unit in written
        }
        return cls(rows, units, sentences, sorted(written), display_forms(lines, rows), phones)


def _by_unit(phones: Sequence[Row]) -> dict[str, set[str]]:
    units: dict[str, set[str]] = {}
    for display, spelled in phones:
        units.setdefault(unit_of(display), set()).add(spelled)
    return units


def _common_words(base: NGrams) -> frozenset[str]:
    return frozenset(base.words[i] for i in np.argsort(-base.unigrams, kind="stable")[:COMMON_WORDS].tolist())


def _nothing_usable(recipe: Recipe) -> str:
    return (
        f"None of the {len(recipe.sentences)} lines of text and {len(recipe.pronunciations)} pronunciations holds an "
        "English word that can be spoken; check that the right files were chosen, and that they are UTF-8 text."
    )


def _language_model(
    base: NGrams, sentences: Sequence[Sentence], named: Sequence[str], weight_percent: int | None
) -> tuple[NGrams, float, HeldOut | None]:
    """Mix the base model with one of the sentences, at the weight that is asked for or that held-out sentences ask for."""
    written = sorted({word for sentence in sentences for word in sentence})
    unwritten = sorted(set(named).difference(base.words, written))
    share = min(ROW_PROBABILITY, ROWS_PROBABILITY / max(1, len(unwritten)))
    base = with_words(with_words(base, written), unwritten, share)
    if not sentences:
        return mix(base, base, 0.0), 0.0, None
    held_out = cross_validate(sentences, base)
    if weight_percent is not None:
        weight = float(np.clip(weight_percent / 100, *ASKED_BOUNDS))
    else:
        weight = float(np.clip(held_out.best_weight() if held_out else 0.0, *WEIGHT_BOUNDS))
    ids = {word: number for number, word in enumerate(base.words)}
    return mix(base, estimate(token_keys(sentences, ids), base.words), weight), weight, held_out
