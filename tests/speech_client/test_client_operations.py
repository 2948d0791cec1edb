"""The operations beside plain entities: copies, manifests, locales, submitting and transcribing."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from speech_client import (
    BadInput,
    Conflict,
    DetailedErrorCode,
    Diarization,
    EntityReference,
    ErrorCode,
    F,
    Forbidden,
    JobFailed,
    LanguageIdentification,
    ModelCopyAuthorization,
    NewDataset,
    NewTranscription,
    NotFound,
    Operation,
    ProfanityFilterMode,
    QuotaExceeded,
    RequestRejected,
    SpeechError,
    TranscribeDefinition,
    TranscribeDiarizationProperties,
    TransientError,
    Unauthorized,
    UnexpectedAnswer,
)
from speech_client.fast_transcription import LARGEST_AUDIO

SOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/source"
AUTHORIZATION = {
    "targetResourceRegion": "westus2",
    "targetResourceId": "/subscriptions/t",
    "targetResourceEndpoint": "https://westus2.api.cognitive.microsoft.com",
    "sourceResourceId": SOURCE,
    "expirationDateTime": "2026-01-07T11:34:12Z",
    "id": "a1",
}
COPIED = "https://westus2.api.cognitive.microsoft.com/speechtotext/models/m2?api-version=2024-11-15"
COMMON = {"display_name": "t", "locale": "en-US"}
URLS = ("https://store/a.wav?sig=canary-sig",)


def operation_body(build: Any, status: str = "NotStarted", **more: Any) -> dict[str, Any]:
    return {
        "id": "o1",
        "self": f"{build.api}/operations/models/copy/o1?api-version=2024-11-15",
        "status": status,
    } | more


async def test_a_copy_is_authorised_by_the_target(service: Any, speech: Any) -> None:
    """The target says who may copy, and gets back what the source needs."""
    service.says("POST", "models:authorizecopy", AUTHORIZATION)
    authorization = await speech.models.authorize_copy(SOURCE)

    assert json.loads(service.requests[0].content) == {"sourceResourceId": SOURCE}
    assert authorization.to_azure() == AUTHORIZATION


async def test_a_copy_is_waited_for_like_any_job(service: Any, speech: Any, build: Any, time: Any) -> None:
    """At the pace that the service names; the result is the model at the target."""
    done = operation_body(build, "Succeeded", result={"link": COPIED})
    service.says("POST", "models/m1:copy", (202, operation_body(build)))
    running = httpx.Response(200, json=operation_body(build, "Running"), headers={"Retry-After": "7"})
    service.says("GET", "operations/models/copy/o1", running, done)
    operation = await speech.models.copy("m1", ModelCopyAuthorization.model_validate(AUTHORIZATION))
    finished = await speech.wait_until_final(operation)

    assert json.loads(service.requests[0].content) == AUTHORIZATION
    assert (type(finished), finished.operation_id, finished.id) == (Operation, "o1", "o1")
    assert finished.result.reference.id == "m2"
    assert time.sleeps == [7.0]


async def test_a_failed_copy_tells_why(service: Any, speech: Any, build: Any) -> None:
    """The reason stands in the operation itself, not in properties."""
    why = {"code": "ModelCopyAuthorizationExpired", "message": "Too late"}
    service.says("GET", "operations/models/copy/o1", operation_body(build, "Failed", error=why))
    operation = Operation.model_validate(operation_body(build))
    with pytest.raises(JobFailed, match="Too late") as caught:
        await speech.wait_until_final(operation)
    assert caught.value.entity.error.code == DetailedErrorCode.MODEL_COPY_AUTHORIZATION_EXPIRED


async def test_many_copies_are_waited_for_without_a_list(service: Any, speech: Any, build: Any) -> None:
    """The service lists entities, but no operations."""

    operations = []
    for name in map(str, range(8)):
        body = operation_body(build) | {"self": f"{build.api}/operations/models/copy/{name}", "id": name}
        service.says("GET", f"operations/models/copy/{name}", body, body | {"status": "Succeeded"})
        operations.append(Operation.model_validate(body))
    done = await asyncio.gather(*(speech.wait_until_final(operation) for operation in operations))
    assert {operation.status for operation in done} == {"Succeeded"}


async def test_an_operation_can_be_looked_at(service: Any, speech: Any, build: Any) -> None:
    """By its id or its address."""
    service.says("GET", "operations/models/copy/o1", operation_body(build))
    assert (await speech.operations.model_copy("o1")).is_final is False
    assert (await speech.operations.model_copy(f"{build.api}/operations/models/copy/o1")).result is None


async def test_what_was_made_is_found_by_its_header_too(service: Any, speech: Any, build: Any) -> None:
    """Azure may tell the address in Location or Operation-Location only."""
    where = f"{build.api}/datasets/d9?api-version=2024-11-15"
    body = {key: value for key, value in build.dataset().items() if key != "self"}
    service.says("POST", "datasets", httpx.Response(201, json=body, headers={"Location": where}))
    operation = {"id": "o9", "status": "NotStarted"}
    at = f"{build.api}/operations/models/copy/o9"
    service.says("POST", "models/m1:copy", httpx.Response(202, json=operation, headers={"Operation-Location": at}))

    assert (await speech.datasets.create(NewDataset(**COMMON, kind="Language"))).id == "d9"
    copy = await speech.models.copy("m1", ModelCopyAuthorization.model_validate(AUTHORIZATION))
    assert copy.id == "o9"


async def test_what_was_made_needs_no_header(service: Any, speech: Any, build: Any) -> None:
    """Five of Microsoft's examples show none; and the body is what counts."""
    elsewhere = httpx.Response(201, json=build.dataset(), headers={"Location": f"{build.api}/datasets/d9"})
    service.says("POST", "datasets", (201, build.dataset()), elsewhere)
    for _ in range(2):
        assert (await speech.datasets.create(NewDataset(**COMMON, kind="Language"))).id == "d1"


