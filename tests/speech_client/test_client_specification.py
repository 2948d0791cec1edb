"""Our models against Microsoft's own definitions and examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydantic
import pytest

import speech_client as sc
from speech_client.locales import Locales
from speech_client.paging import Page

COVERED: dict[str, type[pydantic.BaseModel]] = {
    "BaseModel": sc.BaseModel,
    "BaseModelDeprecationDates": sc.BaseModelDeprecationDates,
    "BaseModelFeatures": sc.BaseModelFeatures,
    "BaseModelLinks": sc.BaseModelLinks,
    "BaseModelProperties": sc.BaseModelProperties,
    "ChannelCombinedPhrases": sc.ChannelCombinedPhrases,
    "CommitBlocksEntry": sc.CommitBlocksEntry,
    "CustomModel": sc.CustomModel,
    "CustomModelDeprecationDates": sc.ModelDeprecationDates,
    "CustomModelFeatures": sc.ModelFeatures,
    "CustomModelLinks": sc.CustomModelLinks,
    "CustomModelProperties": sc.CustomModelProperties,
    "Dataset": sc.Dataset,
    "DatasetLinks": sc.DatasetLinks,
    "DatasetLocales": sc.DatasetLocales,
    "DatasetProperties": sc.DatasetProperties,
    "DatasetUpdate": sc.DatasetUpdate,
    "DiarizationProperties": sc.Diarization,
    "EditsSummary": sc.EditsSummary,
    "Endpoint": sc.Endpoint,
    "EndpointLinks": sc.EndpointLinks,
    "EndpointProperties": sc.EndpointProperties,
    "EntityError": sc.EntityError,
    "EntityReference": sc.EntityReference,
    "Error": sc.ServiceError,
    "Evaluation": sc.Evaluation,
    "EvaluationLinks": sc.EvaluationLinks,
    "EvaluationProperties": sc.EvaluationProperties,
    "EvaluationUpdate": sc.EvaluationUpdate,
    "File": sc.File,
    "FileLinks": sc.FileLinks,
    "FileProperties": sc.FileProperties,
    "InnerError": sc.InnerError,
    "LanguageIdentificationProperties": sc.LanguageIdentification,
    "ModelCopyAuthorization": sc.ModelCopyAuthorization,
    "ModelCopyAuthorizationDefinition": sc.ModelCopyAuthorizationDefinition,
    "ModelFile": sc.ModelFile,
    "ModelManifest": sc.ModelManifest,
    "ModelUpdate": sc.ModelUpdate,
    "Operation": sc.Operation,
    "OperationResult": sc.OperationResult,
    "PaginatedBaseModels": Page[sc.BaseModel],
    "PaginatedCustomModels": Page[sc.CustomModel],
    "PaginatedDatasets": Page[sc.Dataset],
    "PaginatedEndpoints": Page[sc.Endpoint],
    "PaginatedEvaluations": Page[sc.Evaluation],
    "PaginatedFiles": Page[sc.File],
    "PaginatedTranscriptions": Page[sc.Transcription],
    "PaginatedWebHooks": Page[sc.WebHook],
    "Phrase": sc.Phrase,
    "ResponseBlock": sc.Block,
    "SharedModel": sc.BaseModel,
    "SharedModelFeatures": sc.ModelFeatures,
    "TokenErrorDetails": sc.TokenErrorDetails,
    "TranscribeDefinition": sc.TranscribeDefinition,
    "TranscribeDiarizationProperties": sc.TranscribeDiarizationProperties,
    "TranscribeResult": sc.TranscribeResult,
    "Transcription": sc.Transcription,
    "TranscriptionLinks": sc.TranscriptionLinks,
    "TranscriptionLocales": sc.TranscriptionLocales,
    "TranscriptionProperties": sc.TranscriptionProperties,
    "TranscriptionUpdate": sc.TranscriptionUpdate,
    "UploadedBlocks": sc.UploadedBlocks,
    "WebHook": sc.WebHook,
    "WebHookEvents": sc.WebHookEvents,
    "WebHookLinks": sc.WebHookLinks,
    "WebHookProperties": sc.WebHookProperties,
    "Word": sc.Word,
}
ENUMS = {
    "BlockKind": sc.BlockKind,
    "DatasetKind": sc.DatasetKind,
    "DetailedErrorCode": sc.DetailedErrorCode,
    "ErrorCode": sc.ErrorCode,
    "FileKind": sc.FileKind,
    "LanguageIdentificationMode": sc.LanguageIdentificationMode,
    "OutputFormatType": sc.OutputFormatType,
    "ProfanityFilterMode": sc.ProfanityFilterMode,
    "PunctuationMode": sc.PunctuationMode,
    "Status": sc.Status,
    "TextNormalizationKind": sc.TextNormalizationKind,
}
BODIES: dict[str, tuple[type[sc.AzureObject], str | None]] = {
    "CustomModel": (sc.NewModel, "CustomModelProperties"),
    "Dataset": (sc.NewDataset, "DatasetProperties"),
    "DatasetUpdate": (sc.DatasetUpdate, None),
    "Endpoint": (sc.NewEndpoint, "EndpointProperties"),
    "EndpointUpdate": (sc.EndpointUpdate, "EndpointPropertiesUpdate"),
    "Evaluation": (sc.NewEvaluation, None),
    "EvaluationUpdate": (sc.EvaluationUpdate, None),
    "ModelCopyAuthorization": (sc.ModelCopyAuthorization, None),
    "ModelCopyAuthorizationDefinition": (sc.ModelCopyAuthorizationDefinition, None),
    "ModelUpdate": (sc.ModelUpdate, None),
    "TranscribeDefinition": (sc.TranscribeDefinition, None),
    "Transcription": (sc.NewTranscription, "TranscriptionProperties"),
    "TranscriptionUpdate": (sc.TranscriptionUpdate, None),
    "WebHook": (sc.NewWebHook, "WebHookProperties"),
    "WebHookUpdate": (sc.WebHookUpdate, "WebHookPropertiesUpdate"),
}
"""What we send, by definition, with the definition of its `properties`."""
LATER = {"project"}
"""Members of API version 2025-10-15, which are refused unless the client speaks it."""
NOT_OURS = {"transcription1", "transcription2"}
"""Not marked as read-only, but an evaluation's transcriptions are made by the evaluation."""
OF_OTHERS = {"EndpointPropertiesUpdate", "WebHookPropertiesUpdate"}
"""Definitions that are written by the class around them; BODIES covers them."""
EXAMPLES: dict[str, type[pydantic.BaseModel]] = {
    "copy_model_with_authorization": sc.Operation,
    "create_copy_model_authorization": sc.ModelCopyAuthorization,
    "create_web_hook": sc.WebHook,
    "get_base_model_manifest": sc.ModelManifest,
    "get_model_manifest": sc.ModelManifest,
    "get_operation_copy_model": sc.Operation,
    "get_operation_copy_model_pending": sc.Operation,
    "get_supported_dataset_locales": sc.DatasetLocales,
    "get_supported_endpoint_locales": Locales,
    "get_supported_evaluations_locales": Locales,
    "get_supported_model_locales": Locales,
    "get_supported_transcription_locales": sc.TranscriptionLocales,
    "get_web_hook": sc.WebHook,
    "get_web_hooks": Page[sc.WebHook],
    "get_web_hooks_from_march_2020": Page[sc.WebHook],
    "transcribe_file": sc.TranscribeResult,
    "update_web_hook": sc.WebHook,
    "get_acoustic_datasets": Page[sc.Dataset],
    "get_datasets": Page[sc.Dataset],
    "get_dataset": sc.Dataset,
    "create_dataset_with_blocks": sc.Dataset,
    "create_dataset_with_content_url": sc.Dataset,
    "update_dataset": sc.Dataset,
    "get_dataset_blocks": sc.UploadedBlocks,
    "get_dataset_files": Page[sc.File],
    "get_dataset_report_files": Page[sc.File],
    "get_dataset_file": sc.File,
    "get_base_model": sc.BaseModel,
    "get_english_base_models": Page[sc.BaseModel],
    "create_model": sc.CustomModel,
    "create_model_with_weight": sc.CustomModel,
    "get_model": sc.CustomModel,
    "get_model_with_weight": sc.CustomModel,
    "get_running_models": Page[sc.CustomModel],
    "update_model": sc.CustomModel,
    "get_model_files": Page[sc.File],
    "get_model_file": sc.File,
    "create_endpoint": sc.Endpoint,
    "get_endpoint": sc.Endpoint,
    "get_endpoints": Page[sc.Endpoint],
    "get_not_started_endpoints": Page[sc.Endpoint],
    "update_endpoint": sc.Endpoint,
    "create_evaluation": sc.Evaluation,
    "get_evaluation": sc.Evaluation,
    "get_evaluations": Page[sc.Evaluation],
    "get_evaluations_with_status_running": Page[sc.Evaluation],
    "update_evaluation": sc.Evaluation,
    "get_evaluation_files": Page[sc.File],
    "get_evaluation_file": sc.File,
    "create_container_transcription": sc.Transcription,
    "create_lid_transcription": sc.Transcription,
    "create_multispeaker_diarization_transcription": sc.Transcription,
    "create_uri_transcription": sc.Transcription,
    "get_transcription": sc.Transcription,
    "get_transcriptions": Page[sc.Transcription],
    "get_failed_transcriptions": Page[sc.Transcription],
    "update_transcription": sc.Transcription,
    "get_transcription_files": Page[sc.File],
    "get_transcription_files_filtered_by_name": Page[sc.File],
    "get_transcription_file": sc.File,
}
REQUESTS: dict[str, tuple[str, type[sc.AzureObject]]] = {
    "copy_model_with_authorization": ("modelCopyAuthorization", sc.ModelCopyAuthorization),
    "create_copy_model_authorization": ("modelCopyAuthorizationDefinition", sc.ModelCopyAuthorizationDefinition),
    "create_container_transcription": ("transcription", sc.NewTranscription),
    "create_lid_transcription": ("transcription", sc.NewTranscription),
    "create_multispeaker_diarization_transcription": ("transcription", sc.NewTranscription),
    "create_uri_transcription": ("transcription", sc.NewTranscription),
    "create_web_hook": ("webHook", sc.NewWebHook),
    "update_web_hook": ("webHookUpdate", sc.WebHookUpdate),
    "create_dataset_with_blocks": ("dataset", sc.NewDataset),
    "create_dataset_with_content_url": ("dataset", sc.NewDataset),
    "create_model": ("model", sc.NewModel),
    "create_model_with_weight": ("model", sc.NewModel),
    "create_evaluation": ("evaluation", sc.NewEvaluation),
    "create_endpoint": ("endpoint", sc.NewEndpoint),
    "update_endpoint": ("endpointUpdate", sc.EndpointUpdate),
    "update_dataset": ("datasetUpdate", sc.DatasetUpdate),
    "update_model": ("modelUpdate", sc.ModelUpdate),
    "update_evaluation": ("evaluationUpdate", sc.EvaluationUpdate),
    "update_transcription": ("transcriptionUpdate", sc.TranscriptionUpdate),
}


