"""What goes over the wire, and what comes back as."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from speech_client import (
    BadInput,
    BaseModel,
    CustomModel,
    DatasetKind,
    EndpointUpdate,
    EntityReference,
    F,
    NewDataset,
    NewEndpoint,
    NewEvaluation,
    NewModel,
    Status,
    UnexpectedAnswer,
)


async def test_every_request_names_version_and_key(service: Any, speech: Any, build: Any) -> None:
    """Azure refuses requests without either."""
    service.says("GET", "datasets/d1", build.dataset())
    await speech.datasets.get("d1")

    [request] = service.requests
    assert request.url.params["api-version"] == "2024-11-15"
    assert request.headers["Ocp-Apim-Subscription-Key"] == build.key


async def test_a_created_dataset_is_returned_typed(service: Any, speech: Any, build: Any) -> None:
    """The body is Azure's; what was not given is not sent."""
    service.says("POST", "datasets", (201, build.dataset()))
    new = NewDataset(display_name="trips", locale="en-US", kind="Acoustic", custom_properties={"hash": "ab"})
    dataset = await speech.datasets.create(new)

    sent = json.loads(service.requests[0].content)
    assert sent == {"displayName": "trips", "locale": "en-US", "kind": "Acoustic", "customProperties": {"hash": "ab"}}
    assert (dataset.id, dataset.status, dataset.kind) == ("d1", Status.NOT_STARTED, DatasetKind.LANGUAGE)


async def test_model_evaluation_and_endpoint_refer_by_address(service: Any, speech: Any, build: Any) -> None:
    """References become {"self": …}; the weight of the custom part belongs into properties."""
    reference = build.a_dataset().reference
    target = {"self": reference.self_url}
    for collection in ("models", "endpoints"):
        service.says("POST", collection, (201, build.entity(collection)))
    trial = build.entity("evaluations", model1=target, model2=target, dataset=target)
    service.says("POST", "evaluations", (201, trial))

    common = {"display_name": "n", "locale": "en-US"}
    model = await speech.models.create(
        NewModel(**common, base_model=reference, datasets=[reference], custom_model_weight_percent=30)
    )
    evaluation = await speech.evaluations.create(
        NewEvaluation(**common, model1=model.reference, model2=reference, dataset=reference)
    )
    await speech.endpoints.create(NewEndpoint(**common, model=model.reference, logging_enabled=False))

    bodies = [json.loads(request.content) for request in service.requests]
    assert bodies[0]["baseModel"] == target
    assert bodies[0]["datasets"] == [target]
    assert bodies[0]["properties"] == {"customModelWeightPercent": 30}
    assert bodies[1]["model1"] == {"self": model.self_url}
    assert bodies[2]["properties"] == {"loggingEnabled": False}
    assert evaluation.model1.id == "d1"


async def test_an_endpoint_update_sends_only_what_changes(service: Any, speech: Any, build: Any) -> None:
    """PATCH leaves alone what it does not name; an explicit None removes."""
    service.says("PATCH", "endpoints/e1", build.entity("endpoints", "e1"))
    model = EntityReference(self_url=f"{build.api}/models/m2?api-version=2024-11-15")
    await speech.endpoints.update("e1", EndpointUpdate(model=model))
    await speech.endpoints.update("e1", EndpointUpdate(description=None, content_logging_enabled=True))

    first, second = (json.loads(request.content) for request in service.requests)
    assert first == {"model": {"self": model.self_url}}
    assert second == {"description": None, "properties": {"contentLoggingEnabled": True}}


@pytest.mark.parametrize("which", ["d1", "https://elsewhere/speechtotext/datasets/d1?api-version=2030-01-01"])
async def test_entities_are_named_by_id_address_or_reference(service: Any, speech: Any, build: Any, which: str) -> None:
    """Whatever names it, the request goes to our endpoint."""
    service.says("GET", "datasets/d1", build.dataset())
    assert (await speech.datasets.get(which)).id == "d1"
    assert (await speech.datasets.get(EntityReference(self_url=which))).id == "d1"


async def test_an_id_cannot_leave_its_collection(service: Any, speech: Any, build: Any) -> None:
    """A strange id stays one part of the path."""
    service.says("GET", "datasets/..%2Fmodels", build.dataset())
    await speech.datasets.get(build.a_dataset("..%2Fmodels"))
    assert service.requests[0].url.raw_path == b"/speechtotext/datasets/..%2Fmodels?api-version=2024-11-15"


@pytest.mark.parametrize("which", ["", "..", "https://host/?x=1"])
async def test_a_missing_id_is_refused(speech: Any, which: str) -> None:
    """GET of an empty id would list the collection instead."""
    with pytest.raises(BadInput, match="id is missing"):
        await speech.datasets.get(which)


