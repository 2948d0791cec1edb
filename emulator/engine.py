"""The speech engine that the service runs on; tests put a module with the same functions in its place."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emulator.dictionary import shipped
from emulator.recogniser import PocketSphinxRecogniser, Recogniser
from emulator.training import DICTIONARY, DISPLAY_FORMS, LANGUAGE_MODEL, Recipe, ensure_model
from emulator.training import train as build


def train(recipe: Recipe, cache: Path) -> Mapping[str, Any]:
    """Build a model; the report is JSON. A second call with the same recipe returns at once."""
    return asdict(build(recipe, cache))


def recogniser(recipe: Recipe, cache: Path) -> Recogniser:
    """Load a model (0.25 s once built)."""
    return PocketSphinxRecogniser(recipe, cache)


def files(recipe: Recipe, cache: Path) -> Mapping[str, Path]:
    """The files that a model is run with, by name: its own, and those of the acoustic model that all models share."""
    own, shared = ensure_model(recipe, cache), shipped("en-us")
    shown = {f"{own.name}/{name}": own / name for name in (LANGUAGE_MODEL, DICTIONARY, DISPLAY_FORMS)}
    return shown | {f"{shared.name}/{path.name}": path for path in sorted(shared.iterdir()) if path.is_file()}
