"""Whatever a caller puts into our classes: what leaves is declared, or it does not leave."""

import json
from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tests.contract.client_calls import BODIES, Rehearsal, call
from tests.contract.emulator_spec import Operation, named, require_spec
from tests.contract.generated import bodies

require_spec()
WHICH = "827712a5-f942-4997-91c3-7c6cde35600b"

PASSED_ON = {"Models_Copy"}
"""Bodies that are passed on as another service wrote them; test_client_contract tries Microsoft's."""
OURS = {name: shape for name, shape in BODIES.items() if name not in PASSED_ON}


def parameters_for(operation: Operation, body: object) -> dict[str, object]:
    """Parameters like an example's."""
    name = next(iter(operation.parameters_in("body")), "definition")
    return {"id": WHICH, name: body}


def with_one_source(body: dict[str, Any]) -> dict[str, Any]:
    """A transcription has one of three sources; the first of those that were drawn stays."""
    given = [name for name in ("contentUrls", "contentContainerUrl", "dataset") if body.get(name)]
    return {name: value for name, value in body.items() if name not in given[1:]}


def is_accepted(shape: type[pydantic.BaseModel], body: object) -> bool:
    """Whether the class takes it."""
    try:
        shape.model_validate(body)
    except pydantic.ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", OURS)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # what is found is small enough to read; to shrink it takes minutes
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_body_that_a_class_accepts_is_declared(name: str, data: st.DataObject, tmp_path: Path) -> None:
    """The transport judges each request. When a class refuses most of what is made for it, Hypothesis complains."""
    operation, shape = named(name), OURS[name]
    body = data.draw(bodies(shape).map(with_one_source))
    audio = tmp_path / "audio.wav"
    audio.write_bytes(b"RIFF")
    assume(is_accepted(shape, body))
    rehearsal = Rehearsal()
    call(operation, parameters_for(operation, body), rehearsal, audio)

    assert rehearsal.seen == [name]


def test_a_removed_value_is_sent_as_a_merge_patch() -> None:
    """Null says "remove", and only a merge patch (RFC 7396) has that meaning."""
    rehearsal = Rehearsal()
    body = {"displayName": "new", "description": None}
    call(named("Datasets_Update"), {"id": WHICH, "datasetUpdate": body}, rehearsal, Path("none"))

    assert json.loads(rehearsal.bodies[0]) == body