def example(spec: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((spec / "examples" / f"{name}.json").read_text("utf-8"))
    return found


def unknown_members(value: object) -> list[str]:
    """Names of members, at any depth, that our models do not declare."""
    if isinstance(value, pydantic.BaseModel):
        inside = [name for field in type(value).model_fields for name in unknown_members(getattr(value, field))]
        return list(value.model_extra or {}) + inside
    return [name for item in value for name in unknown_members(item)] if isinstance(value, tuple) else []


def as_sent(value: pydantic.BaseModel) -> Any:
    """What goes back over the wire."""
    return value.to_azure() if isinstance(value, sc.AzureObject) else value.model_dump(mode="json")


def properties(definitions: dict[str, Any], name: str) -> dict[str, Any]:
    """The properties of a definition, inherited ones included."""
    definition = definitions[name]
    parents = [properties(definitions, target(parent)) for parent in definition.get("allOf", [])]
    return {name: value for parent in parents for name, value in parent.items()} | definition.get("properties", {})


def target(schema: dict[str, Any]) -> str:
    """Name of the definition that a schema refers to, or nothing."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def writable(definitions: dict[str, Any], name: str) -> dict[str, Any]:
    """The properties that a request may have: those that neither are nor consist of what is read-only."""
    return {key: value for key, value in properties(definitions, name).items() if not read_only(definitions, value)}


def read_only(definitions: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Whether only the service writes it. FileKind and Status are marked at their definitions."""
    if schema.get("readOnly") or not (name := target(schema)):
        return bool(schema.get("readOnly"))
    inside = properties(definitions, name)
    return bool(definitions[name].get("readOnly") or (inside and not writable(definitions, name)))


def limits(schema: dict[str, Any]) -> dict[str, Any]:
    """What a schema says about the size of a value; of an optional value, too."""
    options = [schema, *schema.get("anyOf", ())]
    return {key: option[key] for key in ("minimum", "maximum", "minLength") for option in options if key in option}


def one_level(body: dict[str, Any]) -> dict[str, Any]:
    """The body as our classes take it: with the members of `properties` beside the others."""
    return {key: value for key, value in body.items() if key != "properties"} | body.get("properties", {})


def required_members(schema: Any) -> set[str]:
    """Names of all required members in a JSON schema."""
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("required", ())).union(*(required_members(value) for value in schema.values()))


