"""Training: gather what the datasets hold, build the model unless the same recipe was built before."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from emulator import work
from emulator.artifacts import Shelf
from emulator.entities import CustomModel, Dataset, DatasetKind, FileKind, id_in
from emulator.errors import JobFailure
from emulator.import_audio import MAX_TRAINING_SECONDS
from emulator.service import Service

TRAINED_FROM = {
    DatasetKind.LANGUAGE: FileKind.LANGUAGE_DATA,
    DatasetKind.LANGUAGE_MARKDOWN: FileKind.LANGUAGE_DATA,
    DatasetKind.PRONUNCIATION: FileKind.PRONUNCIATION_DATA,
    DatasetKind.ACOUSTIC: FileKind.ACOUSTIC_DATA_TRANSCRIPTION,
    DatasetKind.OUTPUT_FORMATTING: FileKind.OUTPUT_FORMATTING_DATA,
}
"""The file of a dataset that training reads."""


async def run(service: Service, model: CustomModel) -> Callable[[CustomModel], CustomModel]:
    """Train; the entity gets its recipe and report."""
    _refuse_long_audio(service, model)
    weight = model.properties.get("customModelWeightPercent")
    order = work.TrainingOrder(tuple(_sources(service, model)), weight)
    recipe_key = await service.pool.run(work.write_recipe, service.place, order)
    report, counter = service.store.training_report(recipe_key), "training_cache_hits"
    if report is None:
        report, counter = await service.pool.run(work.train, service.place, recipe_key), "trainings"
    return partial(_finished, service, recipe_key, report, counter)


def _refuse_long_audio(service: Service, model: CustomModel) -> None:
    """Microsoft: "If all audio files are longer than 40 seconds, the training fails." Else they count as text."""
    recordings = [one for path in model.datasets for one in service.store.recordings(id_in(path))]
    if recordings and all(one.seconds > MAX_TRAINING_SECONDS for one in recordings):
        message = f"All audio files are longer than {MAX_TRAINING_SECONDS} seconds; training needs shorter ones."
        raise JobFailure("InvalidTrainingData", message)


def _sources(service: Service, model: CustomModel) -> Iterator[tuple[DatasetKind, Path]]:
    datasets = (service.store.find(Dataset, id_in(path)) for path in sorted(model.datasets))
    for dataset in filter(None, datasets):
        files = service.store.files(dataset.id)
        wanted = TRAINED_FROM.get(dataset.kind)
        yield from ((dataset.kind, service.data / file.content) for file in files if file.kind is wanted)


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
