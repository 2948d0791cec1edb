"""Canaries: nothing that grants access appears in logs, errors or representations."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech_client import Dataset, File, KeyCredential, NewDataset, SpeechError, redact

SAS = "https://store.blob.core.windows.net/c/a.zip?sv=2024&sp=r&sig=canary-sig%2B0"


@pytest.mark.parametrize(
    "text",
    [
        SAS,
        "copy of https://s/x?sig%3Dcanary%26sv",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=canary+/==;EndpointSuffix=x",
        "BlobEndpoint=https://a;SharedAccessSignature=canary",
        "Authorization: Bearer canary.canary-canary",
        "Authorization: SharedKey account:canary=",
        "{'Ocp-Apim-Subscription-Key': 'canary'}",
        "(b'Ocp-Apim-Subscription-Key', b'canary')",
        "https://user:canary@host/x",
        "https://user:canary:canary@host/x",
        "https://hooks.azurewebsites.net/api/heard?code=canary-of-an-azure-function==&clientId=x",
        "token eyJcanarycanary.eyJcanary.canary here",
        "key " + "canary" * 14 + "aa==",
    ],
)
def test_secrets_of_every_form_are_masked(text: str) -> None:
    """Signatures, keys, tokens, passwords."""
    assert "canary" not in redact(text)
    assert "***" in redact(text)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="&\"'<>"), min_size=1))
def test_no_signature_survives(signature: str) -> None:
    """Whatever it is made of."""
    assert redact(f"https://s/a?sv=1&sig={signature}&sr=b") == "https://s/a?sv=1&sig=***&sr=b"


def test_harmless_text_stays() -> None:
    """Ids, hashes and addresses are what people need to find things."""
    text = (
        "datasets 9d5f4100-5f8e-4dd6-bd83-9bbbf50d57f1 of "
        + "ab" * 32
        + " at https://host/speechtotext?skip=2&code=404"
    )
    assert redact(text) == text


@pytest.mark.parametrize("text", ["://" + ":" * 400_000, "-eyJabcdefgh" * 40_000])
def test_no_text_takes_for_ever(text: str) -> None:
    """What the service says is redacted in the event loop; quadratic patterns took longer than a test may."""
    assert redact(text) == text


def test_representations_hide_signatures(build: Any) -> None:
    """At any depth, and in members that we do not know."""
    dataset = build.a_dataset(
        contentUrl=SAS, properties={"error": {"message": f"bad {SAS}"}}, later={"deep": [SAS], "secret": "canary"}
    )
    for value in (
        dataset,
        File.model_validate(build.file(SAS)),
        NewDataset.model_validate({"displayName": "a", "locale": "b", "kind": "Language", "contentUrl": SAS}),
    ):
        assert "canary" not in f"{value!r} {value!s}"
    assert dataset.content_url == SAS


def test_records_for_the_ledger_hide_signatures(build: Any) -> None:
    """to_record may be stored; to_azure is what Azure said."""
    dataset = build.a_dataset(contentUrl=SAS)
    assert "canary" not in str(dataset.to_record())
    assert dataset.to_azure()["contentUrl"] == SAS


def test_invalid_input_is_not_repeated(build: Any) -> None:
    """pydantic would quote the value."""
    with pytest.raises(ValueError, match="locale") as caught:
        Dataset.model_validate(build.dataset(contentUrl=SAS) | {"locale": {"x": SAS}})
    assert "canary" not in str(caught.value)


def test_credentials_and_clients_hide_the_key(connect: Any, build: Any) -> None:
    """In a debugger, in a log, in a Prefect state."""
    assert build.key not in f"{KeyCredential(build.key)!r} {connect()!r}"


async def test_no_log_line_and_no_traceback_holds_a_secret(service: Any, speech: Any, build: Any, caplog: Any) -> None:
    """Everything at DEBUG, httpx included, through success and failure."""
    caplog.set_level(logging.DEBUG)
    file = File.model_validate(build.file(SAS))
    address = SAS.split("?")[0]
    said = f"Cannot fetch {SAS} with Ocp-Apim-Subscription-Key: {build.key}"
    service.says("GET", address, httpx.Response(200, content=b"x"), 503, (403, build.error("Forbidden", None, said)))
    service.says("GET", "datasets/d1", httpx.ReadError(said), (400, build.error("InvalidRequest", "InvalidData", said)))
    attempts: list[Callable[[], Awaitable[Any]]] = [lambda: speech.download(file), lambda: speech.datasets.get("d1")]
    traces = []
    await speech.download(file)
    for attempt in attempts:
        with pytest.raises(SpeechError) as caught:
            await attempt()
        traces.append("".join(traceback.format_exception(caught.value)))

    everything = caplog.text + "".join(traces)
    assert "HTTP Request: GET https://store.blob.core.windows.net/c/a.zip?sv=2024&sp=r&sig=***" in everything
    assert "canary" not in everything


async def test_errors_do_not_drag_the_request_along(service: Any, speech: Any) -> None:
    """httpx's error holds the request with its headers; a pickled or inspected error must not."""
    service.says("GET", "datasets/d1", httpx.ReadError("reset"))
    with pytest.raises(SpeechError) as caught:
        await speech.datasets.get("d1")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
