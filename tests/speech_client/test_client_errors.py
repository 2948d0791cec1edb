"""Each failure becomes the error that tells the caller what to do."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import socket
from typing import Any

import httpx
import pytest

import speech_client
from speech_client import (
    BadInput,
    Conflict,
    Forbidden,
    JobFailed,
    JobTimedOut,
    KeyCredential,
    NewDataset,
    NotFound,
    RequestRejected,
    RetryPolicy,
    SpeechClient,
    SpeechError,
    TransientError,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
    errors,
)

NEW = NewDataset(display_name="trips", locale="en-US", kind="Language")


@pytest.mark.parametrize(
    ("status", "code", "inner", "expected"),
    [
        (400, "InvalidRequest", "InvalidLocale", RequestRejected),
        (401, "Unauthorized", None, Unauthorized),
        (403, "Forbidden", None, Forbidden),
        (404, "NotFound", None, NotFound),
        (409, "Conflict", "InUseViolation", Conflict),
        (400, "InvalidRequest", "InUseViolation", Conflict),
        (400, "InvalidRequest", "DeleteNotAllowed", Conflict),
        (422, "UnprocessableEntity", None, RequestRejected),
        (302, "", None, RequestRejected),
    ],
)
async def test_a_refusal_is_sorted_by_status_or_code(
    service: Any, speech: Any, build: Any, status: int, code: str, inner: str | None, expected: type[SpeechError]
) -> None:
    """Azure does not say which status goes with which code, so both count."""
    service.says("GET", "datasets/d1", (status, build.error(code, inner)))
    with pytest.raises(RequestRejected) as caught:
        await speech.datasets.get("d1")
    assert (type(caught.value), caught.value.status, caught.value.inner_code) == (expected, status, inner)
    assert len(service.requests) == 1


async def test_a_refusal_carries_azures_words(service: Any, speech: Any, build: Any) -> None:
    """Codes, target, request id for support, and one line for people."""
    body = build.error("InvalidRequest", "InvalidLocale", "The request is invalid.")
    service.says("POST", "datasets", httpx.Response(400, json=body, headers={"apim-request-id": "r-7"}))
    with pytest.raises(RequestRejected) as caught:
        await speech.datasets.create(NEW)

    error = caught.value
    assert (error.code, error.inner_code, error.target, error.request_id) == (
        "InvalidRequest",
        "InvalidLocale",
        "displayName",
        "r-7",
    )
    assert str(error) == (
        f"POST {build.api}/datasets: 400 InvalidRequest, InvalidLocale: The request is invalid. The reason. (request r-7)"
    )


@pytest.mark.parametrize(
    "body",
    [
        {"code": "Unauthorized", "message": "Authentication is required to access the resource."},
        {"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}},
    ],
)
async def test_a_wrong_key_says_which_setting_to_check(service: Any, speech: Any, body: dict[str, Any]) -> None:
    """Both the service and the gateway before it can refuse a key, each in its own format."""
    service.says("GET", "datasets/d1", (401, body))
    with pytest.raises(
        Unauthorized, match=r"(Authentication is required|Access denied).*Check the key, and that it belongs"
    ):
        await speech.datasets.get("d1")


@pytest.mark.parametrize("content", [b"<html>Bad gateway</html>", b"", b"[]", b'{"code": 7}', b"\xff\xfe"])
async def test_an_error_without_azures_body_is_still_an_error(service: Any, speech: Any, content: bytes) -> None:
    """A proxy's page must not end in a traceback."""
    service.says("GET", "datasets/d1", httpx.Response(418, content=content))
    with pytest.raises(RequestRejected, match="418"):
        await speech.datasets.get("d1")


@pytest.mark.parametrize(
    "content",
    [b"<html>login</html>", b"", b"{}", b"[1]", b'{"self": 1}', b"\xff", b'{"a":' * 100_000, b'{"values": NaN}'],
)
async def test_success_with_garbage_is_a_clear_error(service: Any, speech: Any, content: bytes) -> None:
    """200 alone proves nothing."""
    service.says("GET", "evaluations/e1", httpx.Response(200, content=content))
    with pytest.raises(UnexpectedAnswer, match=r"unexpected body .*Check the endpoint") as caught:
        await speech.evaluations.get("e1")
    assert not caught.value.ambiguous


async def test_a_rate_that_is_no_number_is_refused(service: Any, speech: Any, build: Any) -> None:
    """NaN is not greater than any threshold, so it must not reach a gate."""
    target = {"self": f"{build.api}/models/1"}
    body = httpx.Response(200, json=build.entity("evaluations", model1=target, model2=target, dataset=target))
    content = body.content[:-1] + b',"properties":{"wordErrorRate1":NaN}}'
    service.says("GET", "evaluations/e1", httpx.Response(200, content=content))
    with pytest.raises(UnexpectedAnswer, match="wordErrorRate1"):
        await speech.evaluations.get("e1")