async def test_lists_cross_pages(service: Any, speech: Any, build: Any) -> None:
    """@nextLink is followed to its end, with key and version."""
    more = {"values": [build.dataset("a")], "@nextLink": f"{build.api}/datasets?skip=1&api-version=2024-11-15"}
    service.says("GET", "datasets", more, {"values": [build.dataset("b")], "@nextLink": None})
    found = [dataset.id async for dataset in speech.datasets.list(filter=F.status == "Failed", top=1)]

    first, second, *_again = service.requests
    assert found == ["a", "b"]
    assert (first.url.params["filter"], first.url.params["top"]) == ("status eq 'Failed'", "1")
    assert second.url.params["skip"] == "1"
    assert second.headers["Ocp-Apim-Subscription-Key"] == build.key


async def test_a_next_page_elsewhere_is_not_asked_for(service: Any, speech: Any, build: Any) -> None:
    """Our key goes to no other host, even if an answer says so."""
    service.says("GET", "datasets", {"values": [], "@nextLink": "https://evil.example/speechtotext/datasets?skip=1"})
    with pytest.raises(UnexpectedAnswer, match=r"evil\.example, which is another service"):
        [dataset async for dataset in speech.datasets.list()]
    assert len(service.requests) == 1


async def test_a_custom_domain_may_link_to_its_region(service: Any, connect: Any, build: Any) -> None:
    """Both names mean one resource in Azure; the request still goes to the name that we were given."""
    endpoint = "https://my-speech.cognitiveservices.azure.com"
    page = {"values": [], "@nextLink": f"{build.api}/datasets?skip=1"}
    service.says("GET", f"{endpoint}/speechtotext/datasets", page, {"values": []})
    async with connect(endpoint=endpoint) as speech:
        assert [dataset async for dataset in speech.datasets.list()] == []
    assert {request.url.host for request in service.requests} == {"my-speech.cognitiveservices.azure.com"}


async def test_a_list_in_a_circle_ends(service: Any, speech: Any, build: Any) -> None:
    """A page that leads to itself is an error, not an endless loop."""
    service.says("GET", "datasets", {"values": [], "@nextLink": f"{build.api}/datasets?skip=1"})
    with pytest.raises(UnexpectedAnswer, match="leads back"):
        [dataset async for dataset in speech.datasets.list()]


async def test_a_list_without_values_is_not_an_empty_list(service: Any, speech: Any) -> None:
    """Taking garbage for "nothing there" would make find-or-create create twice."""
    service.says("GET", "datasets", {})
    with pytest.raises(UnexpectedAnswer, match="values: Field required"):
        [dataset async for dataset in speech.datasets.list()]


async def test_files_can_be_listed_and_renewed(service: Any, speech: Any, build: Any) -> None:
    """The life time of addresses is given in minutes."""
    service.says("GET", "transcriptions/t1/files", {"values": [build.file()]})
    service.says("GET", "transcriptions/t1/files/f1", build.file("https://store/new"))
    [file] = [file async for file in speech.transcriptions.files("t1", sas_lifetime=timedelta(hours=6))]
    renewed = await speech.transcriptions.file("t1", file)

    assert service.requests[0].url.params["sasLifetimeMinutes"] == "360"
    assert renewed.links.content_url == "https://store/new"


async def test_a_model_is_found_whether_base_or_custom(service: Any, speech: Any, build: Any) -> None:
    """An endpoint does not say which of both it holds; the address does."""
    service.says("GET", "models/base/b1", build.entity("models/base", "b1", "Succeeded"))
    service.says("GET", "models/m1", build.entity("models", "m1", "Succeeded"))
    base = await speech.model(EntityReference(self_url=f"{build.api}/models/base/b1?api-version=2024-11-15"))
    custom = await speech.model(EntityReference(self_url=f"{build.api}/models/m1?api-version=2024-11-15"))
    assert (type(base), type(custom)) == (BaseModel, CustomModel)


async def test_deleting_what_is_gone_is_success(service: Any, speech: Any, build: Any) -> None:
    """So a repeated DELETE whose first answer was lost succeeds as well."""
    service.says("DELETE", "endpoints/e1", (404, build.error("NotFound")))
    await speech.endpoints.delete("e1")


@pytest.mark.parametrize("endpoint", ["westus", "ftp://host", "", "https://user:pw@host", "https://host?x=1"])
def test_a_wrong_endpoint_is_refused_with_an_example(connect: Any, endpoint: str) -> None:
    """The message shows what an endpoint looks like."""
    with pytest.raises(BadInput, match=r"for example https://westus\.api"):
        connect(endpoint=endpoint)


@pytest.mark.parametrize("tail", ["", "/", "/speechtotext", "/speechtotext/"])
async def test_an_endpoint_may_be_pasted_with_its_path(service: Any, connect: Any, build: Any, tail: str) -> None:
    """Slashes and the API's own path at the end do no harm."""
    service.says("GET", "datasets/d1", build.dataset())
    async with connect(endpoint=build.host + tail) as speech:
        assert (await speech.datasets.get("d1")).id == "d1"
