"""Projects came back with API version 2025-10-15; a client that speaks an older one says so before it sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from speech_client import (
    BadInput,
    Dataset,
    DatasetUpdate,
    EntityReference,
    F,
    NewDataset,
    NewEndpoint,
    NewEvaluation,
    NewModel,
    NewProject,
    NewTranscription,
    Project,
    ProjectUpdate,
    SpeechClient,
    TranscriptionUpdate,
)

VERSION = "2025-10-15"
HOST = "https://westus.api.cognitive.microsoft.com"
API = f"{HOST}/speechtotext"
REFERENCE = EntityReference(self_url=f"{API}/projects/p1?api-version={VERSION}")
COMMON = {"display_name": "n", "locale": "en-US", "project": REFERENCE}


def project_body(**more: Any) -> dict[str, Any]:
    """As in Microsoft's example create_project_with_foundry."""
    nouns = ("evaluations", "datasets", "models", "endpoints", "transcriptions")
    return {
        "self": f"{API}/projects/p1?api-version={VERSION}",
        "displayName": "My AI Foundry speech project",
        "locale": "en-US",
        "foundryProjectName": "my-ai-foundry-project",
        "createdDateTime": "2019-01-07T11:34:12Z",
        "links": {noun: f"{API}/projects/p1/{noun}?api-version={VERSION}" for noun in nouns},
    } | more


@pytest.fixture
async def newer(connect: Any) -> Any:
    """A client that speaks the version with projects."""
    async with connect(api_version=VERSION) as client:
        yield client


async def test_a_project_is_made_changed_and_deleted(service: Any, newer: SpeechClient) -> None:
    """With its name in Foundry; it is no job, so it has no status."""
    service.says("POST", "projects", (201, project_body()))
    service.says("PATCH", "projects/p1", project_body(foundryProjectName="other"))
    service.says("GET", "projects/p1", project_body())
    service.says("DELETE", "projects/p1", 204)
    new = NewProject(display_name="n", locale="en-US", foundry_project_name="my-ai-foundry-project")
    project = await newer.projects.create(new)
    changed = await newer.projects.update(project, ProjectUpdate(foundry_project_name="other"))
    await newer.projects.delete(changed)

    assert project == await newer.projects.get("p1") == Project.model_validate(project_body())
    assert project.to_azure() == project_body()
    assert changed.foundry_project_name == "other"
    assert [json.loads(r.content) for r in service.requests if r.content] == [
        {"displayName": "n", "locale": "en-US", "foundryProjectName": "my-ai-foundry-project"},
        {"foundryProjectName": "other"},
    ]
    assert {r.url.params["api-version"] for r in service.requests} == {VERSION}


async def test_projects_are_listed_by_what_azure_knows(service: Any, newer: SpeechClient) -> None:
    """By Foundry project too, but not by status, for they have none."""
    service.says("GET", "projects", {"values": [project_body()]})
    service.says("GET", "projects/locales", ["en-US"])
    found = [project.id async for project in newer.projects.list(filter=F.foundry_project_name == "my")]

    assert found == ["p1"]
    assert await newer.projects.locales() == ("en-US",)
    assert service.requests[0].url.params["filter"] == "foundryProjectName eq 'my'"
    with pytest.raises(BadInput, match="cannot be filtered by status"):
        newer.projects.list(filter=F.status == "Failed")


@pytest.mark.parametrize("noun", ["datasets", "models", "endpoints", "evaluations", "transcriptions"])
async def test_what_is_in_a_project_is_listed_typed(service: Any, newer: SpeechClient, build: Any, noun: str) -> None:
    """Each member tells its project; Microsoft's example of datasets still shows an old duration, which is kept."""
    reference = {"self": REFERENCE.self_url}
    trial = {"model1": reference, "model2": reference, "dataset": reference}
    body = build.entity(noun, "e1", project=reference, kind="Acoustic", properties={"duration": "PT4M12S"}, **trial)
    service.says("GET", f"projects/p1/{noun}", {"values": [body]})
    listing = getattr(newer.projects, noun)(REFERENCE, filter=F.locale == "en-US", skip=0, top=5)
    [member] = [member async for member in listing]

    assert type(member) is getattr(newer, noun).entity
    assert member.project == REFERENCE
    assert member.to_azure() == body
    assert dict(service.requests[0].url.params) == {
        "filter": "locale eq 'en-US'",
        "skip": "0",
        "top": "5",
        "api-version": VERSION,
    }


async def test_entities_are_put_into_a_project(service: Any, newer: SpeechClient, build: Any) -> None:
    """When they are made, and later; and taken out."""
    service.says("POST", "datasets", (201, build.dataset()))
    service.says("PATCH", "datasets/d1", build.dataset())
    await newer.datasets.create(NewDataset(**COMMON, kind="Language"))
    await newer.datasets.update("d1", DatasetUpdate(project=REFERENCE))
    await newer.datasets.update("d1", DatasetUpdate(project=None))
    sent = [json.loads(request.content).get("project", "not named") for request in service.requests]
    assert sent == [{"self": REFERENCE.self_url}, {"self": REFERENCE.self_url}, None]


def attempts(client: SpeechClient) -> list[Any]:
    """Everything that needs the newer version, as coroutines not yet started."""
    projects, url = client.projects, EntityReference(self_url=f"{API}/models/m1")
    return [
        lambda: projects.create(NewProject(display_name="n", locale="en-US")),
        lambda: projects.get("p1"),
        lambda: projects.update("p1", ProjectUpdate(display_name="x")),
        lambda: projects.delete("p1"),
        lambda: projects.locales(),
        *(lambda method=method: method("p1") for method in (projects.datasets, projects.models, projects.endpoints)),
        *(lambda method=method: method("p1") for method in (projects.evaluations, projects.transcriptions)),
        lambda: projects.list(),
        lambda: client.datasets.create(NewDataset(**COMMON, kind="Language")),
        lambda: client.models.create(NewModel(**COMMON)),
        lambda: client.endpoints.create(NewEndpoint(**COMMON)),
        lambda: client.evaluations.create(NewEvaluation(**COMMON, model1=url, model2=url, dataset=url)),
        lambda: client.transcriptions.submit(NewTranscription(**COMMON, dataset=url)),
        lambda: client.transcriptions.update("t1", TranscriptionUpdate(project=None)),
    ]


async def test_an_older_version_knows_no_projects(service: Any, speech: SpeechClient) -> None:
    """The message names the version that is needed, and nothing is sent."""
    for attempt in attempts(speech):
        with pytest.raises(BadInput, match="needs API version 2025-10-15 or later, and this client speaks 2024-11-15"):
            await attempt()
    assert service.requests == []


async def test_entities_without_a_project_go_to_either_version(service: Any, speech: Any, build: Any) -> None:
    """And a project that an older service names all the same is read."""
    service.says("POST", "datasets", (201, build.dataset(project={"self": REFERENCE.self_url})))
    new = NewDataset(display_name="n", locale="en-US", kind="Language", project=None)
    dataset: Dataset = await speech.datasets.create(new)
    assert dataset.project == REFERENCE
    assert "project" not in json.loads(service.requests[0].content)
