"""A multipart form with one file in it, read from the disk while it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from speech_client.errors import BadInput
from speech_client.redaction import HiddenItems


@dataclass(frozen=True, slots=True)
class Form:
    """The file at `path` as part `name`, beside plain `fields`. Each request opens the file anew."""

    name: str
    path: Path
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    @contextmanager
    def opened(self) -> Iterator[dict[str, Any]]:
        """Yield the arguments with which httpx streams the form.

        Raises:
            BadInput: The file cannot be read.
        """
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise BadInput(f"{self.path} cannot be read: {error.strerror}.") from None
        name = self.path.name.encode(errors="replace").decode()  # a disk may hold names that are no text
        with file:
            yield HiddenItems(files={self.name: (name, file)}, data=dict(self.fields))
