"""What Prefect keeps of a run: plain JSON, and nothing that runs when it is read (docs/decisions/0014).

A stored record names its own serializer, and Prefect obeys: `pickle` runs whatever the record says, and so does Prefect's
`json`, which imports and calls the names in it. Importing this module closes that door for the whole process: records
that another serializer wrote are refused before anything in them is looked at. All flows import it.
"""

import json
from typing import Any, Final, NoReturn, TypedDict

from prefect.serializers import Serializer, UnknownSerializer
from prefect.utilities.dispatch import get_registry_for_type
from pydantic import ConfigDict, Field
from pydantic_core import to_json

from domain.mistakes import Mistake

_OURS: Final = "speechops-json"
_LEFT_ALONE: Final = (_OURS, UnknownSerializer.__dispatch_key__())


class ForeignResult(Mistake):
    """A stored result that is not plain JSON of ours; nothing of it was read."""


class PlainJson(Serializer):
    """JSON that comes back as dictionaries, lists and text; whoever reads it validates it. An error is kept as its text."""

    type: str = Field(default=_OURS, frozen=True)

    def dumps(self, obj: Any) -> bytes:
        """The object as JSON."""
        return to_json(
            f"{type(obj).__name__}: {obj}" if isinstance(obj, BaseException) else obj, inf_nan_mode="constants"
        )

    def loads(self, blob: bytes) -> Any:
        """The plain data; no class is looked up, whatever is in it."""
        return json.loads(blob)


class _Foreign(Serializer):
    """Stands in for every other serializer: its settings are not looked at, for even they name modules to import."""

    type: str = "speechops-refused"
    model_config = ConfigDict(extra="allow")

    def dumps(self, obj: Any) -> bytes:
        """Write nothing that would not be read."""
        _refuse(self)

    def loads(self, blob: bytes) -> Any:
        """Read nothing."""
        _refuse(self, blob)


class Results(TypedDict):
    """Keyword arguments of `@flow` that concern results."""

    persist_result: bool
    result_serializer: Serializer


KEPT: Final[Results] = {"persist_result": True, "result_serializer": PlainJson()}
"""For flows whose result somebody reads: `speechops demo`."""

NOT_KEPT: Final[Results] = {"persist_result": False, "result_serializer": PlainJson()}
"""For all others. A run that goes on calls its subflows anew, and they find what is done. Prefect keeps errors all the same."""


def _refuse(serializer: Serializer, blob: bytes = b"") -> NoReturn:
    raise ForeignResult(
        f"a result of a flow run is not read: by its own account it was stored by the serializer '{serializer.type[:40]}', whose data can "
        "run code. An earlier version of speechops stored such results, or somebody has put one there. Run the flow again: it "
        "finds what is done."
    )


def refuse_foreign_results() -> None:
    """From now on, no serializer but ours reads anything in this process; calling it again does no harm."""
    known = get_registry_for_type(Serializer)
    if known is None:
        raise RuntimeError("this version of Prefect keeps its serializers elsewhere: foreign results cannot be refused")
    for name in known.keys() - {*_LEFT_ALONE}:
        setattr(known[name], "loads", _refuse)  # noqa: B010  # a record that names none is read by PickleSerializer itself
        known[name] = _Foreign


refuse_foreign_results()