@pytest.mark.parametrize("name", COVERED)
def test_every_declared_property_has_an_attribute(definitions: dict[str, Any], name: str) -> None:
    """Nothing that Azure documents has to be dug out of the unknown members."""
    ours = {field.alias or key for key, field in COVERED[name].model_fields.items()}
    assert set(properties(definitions, name)) <= ours


@pytest.mark.parametrize("name", ENUMS)
def test_every_value_of_an_enum_is_known(definitions: dict[str, Any], name: str) -> None:
    """Our enums are Azure's, no more and no less."""
    assert {member.value for member in ENUMS[name]} == set(definitions[name]["enum"])


def test_every_definition_has_a_class(definitions: dict[str, Any]) -> None:
    """Nothing that Azure sends or takes is a bare dict."""
    assert {*COVERED, *ENUMS, *BODIES, *OF_OTHERS} == set(definitions)


def test_every_event_has_a_switch_and_a_kind(definitions: dict[str, Any]) -> None:
    """What can be ordered can be told."""
    switches = {name.lower() for name in properties(definitions, "WebHookEvents")}
    assert {kind.lower() for kind in sc.EventKind} == switches


@pytest.mark.parametrize("name", BODIES)
def test_requests_can_say_all_that_azure_takes_and_nothing_else(definitions: dict[str, Any], name: str) -> None:
    """No read-only property is ever sent, none that may be sent is missing."""
    shape, inside = BODIES[name]
    nested = getattr(shape, "inside_properties", frozenset())
    top = {field.alias or key for key, field in shape.model_fields.items()} - nested
    expected = set(writable(definitions, name)) - NOT_OURS

    assert top - LATER == expected - {"properties"}
    assert nested == (set(writable(definitions, inside)) if inside else set())
    assert bool(nested) == ("properties" in expected)


