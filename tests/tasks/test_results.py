"""Whoever may write where Prefect keeps results cannot run code in our processes: nothing but plain JSON is read."""

import base64
import importlib
import json
import lzma
import pickle
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.filesystems import LocalFileSystem
from prefect.flows import Flow
from prefect.results import ResultStore
from prefect.serializers import Serializer
from prefect.states import Completed
from prefect.utilities.dispatch import get_registry_for_type

import flows
from domain.ruling import ModelRef
from tasks.results import ForeignResult, PlainJson


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def records(mark: Path, module: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every way to have `mark` made, or `module` imported, that we know of, as Prefect would store it."""
    pickled = base64.encodebytes(pickle.dumps(Trap(mark))).decode()
    squeezed = base64.encodebytes(lzma.compress(pickled.encode())).decode()
    calls = json.dumps({"__class__": "subprocess.getoutput", "data": {"cmd": f"touch {mark}"}})

    def record(result: Any, **serializer: Any) -> dict[str, Any]:
        return {"metadata": {"serializer": serializer, "storage_key": "it"}, "result": result}

    yield "pickle", record(pickled, type="pickle")
    yield "no serializer is named", {"metadata": {"storage_key": "it"}, "result": pickled}
    yield "the form of old versions", {"serializer": {"type": "pickle"}, "data": pickled}
    yield "compressed", record(squeezed, type="compressed", serializer={"type": "pickle"})
    yield "compressed, in short", record(squeezed, type="compressed/pickle")
    yield "json that calls", record(calls, type="json")
    yield (
        "json that is compressed",
        record(base64.b64encode(lzma.compress(calls.encode())).decode(), type="compressed/json"),
    )
    yield "a decoder", record('{"a": 1}', type="json", object_decoder=f"{module}.anything")
    yield "a library of pickles", record("", type="pickle", picklelib=module)
    yield "a library of JSON", record("{}", type="json", jsonlib=module)
    yield "a library that compresses", record("", type="compressed", serializer="json", compressionlib=module)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that can be imported, and is not."""
    (tmp_path / "trap_of_tests.py").write_text(
        "def anything(*_): ...\ndumps = loads = compress = decompress = anything\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return "trap_of_tests"


async def test_a_planted_record_is_refused_and_nothing_of_it_runs(tmp_path: Path, module: str) -> None:
    """Whatever serializer it names. Without the guard the pickles and the JSON make the file, and the rest imports."""
    mark = tmp_path / "mark"
    store = ResultStore(result_storage=LocalFileSystem(basepath=str(tmp_path)), serializer=PlainJson())
    for way, planted in records(mark, module):
        (tmp_path / way).write_text(json.dumps(planted))

        with pytest.raises(ForeignResult, match="is not read"):
            print(way, (await store.aread(way)).result)
        assert not mark.exists(), way
        assert module not in sys.modules, way


async def test_what_the_server_says_of_a_result_is_not_believed_either(tmp_path: Path, module: str) -> None:
    """Where it lies, and what wrote it, are in the run's state, which everybody with the API's address can change."""
    mark = tmp_path / "mark"
    for way, planted in records(mark, module):
        if "metadata" not in planted:
            continue
        (tmp_path / "it").write_text(json.dumps(planted))
        told = planted["metadata"] | {"storage_key": str(tmp_path / "it")}
        state = type(Completed()).model_validate({"type": "COMPLETED", "data": told})

        with pytest.raises(ForeignResult):
            await state.aresult(retry_result_failure=False)
        assert not mark.exists(), way
        assert module not in sys.modules, way


def test_our_own_records_come_back_as_plain_data(tmp_path: Path) -> None:
    """Even one that names a class, or a function: whoever reads it validates it."""
    told = {"model": ModelRef(path="models/1", name="one"), "wer": float("inf"), "of": ("a", 1)}
    planted = b'{"__class__": "subprocess.getoutput", "data": "false", "__exc_type__": "os.system", "message": "false"}'
    ours = PlainJson()

    assert ours.loads(ours.dumps(told)) == {
        "model": {"path": "models/1", "name": "one"},
        "wer": float("inf"),
        "of": ["a", 1],
    }
    assert ours.loads(ours.dumps(ValueError("no"))) == "ValueError: no"
    assert isinstance(ours.loads(planted), dict)


def test_no_flow_stores_anything_else() -> None:
    """Prefect stores the error of a failed run whatever the flow wants, and by default as a pickle."""
    modules = [importlib.import_module(f"flows.{module.name}") for module in pkgutil.iter_modules(flows.__path__)]
    found = {one.name: one for module in modules for one in vars(module).values() if isinstance(one, Flow)}

    assert {name for name, one in found.items() if isinstance(one.result_serializer, PlainJson)} == set(found)
    assert {name for name, one in found.items() if one.persist_result is not False} == {
        "testing-update",
        "training-update",
    }


def test_every_serializer_of_this_version_of_prefect_is_closed() -> None:
    """A new version may bring one more."""
    known = get_registry_for_type(Serializer) or {}

    for name in known.keys() - {"speechops-json"}:
        with pytest.raises((ForeignResult, RuntimeError)):
            Serializer(type=name).loads(b"e30=")