async def test_without_any_address_the_answer_is_wrong_but_ambiguous(service: Any, speech: Any, build: Any) -> None:
    """Something may have been made, so nobody should just repeat it."""
    service.says("POST", "datasets", (201, {key: v for key, v in build.dataset().items() if key != "self"}))
    with pytest.raises(UnexpectedAnswer, match="self") as caught:
        await speech.datasets.create(NewDataset(**COMMON, kind="Language"))
    assert caught.value.ambiguous


async def test_manifests_name_files_and_configuration(service: Any, speech: Any, build: Any) -> None:
    """Of base models and custom models; the life time of the addresses is always sent, for Azure requires it."""
    body = {
        "model": {"self": f"{build.api}/models/m1"},
        "modelFiles": [{"name": "a.fe", "contentUrl": "https://store/a.fe?sig=canary-sig"}],
        "properties": {"IN_BeamSize": 5000},
    }
    service.says("GET", "models/m1/manifest", body)
    service.says("GET", "models/base/b1/manifest", body)
    custom = await speech.models.manifest("m1")
    base = await speech.base_models.manifest("b1", sas_lifetime=timedelta(hours=6))

    assert custom == base
    assert custom.to_azure() == body
    assert "canary" not in repr(custom)
    assert [r.url.params["sasLifetimeMinutes"] for r in service.requests] == ["720", "360"]


async def test_a_life_time_of_nothing_is_refused(service: Any, speech: Any) -> None:
    """Azure wants more than zero."""
    for lifetime in (timedelta(), timedelta(hours=-1)):
        with pytest.raises(BadInput, match="more than zero"):
            await speech.models.manifest("m1", sas_lifetime=lifetime)
    assert service.requests == []


async def test_locales_are_told_for_every_noun(service: Any, speech: Any) -> None:
    """Plain lists, or lists per kind."""
    for noun in ("models", "endpoints", "evaluations"):
        service.says("GET", f"{noun}/locales", ["en-US", "de-DE"])
        assert await getattr(speech, noun).locales() == ("en-US", "de-DE")
    service.says("GET", "datasets/locales", {"Acoustic": ["en-US"], "LanguageMarkdown": ["de-DE"], "Smell": ["fr-FR"]})
    service.says("GET", "transcriptions/locales", {"Submit": ["en-US"], "Transcribe": []})
    datasets, transcriptions = await speech.datasets.locales(), await speech.transcriptions.locales()

    assert (datasets.acoustic, datasets.language_markdown, datasets.language) == (("en-US",), ("de-DE",), None)
    assert datasets.to_azure()["Smell"] == ["fr-FR"]
    assert (transcriptions.submit, transcriptions.transcribe) == (("en-US",), ())


