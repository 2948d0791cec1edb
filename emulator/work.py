"""What worker processes do: train, decode, score. Plain functions of plain data, so that a process pool can run them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from emulator.artifacts import Shelf
from emulator.entities import FileKind, Recording, StoredFile, audio_content
from emulator.errors import JobFailure
from emulator.recogniser import Recogniser
from emulator.results import score_details, transcription_report, transcription_result
from emulator.scoring import Tally, align_tokens, align_words
from emulator.training import BASE, CannotTrain, Recipe

LOADED_RECOGNISERS = 3
"""Per worker (about 130 MB each): enough for the base model, the benchmark and the candidate."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker works: the engine's module, and the data folder."""

    engine: str
    data: Path


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """Files of the datasets to train with, by kind."""

    sources: tuple[tuple[FileKind, Path], ...]
    weight_percent: int | None


@dataclass(frozen=True, slots=True)
class ScoringOrder:
    """Recordings with what each model heard (by audio hash), and the entities that get the files."""

    evaluation: str
    transcriptions: tuple[str, str]
    recordings: Sequence[Recording]
    heard: tuple[Mapping[str, Any], Mapping[str, Any]]
    now: datetime


def write_recipe(place: Place, order: TrainingOrder) -> str:
    """Gather the training data; the result is the key under which the model is built."""
    recipe = _recipe_of(order)
    path = _recipe_path(place, recipe.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(recipe)))
    return recipe.key


def train(place: Place, recipe_key: str) -> dict[str, Any]:
    """Build the model of a recipe.

    Raises:
        JobFailure: the recipe has nothing to learn from.
    """
    try:
        return dict(import_module(place.engine).train(_recipe(place, recipe_key), place.data / "cache"))
    except CannotTrain as error:
        raise JobFailure("InvalidTrainingData", str(error)) from error


def load(place: Place, recipe_key: str) -> None:
    """Make sure that a model can decode, and have it ready in this worker."""
    _recogniser(place, recipe_key)


def decode(place: Place, recipe_key: str, audio: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Recognise recordings of the data folder, by hash."""
    recogniser = _recogniser(place, recipe_key)
    return {sha: asdict(recogniser.recognise((place.data / audio_content(sha)).read_bytes())) for sha in audio}


def recognise(place: Place, recipe_key: str, wav: bytes) -> dict[str, Any]:
    """Recognise one clip."""
    return asdict(_recogniser(place, recipe_key).recognise(wav))


def score(place: Place, order: ScoringOrder) -> tuple[dict[str, Any], dict[str, list[StoredFile]]]:
    """Measure both models: the evaluation's properties, and the new files by owner."""
    files: dict[str, list[StoredFile]] = {owner: [] for owner in (order.evaluation, *order.transcriptions)}
    properties: dict[str, Any] = {}
    for number in (1, 2):
        tally = Tally()
        transcription = Shelf(place.data, order.transcriptions[number - 1], order.now)
        for recording in order.recordings:
            _score_one(place, order, number, recording, tally, files)
        report = transcription_report(order.recordings)
        files[transcription.owner].append(transcription.put_json("report.json", FileKind.TRANSCRIPTION_REPORT, report))
        properties |= tally.properties(number)
        if not tally.words["reference"]:
            raise JobFailure("InvalidDataset", "The transcripts have no word that could be compared.")
    return properties, files


def _score_one(
    place: Place,
    order: ScoringOrder,
    number: int,
    recording: Recording,
    tally: Tally,
    files: dict[str, list[StoredFile]],
) -> None:
    recognition = order.heard[number - 1][recording.sha256]
    words = align_words(recording.transcript, recognition["lexical"])
    tokens = align_tokens(recording.transcript, recognition["display"])
    tally.add(words, tokens)
    details = score_details(recording, recognition, words, tokens)
    name, kind = f"{recording.name}.model{number}_score.json", FileKind.EVALUATION_DETAILS
    files[order.evaluation].append(Shelf(place.data, order.evaluation, order.now).put_json(name, kind, details))
    transcription = Shelf(place.data, order.transcriptions[number - 1], order.now)
    result = transcription_result(recording, recognition, order.now)
    files[transcription.owner].append(transcription.put_json(f"{recording.name}.json", FileKind.TRANSCRIPTION, result))


@lru_cache(maxsize=LOADED_RECOGNISERS)
def _recogniser(place: Place, recipe_key: str) -> Recogniser:
    recogniser: Recogniser = import_module(place.engine).recogniser(_recipe(place, recipe_key), place.data / "cache")
    return recogniser


def _recipe(place: Place, recipe_key: str) -> Recipe:
    if recipe_key == BASE.key:
        return BASE
    stored = json.loads(_recipe_path(place, recipe_key).read_text())
    pronunciations = tuple((display, spoken) for display, spoken in stored["pronunciations"])
    return Recipe(tuple(stored["sentences"]), pronunciations, stored["weight_percent"])


def _recipe_path(place: Place, recipe_key: str) -> Path:
    return place.data / "recipes" / f"{recipe_key}.json"


def _recipe_of(order: TrainingOrder) -> Recipe:
    sentences: list[str] = []
    pronunciations: list[tuple[str, str]] = []
    for kind, path in order.sources:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        if kind is FileKind.LANGUAGE_DATA:
            sentences += lines
        elif kind is FileKind.ACOUSTIC_DATA_TRANSCRIPTION:
            sentences += [line.partition("\t")[2] for line in lines]
        elif kind is FileKind.PRONUNCIATION_DATA:
            rows = (line.partition("\t") for line in lines)
            pronunciations += [(display.strip(), spoken.strip()) for display, _, spoken in rows]
    return Recipe(tuple(sentences), tuple(pronunciations), order.weight_percent)
