"""The speech engine that the service runs on; tests put a module with the same two functions in its place."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emulator.recogniser import PocketSphinxRecogniser, Recogniser
from emulator.training import Recipe
from emulator.training import train as build


def train(recipe: Recipe, cache: Path) -> Mapping[str, Any]:
    """Build a model; the report is JSON. A second call with the same recipe returns at once."""
    return asdict(build(recipe, cache))


def recogniser(recipe: Recipe, cache: Path) -> Recogniser:
    """Load a model (0.25 s once built)."""
    return PocketSphinxRecogniser(recipe, cache)
