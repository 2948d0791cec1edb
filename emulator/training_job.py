"""Training: gather what the datasets hold, build the model unless the same recipe was built before."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from emulator import work
from emulator.artifacts import Shelf
from emulator.entities import CustomModel, FileKind, id_in
from emulator.service import Service

TRAINED_FROM = (FileKind.LANGUAGE_DATA, FileKind.PRONUNCIATION_DATA, FileKind.ACOUSTIC_DATA_TRANSCRIPTION)


async def run(service: Service, model: CustomModel) -> Callable[[CustomModel], CustomModel]:
    """Train; the entity gets its recipe and report."""
    weight = model.properties.get("customModelWeightPercent")
    order = work.TrainingOrder(tuple(_sources(service, model)), weight)
    recipe_key = await service.pool.run(work.write_recipe, service.place, order)
    report, counter = service.store.training_report(recipe_key), "training_cache_hits"
    if report is None:
        report, counter = await service.pool.run(work.train, service.place, recipe_key), "trainings"
    return partial(_finished, service, recipe_key, report, counter)


def _sources(service: Service, model: CustomModel) -> list[tuple[FileKind, Path]]:
    files = [file for dataset in sorted(model.datasets) for file in service.store.files(id_in(dataset))]
    return [(file.kind, service.data / file.content) for file in files if file.kind in TRAINED_FROM]


def _finished(
    service: Service, recipe_key: str, report: Mapping[str, Any], counter: str, model: CustomModel
) -> CustomModel:
    service.store.add_training(recipe_key, report)
    service.store.count(counter)
    shelf = Shelf(service.data, model.id, service.clock())
    service.store.set_files(model.id, [shelf.put_json("report.json", FileKind.MODEL_REPORT, report)])
    trained = model.model_copy(update={"recipe_key": recipe_key})
    return trained.with_properties(customModelWeightPercent=_weight_percent(model, report), error=None)


def _weight_percent(model: CustomModel, report: Mapping[str, Any]) -> int | None:
    """The weight that was asked for, or the one that training chose: "get the model to retrieve the selected weight"."""
    asked: int | None = model.properties.get("customModelWeightPercent")
    if asked is not None or "weight" not in report:
        return asked
    return min(100, max(1, round(100 * float(report["weight"]))))