@pytest.mark.parametrize("name", BODIES)
def test_requests_hold_what_is_required(definitions: dict[str, Any], name: str) -> None:
    """A required property is asked for, or has a default that is sent."""
    shape, inside = BODIES[name]
    required = {key for key in (name, inside) if key for key in definitions[key].get("required", ())} - {"properties"}
    always = {field.alias for field in shape.model_fields.values() if field.is_required() or field.default is not None}
    assert required <= always


@pytest.mark.parametrize("name", BODIES)
def test_requests_keep_the_documented_limits(definitions: dict[str, Any], name: str) -> None:
    """What Azure would refuse for its size is refused before it is sent."""
    shape, inside = BODIES[name]
    ours = shape.model_json_schema()["properties"]
    stated = {key: value for part in (name, inside) if part for key, value in writable(definitions, part).items()}
    known = {
        key: limits(schema)
        for key, schema in stated.items()
        if limits(schema) and shape.model_config["extra"] == "forbid"
    }
    assert {key: limits(ours[key]) for key in known} == known


@pytest.mark.parametrize("name", EXAMPLES)
def test_official_examples_survive_reading_and_writing(spec: Path, name: str) -> None:
    """What Azure sends comes out as it went in, and we know all of it."""
    for response in example(spec, name)["responses"].values():
        read = EXAMPLES[name].model_validate(response["body"])

        assert as_sent(read) == response["body"]
        assert unknown_members(read) == []


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_look_like_the_official_ones(spec: Path, name: str) -> None:
    """What we send is what Microsoft's examples send."""
    parameter, shape = REQUESTS[name]
    body = example(spec, name)["parameters"][parameter]
    assert shape.model_validate(one_level(body)).to_azure() == body