async def test_locales_that_are_no_list_are_told(service: Any, speech: Any) -> None:
    """A proxy's page is not a list of locales."""
    service.says("GET", "models/locales", {"en-US": True})
    with pytest.raises(UnexpectedAnswer, match="models/locales"):
        await speech.models.locales()


async def test_a_transcription_is_submitted(service: Any, speech: Any, build: Any) -> None:
    """What Azure wants in properties is there; what was not given is not sent; a life time always is."""
    service.says("POST", "transcriptions:submit", (201, build.entity("transcriptions", "t1")))
    wanted = NewTranscription(
        **COMMON,
        content_urls=URLS,
        model=EntityReference(self_url=f"{build.api}/models/m1"),
        punctuation_mode="DictatedAndAutomatic",
        profanity_filter_mode=ProfanityFilterMode.MASKED,
        language_identification=LanguageIdentification(candidate_locales=("en-US", "de-DE")),
        diarization=Diarization(enabled=True, max_speakers=3),
    )
    transcription = await speech.transcriptions.submit(wanted)

    assert transcription.id == "t1"
    assert json.loads(service.requests[0].content) == {
        "displayName": "t",
        "locale": "en-US",
        "contentUrls": list(URLS),
        "model": {"self": f"{build.api}/models/m1"},
        "properties": {
            "timeToLiveHours": 48,
            "punctuationMode": "DictatedAndAutomatic",
            "profanityFilterMode": "Masked",
            "languageIdentification": {"candidateLocales": ["en-US", "de-DE"]},
            "diarization": {"enabled": True, "maxSpeakers": 3},
        },
    }


DATASET = {"dataset": EntityReference(self_url="https://h/speechtotext/datasets/d1")}
CONTAINER = {"content_container_url": "https://store/c?sig=canary-sig"}


@pytest.mark.parametrize("source", [{"content_urls": URLS}, CONTAINER, DATASET])
def test_one_source_of_audio_is_enough(source: dict[str, Any]) -> None:
    """Addresses, a container, or a dataset."""
    assert NewTranscription(**COMMON, **source).to_azure()["properties"] == {"timeToLiveHours": 48}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"content_urls": URLS} | CONTAINER,
        CONTAINER | DATASET,
        {"content_urls": ()},
        {"content_urls": URLS * 1001},
        {"content_urls": URLS, "time_to_live_hours": 5},
        {"content_urls": URLS, "time_to_live_hours": 745},
        {"content_urls": URLS, "punctuation_mode": "Loud"},
        {"content_urls": URLS, "diarization": Diarization(max_speakers=36)},
        {"content_urls": URLS, "language_identification": {"candidate_locales": ("en-US",)}},
        {"content_urls": URLS, "language_identification": {"candidate_locales": [str(n) for n in range(11)]}},
        {
            "content_urls": URLS,
            "language_identification": {
                "candidate_locales": ("en-US", "de-DE"),
                "speech_model_mapping": {"fr-FR": {"self": "https://h/speechtotext/models/m1"}},
            },
        },
    ],
)
def test_transcriptions_that_azure_would_refuse_are_not_sent(wrong: dict[str, Any]) -> None:
    """And the reason quotes no signed address."""
    with pytest.raises(ValidationError) as caught:
        NewTranscription(**COMMON, **wrong)
    assert "canary" not in str(caught.value)


def test_single_language_identification_has_no_limit() -> None:
    """One language per recording may be any of many."""
    many = {"candidate_locales": [str(n) for n in range(50)], "mode": "Single"}
    body = NewTranscription(**COMMON, **DATASET, language_identification=many).to_azure()
    assert len(body["properties"]["languageIdentification"]["candidateLocales"]) == 50


SAID = {
    "durationMilliseconds": 2000,
    "combinedPhrases": [{"channel": 0, "text": "Weather"}],
    "phrases": [
        {
            "channel": 0,
            "speaker": 1,
            "offsetMilliseconds": 40,
            "durationMilliseconds": 320,
            "text": "Weather",
            "words": [{"text": "weather", "offsetMilliseconds": 40, "durationMilliseconds": 320}],
            "locale": "en-US",
            "confidence": 0.79,
        }
    ],
}


