"""What custom models are made of, as it is kept in the data folder and travels when a model is copied.

The engine's part (`training.Recipe`) and, beside it, what is done to display text: that changes no model file.
"""

import json
import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter

from emulator.structured_text import PHONES
from emulator.text import Row
from emulator.training import BASE, Recipe


def _sayable(spelled: str) -> str:
    if not spelled or any(phone not in PHONES.values() for phone in spelled.split(" ")):
        raise ValueError("not phones of the recogniser")
    return spelled


Percent = Annotated[int, Field(ge=1, le=100)]
Phones = tuple[str, Annotated[str, AfterValidator(_sayable)]]
"""A row of display form and sounds; checked, for they go into the recogniser's dictionary as they are."""


@dataclass(frozen=True, slots=True)
class ModelRecipe:
    """All of a custom model. `phones` are rows of display form and sounds, `rewrites` of old and new phrase."""

    sentences: tuple[str, ...] = ()
    pronunciations: tuple[Row, ...] = ()
    weight_percent: Percent | None = None
    phones: tuple[Phones, ...] = ()
    rewrites: tuple[Row, ...] = ()

    @property
    def speech(self) -> Recipe:
        """What the engine builds; the base model when there is nothing to learn."""
        return Recipe(self.sentences, self.pronunciations, self.weight_percent, self.phones)

    @property
    def learns(self) -> bool:
        """Whether there is anything for the engine to build."""
        return self.speech.key != BASE.key or not self.rewrites

    @property
    def key(self) -> str:
        """Names the model by its content; without rewrites it is the key of the engine's part."""
        key = self.speech.key
        if not self.rewrites:
            return key
        return sha256(json.dumps([key, sorted(set(self.rewrites))]).encode()).hexdigest()


_FORMAT = TypeAdapter(ModelRecipe)
_SHIPPED = ModelRecipe()


def of(document: dict[str, Any]) -> ModelRecipe:
    """The recipe in a JSON object; pydantic's ValidationError when it is none."""
    return _FORMAT.validate_python(document)


def keep(data: Path, recipe: ModelRecipe) -> str:
    """Put a recipe into the data folder, whole or not at all; the result is its key."""
    path = path_of(data, recipe.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid():x}-{threading.get_ident():x}")
    partial.write_text(json.dumps(asdict(recipe)))
    partial.replace(path)
    return recipe.key


def load(data: Path, key: str) -> ModelRecipe:
    """The recipe of that key."""
    return _SHIPPED if key == BASE.key else _FORMAT.validate_json(path_of(data, key).read_bytes())


def path_of(data: Path, key: str) -> Path:
    """Where a recipe lies in the data folder."""
    return data / "recipes" / f"{key}.json"


def rows(lines: Iterable[str]) -> list[Row]:
    """Lines of two columns, split at their TAB."""
    parts = (line.partition("\t") for line in lines)
    return [(left.strip(), right.strip()) for left, _, right in parts]
