"""Which method of our client calls which operation, and how: each operation's examples become calls."""

import asyncio
import inspect
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

import speech_client as sc
from tests.contract.emulator_spec import Operation, example
from tests.contract.request_judge import check_request

HOST = "https://westus.api.cognitive.microsoft.com"
NOUNS = ("base_models", "datasets", "models", "evaluations", "transcriptions", "endpoints", "operations", "web_hooks")
"""Attributes of the client with operations of API version 2024-11-15."""

METHODS = {
    "Datasets_List": "datasets.list",
    "Datasets_Create": "datasets.create",
    "Datasets_Get": "datasets.get",
    "Datasets_Update": "datasets.update",
    "Datasets_Delete": "datasets.delete",
    "Datasets_GetBlocks": "datasets.blocks",
    "Datasets_UploadBlock": "datasets.upload",
    "Datasets_CommitBlocks": "datasets.upload",
    "Datasets_ListFiles": "datasets.files",
    "Datasets_GetFile": "datasets.file",
    "Datasets_ListSupportedLocales": "datasets.locales",
    "Models_ListCustomModels": "models.list",
    "Models_Create": "models.create",
    "Models_GetCustomModel": "models.get",
    "Models_Update": "models.update",
    "Models_Delete": "models.delete",
    "Models_ListFiles": "models.files",
    "Models_GetFile": "models.file",
    "Models_ListSupportedLocales": "models.locales",
    "Models_GetCustomModelManifest": "models.manifest",
    "Models_AuthorizeCopy": "models.authorize_copy",
    "Models_Copy": "models.copy",
    "Operations_GetModelCopy": "operations.model_copy",
    "Models_ListBaseModels": "base_models.list",
    "Models_GetBaseModel": "base_models.get",
    "Models_GetBaseModelManifest": "base_models.manifest",
    "Evaluations_List": "evaluations.list",
    "Evaluations_Create": "evaluations.create",
    "Evaluations_Get": "evaluations.get",
    "Evaluations_Update": "evaluations.update",
    "Evaluations_Delete": "evaluations.delete",
    "Evaluations_ListFiles": "evaluations.files",
    "Evaluations_GetFile": "evaluations.file",
    "Evaluations_ListSupportedLocales": "evaluations.locales",
    "Endpoints_List": "endpoints.list",
    "Endpoints_Create": "endpoints.create",
    "Endpoints_Get": "endpoints.get",
    "Endpoints_Update": "endpoints.update",
    "Endpoints_Delete": "endpoints.delete",
    "Endpoints_ListSupportedLocales": "endpoints.locales",
    "Transcriptions_List": "transcriptions.list",
    "Transcriptions_Submit": "transcriptions.submit",
    "Transcriptions_Transcribe": "transcriptions.transcribe",
    "Transcriptions_Get": "transcriptions.get",
    "Transcriptions_Update": "transcriptions.update",
    "Transcriptions_Delete": "transcriptions.delete",
    "Transcriptions_ListFiles": "transcriptions.files",
    "Transcriptions_GetFile": "transcriptions.file",
    "Transcriptions_ListSupportedLocales": "transcriptions.locales",
    "WebHooks_List": "web_hooks.list",
    "WebHooks_Create": "web_hooks.create",
    "WebHooks_Get": "web_hooks.get",
    "WebHooks_Update": "web_hooks.update",
    "WebHooks_Delete": "web_hooks.delete",
    "WebHooks_Ping": "web_hooks.ping",
    "WebHooks_Test": "web_hooks.test",
}
"""`operationId` to the public method of the client; one method may need several operations."""