def test_blocks_are_committed_like_in_the_example(spec: Path) -> None:
    """The one request whose body is a list."""
    body = example(spec, "commit_block_list")["parameters"]["blockList"]
    assert [sc.CommitBlocksEntry.model_validate(entry).to_azure() for entry in body] == body


def test_every_example_is_tried(spec: Path) -> None:
    """A new example must be added above, unless it holds no body."""
    names = {path.stem for path in (spec / "examples").glob("*.json")}
    silent = {name for name in names if not any("body" in said for said in example(spec, name)["responses"].values())}
    assert names - silent == set(EXAMPLES)


def test_unknown_values_and_members_are_kept() -> None:
    """When Azure adds a status or a member, reading goes on and loses nothing."""
    body = {
        "self": "https://h/datasets/1",
        "displayName": "a",
        "locale": "x",
        "kind": "Smell",
        "status": "Paused",
        "new": [1],
    }
    dataset = sc.Dataset.model_validate(body)

    assert (dataset.kind, dataset.status, dataset.is_final) == ("Smell", "Paused", False)
    assert dataset.to_azure() == body


def test_counts_before_the_end_stay_as_sent() -> None:
    """Azure writes -1 for "not counted yet"; hiding that is not the client's decision."""
    properties = sc.EvaluationProperties.model_validate({"wordErrorRate1": -1.0, "wordCount1": -1})
    assert (properties.word_error_rate1, properties.word_count1) == (-1.0, -1)


def test_the_id_is_read_from_the_path() -> None:
    """Every address ends in a query, so the last 36 characters are not the id."""
    reference = sc.EntityReference(self_url="https://host/speechtotext/models/base/827712a5?api-version=2024-11-15")
    assert reference.id == "827712a5"


def test_a_transcription_file_tells_what_was_said() -> None:
    """The lexical words of all channels, in order, and nothing lost."""
    text = {"itn": "", "maskedITN": "", "display": ""}
    timed = {"offset": "PT0S", "duration": "PT1S", "offsetInTicks": 0.0, "durationInTicks": 10000000.0}
    timed |= {"offsetMilliseconds": 0, "durationMilliseconds": 1000}
    word = timed | {"word": "hello", "confidence": 0.9}
    best = text | {"lexical": "hello", "confidence": 0.9, "words": [word]}
    body = {
        "source": "a.wav",
        "timestamp": "2024-01-01T00:00:00Z",
        "duration": "PT1S",
        "durationInTicks": 10000000,
        "durationMilliseconds": 1000,
        "combinedRecognizedPhrases": [
            text | {"channel": 1, "lexical": "world"},
            text | {"channel": 0, "lexical": "hello"},
        ],
        "recognizedPhrases": [timed | {"recognitionStatus": "Success", "channel": 0, "nBest": [best]}],
    }
    result = sc.TranscriptionResult.from_json(json.dumps(body).encode())

    assert result.lexical == "hello world"
    assert result.to_azure() == body
    assert unknown_members(result) == []


def test_transcription_files_have_the_published_members(spec: Path) -> None:
    """Everything that Microsoft's schema requires is an attribute, at every depth."""
    published = spec.parent / "transcriptionresult.schema.json"
    if not published.is_file():
        pytest.skip("transcriptionresult.schema.json does not lie beside the specification's folder")
    required = required_members(json.loads(published.read_text("utf-8")))
    shapes = (sc.TranscriptionResult, sc.RecognizedPhrase, sc.Alternative, sc.RecognizedWord, sc.DisplayWord)
    ours = {field.alias for shape in shapes for field in shape.model_fields.values()}
    assert len(required) > 15
    assert required <= ours


def test_a_broken_transcription_file_gives_no_words_away() -> None:
    """The error names the place, never the content."""
    with pytest.raises(sc.UnexpectedAnswer, match="not in Azure's format") as caught:
        sc.TranscriptionResult.from_json(b'{"source": ["my secret words"]}')
    assert "secret words" not in str(caught.value)
