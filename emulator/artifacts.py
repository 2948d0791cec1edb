"""Files that a job leaves behind for its entity: their bytes in the data folder, their record for the store."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from emulator.entities import FileKind, StoredFile


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the files of one entity go. Ids follow from names, so a job that runs again replaces its own files."""

    data: Path
    owner: str
    created: datetime

    def put(self, name: str, kind: FileKind, content: bytes | Path, *, seconds: float | None = None) -> StoredFile:
        """Keep bytes, or a hard link to (or copy of) a file."""
        file_id = str(uuid5(NAMESPACE_URL, f"{self.owner}/{kind}/{name}"))
        path = self.data / "files" / self.owner / file_id
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            _link(content, path)
        return StoredFile(
            id=file_id,
            name=name,
            kind=kind,
            size=path.stat().st_size,
            content=str(path.relative_to(self.data)),
            created_date_time=self.created,
            duration_milliseconds=None if seconds is None else round(seconds * 1000),
        )

    def put_json(self, name: str, kind: FileKind, content: Mapping[str, Any]) -> StoredFile:
        """Keep a JSON document."""
        return self.put(name, kind, json.dumps(content, ensure_ascii=False, indent=2).encode())


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