async def test_a_create_with_an_unreadable_answer_is_ambiguous(service: Any, speech: Any) -> None:
    """201 with garbage: the dataset exists, and the caller must look for it."""
    service.says("POST", "datasets", httpx.Response(201, content=b"<html>"))
    with pytest.raises(UnexpectedAnswer) as caught:
        await speech.datasets.create(NEW)
    assert caught.value.ambiguous


async def test_an_unreachable_service_is_named_with_a_remedy() -> None:
    """Over a real socket: nobody listens there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with SpeechClient(endpoint, KeyCredential("k"), retry=RetryPolicy(attempts=1)) as speech:
            with pytest.raises(Unreachable, match=rf"Cannot reach {endpoint} .*speechops up") as caught:
                await speech.datasets.create(NEW)
    assert not caught.value.ambiguous


async def test_a_dropped_connection_after_a_create_is_ambiguous() -> None:
    """Over a real socket: the service took the request, then closed without a word."""
    seen = []

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(drop, "127.0.0.1", 0) as server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with SpeechClient(endpoint, KeyCredential("k")) as speech:
            with pytest.raises(TransientError, match="got no answer") as caught:
                await speech.datasets.create(NEW)
    assert (caught.value.ambiguous, len(seen)) == (True, 1)


async def test_a_content_address_that_is_no_web_address_is_refused(build: Any) -> None:
    """file: and the like are not fetched, and not tried again."""
    file = speech_client.File.model_validate(build.file("file:///etc/passwd"))
    async with SpeechClient(build.host, KeyCredential("k")) as speech:
        with pytest.raises(BadInput, match="cannot be sent"):
            await speech.download(file)


async def test_an_error_is_one_line_whatever_the_service_says(service: Any, speech: Any, build: Any) -> None:
    """Errors are logged and kept: no forged log line, no escape sequence, no megabytes."""
    for said in ("bad\n2026 CRITICAL forged\x1b[2J\r", "x" * 50_000, "x" * 5_000_000):
        service.says("GET", "datasets/d1", (400, build.error("InvalidRequest", message=said)))
        with pytest.raises(RequestRejected, match="400") as caught:
            await speech.datasets.get("d1")
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) <= 2001
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301  # our own
    failed = build.a_dataset(status="Failed", properties={"error": {"message": "x" * 500_000}})
    assert len(str(JobFailed(failed))) <= 2001


async def test_an_entity_without_a_readable_address_is_a_clear_error(service: Any, speech: Any, build: Any) -> None:
    """Python's own error about brackets would end a flow without telling why."""
    service.says("GET", "datasets", {"values": [build.dataset() | {"self": "https://[oops/d1"}]})
    [dataset] = [dataset async for dataset in speech.datasets.list()]
    with pytest.raises(BadInput, match="id is missing"):
        await speech.datasets.get(dataset)


def test_every_error_is_a_speech_error() -> None:
    """One except clause catches all of ours."""
    ours = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert len(ours) >= 13
    assert all(issubclass(kind, SpeechError) for kind in ours)


def test_every_error_is_in_the_tree_and_exported() -> None:
    """The drawing at the top of the module is complete."""
    ours = {name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)}
    assert all(name in (errors.__doc__ or "") for name in ours)
    assert ours <= set(speech_client.__all__)


def test_all_is_complete_and_sorted() -> None:
    """Everything public that the package imports can be imported from it."""
    public = {
        name for name, value in vars(speech_client).items() if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert set(speech_client.__all__) == public
    assert list(speech_client.__all__) == sorted(speech_client.__all__)


def test_errors_travel_between_processes(build: Any) -> None:
    """Prefect stores errors; data and text must come back."""
    for error in (
        TransientError("busy", ambiguous=True, retry_after=2.0, status=503),
        Unreachable("no way"),
        NotFound("gone", status=404, code="NotFound", inner_code="X", request_id="r"),
        UnexpectedAnswer("odd", ambiguous=True),
        JobFailed(build.a_dataset(status="Failed")),
        JobTimedOut(build.a_dataset(), "too late"),
    ):
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
        assert (type(copy), str(copy), copy.__dict__) == (type(error), str(error), error.__dict__)


def test_errors_are_also_pythons_own() -> None:
    """Code that knows nothing of us still catches them."""
    assert issubclass(BadInput, ValueError)
    assert issubclass(JobTimedOut, TimeoutError)
