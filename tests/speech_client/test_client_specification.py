"""Our models against Microsoft's own definitions and examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydantic
import pytest

import speech_client as sc
from speech_client.resource import Page

COVERED: dict[str, type[pydantic.BaseModel]] = {
    "BaseModel": sc.BaseModel,
    "BaseModelDeprecationDates": sc.BaseModelDeprecationDates,
    "BaseModelFeatures": sc.BaseModelFeatures,
    "BaseModelLinks": sc.BaseModelLinks,
    "BaseModelProperties": sc.BaseModelProperties,
    "CustomModel": sc.CustomModel,
    "CustomModelDeprecationDates": sc.ModelDeprecationDates,
    "CustomModelFeatures": sc.ModelFeatures,
    "CustomModelLinks": sc.CustomModelLinks,
    "CustomModelProperties": sc.CustomModelProperties,
    "Dataset": sc.Dataset,
    "DatasetLinks": sc.DatasetLinks,
    "DatasetProperties": sc.DatasetProperties,
    "DatasetUpdate": sc.DatasetUpdate,
    "DiarizationProperties": sc.Diarization,
    "EditsSummary": sc.EditsSummary,
    "Endpoint": sc.Endpoint,
    "EndpointLinks": sc.EndpointLinks,
    "EndpointProperties": sc.EndpointProperties,
    "EntityError": sc.EntityError,
    "EntityReference": sc.EntityReference,
    "Evaluation": sc.Evaluation,
    "EvaluationLinks": sc.EvaluationLinks,
    "EvaluationProperties": sc.EvaluationProperties,
    "EvaluationUpdate": sc.EvaluationUpdate,
    "File": sc.File,
    "FileLinks": sc.FileLinks,
    "FileProperties": sc.FileProperties,
    "LanguageIdentificationProperties": sc.LanguageIdentification,
    "ModelUpdate": sc.ModelUpdate,
    "ResponseBlock": sc.Block,
    "TokenErrorDetails": sc.TokenErrorDetails,
    "Transcription": sc.Transcription,
    "TranscriptionLinks": sc.TranscriptionLinks,
    "TranscriptionProperties": sc.TranscriptionProperties,
    "TranscriptionUpdate": sc.TranscriptionUpdate,
    "UploadedBlocks": sc.UploadedBlocks,
}
ENUMS = {
    "DatasetKind": sc.DatasetKind,
    "FileKind": sc.FileKind,
    "LanguageIdentificationMode": sc.LanguageIdentificationMode,
    "OutputFormatType": sc.OutputFormatType,
    "ProfanityFilterMode": sc.ProfanityFilterMode,
    "PunctuationMode": sc.PunctuationMode,
    "Status": sc.Status,
    "TextNormalizationKind": sc.TextNormalizationKind,
}
EXAMPLES: dict[str, type[sc.AzureObject]] = {
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
REQUESTS: dict[str, tuple[str, type[sc.AzureObject], dict[str, str]]] = {
    "create_dataset_with_blocks": ("dataset", sc.NewDataset, {}),
    "create_dataset_with_content_url": ("dataset", sc.NewDataset, {}),
    "create_model": ("model", sc.NewModel, {}),
    "create_model_with_weight": ("model", sc.NewModel, {"customModelWeightPercent": "custom_model_weight_percent"}),
    "create_evaluation": ("evaluation", sc.NewEvaluation, {}),
    "create_endpoint": ("endpoint", sc.NewEndpoint, {"loggingEnabled": "logging_enabled"}),
    "update_endpoint": ("endpointUpdate", sc.EndpointUpdate, {"contentLoggingEnabled": "content_logging_enabled"}),
    "update_dataset": ("datasetUpdate", sc.DatasetUpdate, {}),
    "update_model": ("modelUpdate", sc.ModelUpdate, {}),
    "update_evaluation": ("evaluationUpdate", sc.EvaluationUpdate, {}),
    "update_transcription": ("transcriptionUpdate", sc.TranscriptionUpdate, {}),
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


def declared(definitions: dict[str, Any], name: str) -> set[str]:
    """Names of the properties of a definition, inherited ones included."""
    definition = definitions[name]
    parents = [parent["$ref"].rsplit("/", 1)[1] for parent in definition.get("allOf", [])]
    return set(definition.get("properties", {})).union(*(declared(definitions, parent) for parent in parents))


def required_members(schema: Any) -> set[str]:
    """Names of all required members in a JSON schema."""
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("required", ())).union(*(required_members(value) for value in schema.values()))


@pytest.mark.parametrize("name", COVERED)
def test_every_declared_property_has_an_attribute(definitions: dict[str, Any], name: str) -> None:
    """Nothing that Azure documents has to be dug out of the unknown members."""
    ours = {field.alias for field in COVERED[name].model_fields.values()}
    assert declared(definitions, name) <= ours


@pytest.mark.parametrize("name", ENUMS)
def test_every_value_of_an_enum_is_known(definitions: dict[str, Any], name: str) -> None:
    """Our enums are Azure's, no more and no less."""
    assert {member.value for member in ENUMS[name]} == set(definitions[name]["enum"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_official_examples_survive_reading_and_writing(spec: Path, name: str) -> None:
    """What Azure sends comes out as it went in, and we know all of it."""
    for response in example(spec, name)["responses"].values():
        read = EXAMPLES[name].model_validate(response["body"])

        assert read.to_azure() == response["body"]
        assert unknown_members(read) == []


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_look_like_the_official_ones(spec: Path, name: str) -> None:
    """What we send is what Microsoft's examples send."""
    parameter, shape, renamed = REQUESTS[name]
    body = example(spec, name)["parameters"][parameter]
    flat = {key: value for key, value in body.items() if key != "properties"}
    flat |= {renamed[key]: value for key, value in body.get("properties", {}).items()}

    assert shape.model_validate(flat).to_azure() == body


def test_every_entity_example_is_tried(spec: Path) -> None:
    """A new example for our nouns must be added above; the others belong to operations that are still to come."""
    ours = ("dataset", "model", "endpoint", "evaluation", "transcription")
    later = ("delete", "copy", "manifest", "locales", "upload_block", "web_hook")
    names = {path.stem for path in (spec / "examples").glob("*.json") if any(noun in path.stem for noun in ours)}
    assert {name for name in names if not any(word in name for word in later)} == set(EXAMPLES)


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