BODIES: dict[str, type[sc.AzureObject]] = {
    "Datasets_Create": sc.NewDataset,
    "Datasets_Update": sc.DatasetUpdate,
    "Models_Create": sc.NewModel,
    "Models_Update": sc.ModelUpdate,
    "Models_Copy": sc.ModelCopyAuthorization,
    "Models_AuthorizeCopy": sc.ModelCopyAuthorizationDefinition,
    "Evaluations_Create": sc.NewEvaluation,
    "Evaluations_Update": sc.EvaluationUpdate,
    "Endpoints_Create": sc.NewEndpoint,
    "Endpoints_Update": sc.EndpointUpdate,
    "Transcriptions_Submit": sc.NewTranscription,
    "Transcriptions_Transcribe": sc.TranscribeDefinition,
    "Transcriptions_Update": sc.TranscriptionUpdate,
    "WebHooks_Create": sc.NewWebHook,
    "WebHooks_Update": sc.WebHookUpdate,
}
"""What the client takes as the body."""


class Rehearsal:
    """A service that judges each request, and answers it with Microsoft's own example."""

    def __init__(self, answers: Mapping[str, str] | None = None) -> None:
        self.answers = dict(answers or {})
        self.seen: list[str] = []
        self.bodies: list[bytes] = []
        self._is_paged = False

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Judge, note, answer; a second look at a list finds nothing more."""
        await request.aread()
        operation = check_request(request)
        self.seen.append(operation.name)
        self.bodies.append(request.content)
        (status, answer), *_ = example(self.answers.get(operation.name, operation.examples[0]))["responses"].items()
        body = answer.get("body")
        if isinstance(body, dict) and "values" in body:
            body, self._is_paged = {"values": []} if self._is_paged else body, True
        return httpx.Response(int(status), headers=answer.get("headers"), json=body if "body" in answer else None)


def one_level(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body of an entity as our classes take it: the members of `properties` stand beside the others."""
    return {name: value for name, value in body.items() if name != "properties"} | dict(body.get("properties", {}))


def call(operation: Operation, parameters: Mapping[str, Any], rehearsal: Rehearsal, audio: Path) -> Any:
    """What the client's method makes of the answer to a call with an example's parameters."""
    return asyncio.run(_call(operation, parameters, rehearsal, audio))


async def _call(operation: Operation, parameters: Mapping[str, Any], rehearsal: Rehearsal, audio: Path) -> Any:
    transport = httpx.MockTransport(rehearsal)
    async with sc.SpeechClient(HOST, sc.KeyCredential("a-key"), transport=transport) as client:
        noun, name = METHODS[operation.name].split(".")
        positional, options = _arguments(operation, parameters, audio)
        result = getattr(getattr(client, noun), name)(*positional, **options)
        return await result if inspect.isawaitable(result) else [value async for value in result]


def _arguments(operation: Operation, given: Mapping[str, Any], audio: Path) -> tuple[list[Any], dict[str, Any]]:
    positional = [given[name] for name in operation.parameters_in("path")]
    if METHODS[operation.name] in ("datasets.upload", "transcriptions.transcribe"):
        positional.append(audio)
    if operation.name == "Models_AuthorizeCopy":
        positional.append(given["modelCopyAuthorizationDefinition"]["sourceResourceId"])
    elif operation.name in BODIES:
        positional.append(BODIES[operation.name].model_validate(sent_by(operation, given)))
    options = {name: given[name] for name in ("skip", "top") if name in given}
    if "filter" in given:
        options["filter"] = sc.Filter(given["filter"])
    if "sasLifetimeMinutes" in given:
        options["sas_lifetime"] = timedelta(minutes=given["sasLifetimeMinutes"])
    return positional, options


def sent_by(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """The body among an example's parameters, as our classes take it. (Microsoft's example of a form is no JSON.)"""
    if operation.name == "Transcriptions_Transcribe":
        definition = given.get("definition")
        return definition if isinstance(definition, dict) else {"locales": ["en-US"]}
    (parameter,) = operation.parameters_in("body")
    return one_level(given[parameter])


def public_methods(client: sc.SpeechClient) -> set[str]:
    """`noun.method` for all that a user can call."""
    return {
        f"{noun}.{name}"
        for noun in NOUNS
        for name, value in inspect.getmembers(getattr(client, noun))
        if not name.startswith("_") and inspect.ismethod(value)
    }