def parts_of(request: httpx.Request, content: bytes) -> dict[str, Any]:
    """The parts of a multipart request, by name."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + content).get_payload()
    return {part.get_param("name", header="content-disposition"): part for part in parts}


async def test_a_recording_is_transcribed_at_once(service: Any, speech: Any, tmp_path: Path) -> None:
    """As a form of the audio and a definition, sent anew, and whole, when it fails for a moment."""
    (path := tmp_path / "a.wav").write_bytes(b"RIFF" * 50_000)
    sent: list[bytes] = []
    answers = [(503, {}), SAID]

    def answer(request: httpx.Request) -> Any:
        sent.append(request.content)
        return answers.pop(0)

    service.says("POST", "transcriptions:transcribe", answer)
    definition = TranscribeDefinition(
        locales=("en-US",), diarization=TranscribeDiarizationProperties(enabled=True, max_speakers=2)
    )
    result = await speech.transcriptions.transcribe(path, definition)

    assert result.to_azure() == SAID
    assert len(sent) == 2
    for request, content in zip(service.requests, sent, strict=True):
        parts = parts_of(request, content)
        assert request.url.params["api-version"] == "2024-11-15"
        assert int(request.headers["Content-Length"]) == len(content)
        assert parts["audio"].get_payload(decode=True) == path.read_bytes()
        assert json.loads(parts["definition"].get_payload()) == {
            "locales": ["en-US"],
            "diarization": {"enabled": True, "maxSpeakers": 2},
        }


@pytest.mark.parametrize("name", ["a\udcff.wav", 'a".wav', "a\r\nX: y.wav"])
async def test_a_recording_may_have_any_name(service: Any, speech: Any, tmp_path: Path, name: str) -> None:
    """Old archives unpack to names that are no text; none of them may add a header to the form."""
    (path := tmp_path / name).write_bytes(b"RIFF")
    service.says("POST", "transcriptions:transcribe", lambda request: SAID if b"\nX:" not in request.content else 500)
    assert (await speech.transcriptions.transcribe(path)).to_azure() == SAID


async def test_audio_is_read_piece_by_piece(speech: Any, connect: Any, tmp_path: Path) -> None:
    """A recording of hours does not have to fit into memory."""
    (path := tmp_path / "a.wav").write_bytes(b"x" * 1_000_000)
    pieces: list[int] = []

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            pieces.extend([len(piece) async for piece in request.stream])
            return httpx.Response(200, json=SAID)

    async with connect(transport=Transport()) as client:
        await client.transcriptions.transcribe(path)
    assert sum(pieces) > 1_000_000
    assert max(pieces) <= 64 * 1024


async def test_transcribing_waits_longer_than_other_requests(service: Any, speech: Any, tmp_path: Path) -> None:
    """The answer comes when all of it is transcribed."""
    (path := tmp_path / "a.wav").write_bytes(b"x")
    service.says("POST", "transcriptions:transcribe", SAID)
    service.says("GET", "models/locales", [])
    await speech.transcriptions.transcribe(path)
    await speech.models.locales()
    long, usual = (request.extensions["timeout"] for request in service.requests)
    assert (long["read"], long["connect"], usual["read"], usual["connect"]) == (900.0, 10.0, 60.0, 10.0)


async def test_audio_that_cannot_be_transcribed_is_not_sent(service: Any, speech: Any, tmp_path: Path) -> None:
    """Missing, empty, a folder, or larger than the service takes."""
    (empty := tmp_path / "empty.wav").touch()
    with (large := tmp_path / "large.wav").open("wb") as file:
        file.truncate(LARGEST_AUDIO)
    for path, reason in ((tmp_path / "no.wav", "no such file"), (empty, "empty"), (large, "less than 250")):
        with pytest.raises(BadInput, match=reason):
            await speech.transcriptions.transcribe(path)
    assert service.requests == []


@pytest.mark.parametrize(
    ("noun", "condition"),
    [
        ("evaluations", F.kind == "Language"),
        ("datasets", F.web_url == "https://h"),
        ("web_hooks", F.locale == "en-US"),
        ("models", (F.locale == "en-US") & ~(F.name == "x")),
        ("base_models", (F.locale == "en-US") | (F.foundry_project_name == "x")),
    ],
)
async def test_lists_are_not_asked_for_what_they_do_not_know(
    service: Any, speech: Any, noun: str, condition: Any
) -> None:
    """Azure would answer UnsupportedFilter; the message tells what it does know."""
    with pytest.raises(BadInput, match="It knows createdDateTime"):
        [_ async for _ in getattr(speech, noun).list(filter=condition)]
    with pytest.raises(BadInput, match="datasets/d1/files cannot be filtered by status"):
        [_ async for _ in speech.datasets.files("d1", filter=F.status == "Failed")]
    assert service.requests == []


async def test_lists_are_asked_for_what_they_know(service: Any, speech: Any) -> None:
    """Kinds of datasets, addresses of web hooks, names of files."""
    known = {
        "datasets": (speech.datasets.list, F.kind == "Language", "kind eq 'Language'"),
        "webhooks": (speech.web_hooks.list, F.web_url == "https://h", "webUrl eq 'https://h'"),
        "models/m1/files": (partial(speech.models.files, "m1"), F.name == "a", "name eq 'a'"),
    }
    for path, (method, condition, expected) in known.items():
        service.says("GET", path, {"values": []})
        assert [found async for found in method(filter=condition)] == []
        assert service.requests[-1].url.params["filter"] == expected


@pytest.mark.parametrize(
    ("status", "code", "inner", "expected"),
    [
        (400, "InvalidRequest", "InUseViolation", Conflict),
        (403, "NotAllowed", "DeleteNotAllowed", Conflict),
        (400, "InvalidArgument", "QuotaViolation", QuotaExceeded),
        (409, "Conflict", "SkuLimitsExist", QuotaExceeded),
        (400, "InvalidRequest", "InvalidPermissions", Forbidden),
        (400, "NotFound", "InvalidModel", NotFound),
        (400, "Unauthorized", None, Unauthorized),
        (404, "InvalidRequest", "InvalidDataset", NotFound),
        (400, "InvalidRequest", "ModelDeprecated", RequestRejected),
        (422, "UnprocessableEntity", "InventedTomorrow", RequestRejected),
    ],
)
async def test_the_most_specific_code_decides(
    service: Any, speech: Any, build: Any, status: int, code: str, inner: str | None, expected: type[SpeechError]
) -> None:
    """Azure documents no status per code, so the code counts first; unknown ones stay plain text."""
    service.says("GET", "datasets/d1", (status, build.error(code, inner)))
    with pytest.raises(SpeechError) as caught:
        await speech.datasets.get("d1")
    assert type(caught.value) is expected
    assert (caught.value.code, caught.value.inner_code) == (code, inner)
    assert caught.value.code == ErrorCode(code)


async def test_too_many_requests_may_come_with_any_status(service: Any, speech: Any, build: Any) -> None:
    """It is no reason to give up, and it had no effect."""
    service.says("POST", "datasets", (400, build.error("TooManyRequests")), (400, build.error("ServiceUnavailable")))
    for ambiguous in (False, True):
        with pytest.raises(TransientError) as caught:
            await speech.datasets.create(NewDataset(**COMMON, kind="Language"))
        assert caught.value.ambiguous == ambiguous


async def test_details_of_an_error_are_kept_and_strange_ones_do_no_harm(service: Any, speech: Any) -> None:
    """Azure's policies, for instance; and a body that is not quite right still tells its code."""
    inner = {"code": "QuotaViolation", "message": "Full.", "details": {"limit": "500", "at": "https://s/a?sig=canary"}}
    strange = {"code": "InvalidRequest", "message": "No.", "innerError": "gone", "details": "none"}
    service.says("GET", "datasets/d1", (400, {"code": "InvalidRequest", "innerError": inner}), (400, strange))
    with pytest.raises(QuotaExceeded) as caught:
        await speech.datasets.get("d1")
    assert caught.value.details == {"limit": "500", "at": "https://s/a?sig=***"}
    with pytest.raises(RequestRejected, match="400 InvalidRequest: No"):
        await speech.datasets.get("d1")


async def test_links_that_are_no_addresses_are_not_followed(service: Any, speech: Any) -> None:
    """Brackets that hold no IPv6 address make Python's parser raise."""
    service.says("GET", "models", {"values": [], "@nextLink": "https://[::1/speechtotext/models?skip=1"})
    with pytest.raises(UnexpectedAnswer, match="not followed"):
        [_ async for _ in speech.models.list()]


def test_an_endpoint_that_is_no_address_is_refused(connect: Any) -> None:
    """With an example of what it should look like."""
    with pytest.raises(BadInput, match="no address of a Speech service"):
        connect(endpoint="http://[::1")
