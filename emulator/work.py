"""What worker processes do: train, decode, score. Plain functions of plain data, so that a process pool can run them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from emulator import display_format, recipes, structured_text
from emulator.artifacts import Shelf
from emulator.entities import DatasetKind, FileKind, Recording, StoredFile, audio_content
from emulator.errors import JobFailure
from emulator.presentation import Presentation
from emulator.recipes import ModelRecipe
from emulator.recogniser import Recogniser
from emulator.results import score_details, transcription_report, transcription_result
from emulator.scoring import Tally, align_tokens, align_words
from emulator.training import CannotTrain

LOADED_RECOGNISERS = 3
"""Per worker (about 130 MB each): enough for the base model, the benchmark and the candidate."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker works: the engine's module, and the data folder."""

    engine: str
    data: Path


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """Files to train with, by the kind of their dataset."""

    sources: tuple[tuple[DatasetKind, Path], ...]
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
    return recipes.keep(place.data, _recipe_of(order))


def train(place: Place, recipe_key: str) -> dict[str, Any]:
    """Build the model of a recipe.

    Raises:
        JobFailure: the recipe has nothing to learn from.
    """
    recipe = recipes.load(place.data, recipe_key)
    try:
        report = dict(import_module(place.engine).train(recipe.speech, place.data / "cache")) if recipe.learns else {}
        return {**report, **({"rewrites": len(recipe.rewrites)} if recipe.rewrites else {})}
    except CannotTrain as error:
        raise JobFailure("InvalidTrainingData", str(error)) from error


def model_files(place: Place, recipe_key: str) -> dict[str, Path]:
    """The files that a model is run with, by their names in its manifest; built first if need be."""
    speech = recipes.load(place.data, recipe_key).speech
    files: dict[str, Path] = import_module(place.engine).files(speech, place.data / "cache")
    return files


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
    result = transcription_result(recording.name, recording.seconds, {0: recognition}, Presentation(), order.now)
    files[transcription.owner].append(transcription.put_json(f"{recording.name}.json", FileKind.TRANSCRIPTION, result))


@lru_cache(maxsize=LOADED_RECOGNISERS)
def _recogniser(place: Place, recipe_key: str) -> Recogniser:
    recipe = recipes.load(place.data, recipe_key)
    recogniser: Recogniser = import_module(place.engine).recogniser(recipe.speech, place.data / "cache")
    return display_format.Rewriter(recogniser, recipe.rewrites) if recipe.rewrites else recogniser


def _recipe_of(order: TrainingOrder) -> ModelRecipe:
    found: dict[DatasetKind, list[str]] = {kind: [] for kind, _ in order.sources}
    for kind, path in order.sources:
        found[kind] += path.read_text(encoding="utf-8").split("\n")[:-1]
    structured = structured_text.read(found.get(DatasetKind.LANGUAGE_MARKDOWN, ()))
    transcripts = (line.partition("\t")[2] for line in found.get(DatasetKind.ACOUSTIC, ()))
    return ModelRecipe(
        sentences=(*found.get(DatasetKind.LANGUAGE, ()), *transcripts, *structured.expanded()),
        pronunciations=tuple(recipes.rows(found.get(DatasetKind.PRONUNCIATION, ()))),
        weight_percent=order.weight_percent,
        phones=structured.phones,
        rewrites=display_format.rewrites(found.get(DatasetKind.OUTPUT_FORMATTING, ())),
    )
