"""Who is let in, and how refusals look."""

from collections.abc import AsyncIterator

import pytest

from tests.emulator.service_kit import Caller, in_process, settings_for

UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("key", ["", "wrong", "a-key-for-test"])
async def test_without_the_key_nothing_is_answered(speech: Caller, key: str) -> None:
    """Azure's own body."""
    speech.http.headers["Ocp-Apim-Subscription-Key"] = key
    error = await speech.refused("GET", "/datasets", 401)

    assert error == {"code": "Unauthorized", "message": "Authentication is required to access the resource."}


@pytest.mark.parametrize("version", ["", "2023-01-01", "v3.2"])
async def test_the_api_version_is_required_and_checked(speech: Caller, version: str) -> None:
    """One that we do not have is not served as another."""
    error = await speech.refused("GET", "/datasets", 400, query={"api-version": version})

    assert error["code"] == "InvalidRequest"
    assert error["target"] == "api-version"


async def test_every_address_in_an_answer_has_host_and_version_of_the_request(speech: Caller) -> None:
    """self, links and Location; so a client can follow them as they are."""
    body = {"displayName": "x", "locale": "en-US", "kind": "Language"}
    answer = await speech.call("POST", "/datasets", json=body, headers={"Host": "other.test:81"})
    created = answer.json()

    assert answer.headers["Location"] == created["self"]
    for address in (created["self"], *created["links"].values()):
        assert address.startswith("http://other.test:81/speechtotext/datasets/")
        assert address.endswith("?api-version=2024-11-15")


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({"locale": "en-US", "kind": "Language"}, "displayName"),
        ({"displayName": "", "locale": "en-US", "kind": "Language"}, "displayName"),
        ({"displayName": "x", "locale": "en-US", "kind": "Poems"}, "kind"),
        ({"displayName": "x", "locale": "en-US", "kind": "Language", "customProperties": {"a": 1}}, "customProperties"),
        (
            {
                "displayName": "x",
                "locale": "en-US",
                "kind": "Language",
                "customProperties": dict.fromkeys("abcdefghijk", "v"),
            },
            "customProperties",
        ),
        (
            {"displayName": "x", "locale": "en-US", "kind": "Language", "customProperties": {"k" * 65: "v"}},
            "customProperties",
        ),
        (
            {"displayName": "x", "locale": "en-US", "kind": "Language", "customProperties": {"k": "v" * 257}},
            "customProperties",
        ),
    ],
)
async def test_a_wrong_property_is_named(speech: Caller, body: dict, target: str) -> None:
    """In `target`, with the reason in the message."""
    error = await speech.refused("POST", "/datasets", 400, json=body)

    assert error["code"] == "InvalidRequest"
    assert error["innerError"]["code"] == "InvalidPayload"
    assert error["target"].startswith(target)


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"[" * 100_000, b'"text"', b"\xff"])
async def test_a_body_that_is_no_json_object_is_refused(speech: Caller, content: bytes) -> None:
    """Never a traceback."""
    headers = {"Content-Type": "application/json"}
    error = await speech.refused("POST", "/datasets", 400, content=content, headers=headers)

    assert error["innerError"]["code"] == "InvalidRequestBodyFormat"


async def test_unknown_members_are_ignored(speech: Caller) -> None:
    """The specification allows them, and read-only ones."""
    created = await speech.post(
        "/datasets", displayName="x", locale="en-US", kind="Language", status="Succeeded", project={"self": "x"}
    )

    assert created["status"] == "NotStarted"
    assert "project" not in created


@pytest.mark.parametrize("noun", ["datasets", "models", "evaluations", "transcriptions", "endpoints", "models/base"])
async def test_what_does_not_exist_is_not_found(speech: Caller, noun: str) -> None:
    """404 with a body; and an id that is none is 400."""
    assert (await speech.refused("GET", f"/{noun}/{UNKNOWN}", 404))["code"] == "NotFound"
    await speech.refused("GET", f"/{noun}/not-a-guid", 400)


@pytest.mark.parametrize(("noun", "status"), [("datasets", 204), ("models", 204), ("evaluations", 204), ("transcriptions", 204), ("endpoints", 404)])  # fmt: skip
async def test_deleting_what_does_not_exist(speech: Caller, noun: str, status: int) -> None:
    """204 by the specification's words ("or did not exist"), but not for endpoints."""
    assert (await speech.call("DELETE", f"/{noun}/{UNKNOWN}")).status_code == status


async def test_unknown_paths_and_methods_have_a_body_too(speech: Caller) -> None:
    """404 and 405 in Azure's shape."""
    assert (await speech.refused("GET", "/poems", 404))["code"] == "NotFound"
    assert (await speech.refused("PUT", "/datasets", 405))["code"] == "NotAllowed"


async def test_a_bug_is_a_500_that_tells_nothing(speech: Caller, monkeypatch, caplog) -> None:
    """The log says where, and quotes no data."""
    monkeypatch.setattr("emulator.calls.Call.find", lambda *_: {}["canary"])
    error = await speech.refused("GET", f"/datasets/{UNKNOWN}", 500)

    assert error["code"] == "InternalServerError"
    assert "KeyError in" in caplog.text
    assert "canary" not in caplog.text + str(error)


async def test_own_routes_need_the_key_when_others_can_reach_them(tmp_path) -> None:
    """On a loopback address they are open; health always is."""
    for host, status in (("127.0.0.1", 200), ("localhost", 200), ("0.0.0.0", 401), ("speech.example", 401)):  # noqa: S104
        async with in_process(settings_for(tmp_path / host, host=host)) as speech:
            del speech.http.headers["Ocp-Apim-Subscription-Key"]
            assert (await speech.http.get("/_emulator/state")).status_code == status
            assert (await speech.http.get("/_emulator/health")).status_code == 200


async def test_neither_key_nor_transcript_is_logged(tmp_path, caplog) -> None:
    """Canaries in all of them; the log has the status changes."""
    from tests.emulator.service_kit import KEY, recordings

    with caplog.at_level("DEBUG", logger="emulator"):
        async with in_process(settings_for(tmp_path)) as speech:
            test = await speech.dataset("Acoustic", recordings("my canary sings"), displayName="secret plan")
            base = await speech.base_model()
            await speech.evaluation(base, base, test)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("emulator"))

    assert "Running -> Succeeded" in ours
    for canary in (KEY, "canary", "secret plan", "sig="):
        assert canary not in ours


async def test_a_body_without_end_is_not_read_to_its_end(speech: Caller) -> None:
    """413 once it is too large, for somebody without a key as well."""
    sent = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            sent.append(number)
            yield bytes(1024**2)

    headers = {"Content-Type": "application/json", "Ocp-Apim-Subscription-Key": "wrong"}
    answer = await speech.call("POST", "/datasets", content=pieces(), headers=headers)

    assert answer.status_code == 413
    assert len(sent) < 20
