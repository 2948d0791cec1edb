"""Import of a dataset: each line or recording is accepted, or rejected with a reason that goes into `report.json`.

The content of Azure's report is not published; this one has line numbers and reasons, and no transcripts.
Runs in a worker process.
"""

from collections.abc import Callable

from emulator.archive import HostileArchive
from emulator.entities import DatasetKind, FileKind
from emulator.errors import JobFailure
from emulator.import_audio import import_acoustic, import_audio_files
from emulator.import_order import Imported, ImportOrder
from emulator.import_text import (
    import_language,
    import_output_formatting,
    import_pronunciation,
    import_structured_text,
)

MAX_REPORTED_LINES = 1000

IMPORTERS: dict[DatasetKind, Callable[[ImportOrder, Imported], None]] = {
    DatasetKind.LANGUAGE: import_language,
    DatasetKind.ACOUSTIC: import_acoustic,
    DatasetKind.PRONUNCIATION: import_pronunciation,
    DatasetKind.AUDIO_FILES: import_audio_files,
    DatasetKind.LANGUAGE_MARKDOWN: import_structured_text,
    DatasetKind.OUTPUT_FORMATTING: import_output_formatting,
}


def import_dataset(order: ImportOrder) -> Imported:
    """Read the uploaded data.

    Raises:
        JobFailure: nothing in it is usable.
    """
    imported = Imported()
    try:
        IMPORTERS[order.kind](order, imported)
    except HostileArchive as error:
        raise JobFailure("DataImportFailed", str(error)) from error
    if not imported.accepted:
        raise JobFailure("DataImportFailed", _nothing_left(imported))
    imported.files.append(order.shelf.put_json("report.json", FileKind.DATASET_REPORT, _report(order.kind, imported)))
    return imported


def _nothing_left(imported: Imported) -> str:
    if not imported.rejected:
        return "The dataset is empty: no line of it could be used."
    line, reason = imported.rejected[0]
    return f"All {len(imported.rejected)} lines were rejected; the first, line {line}: {reason}."


def _report(kind: DatasetKind, imported: Imported) -> dict[str, object]:
    return {
        "kind": kind,
        "acceptedLineCount": imported.accepted,
        "rejectedLineCount": len(imported.rejected),
        "rejectedLines": [{"line": line, "reason": why} for line, why in imported.rejected[:MAX_REPORTED_LINES]],
        "unusedFiles": imported.unused[:MAX_REPORTED_LINES],
        "warnings": imported.warnings,
    }
