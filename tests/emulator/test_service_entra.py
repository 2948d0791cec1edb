"""Microsoft Entra tokens, as on a resource with a custom domain, and the roles behind them."""

from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from emulator.cli import serve
from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import Caller, in_process, path_of, running, settings_for

TOKENS = "user=token-of-a-user contributor=token-of-a-contributor"
BODY = {"displayName": "x", "locale": "en-US", "kind": "Language"}
SHORT_AUDIO = "/speech/recognition/conversation/cognitiveservices/v1"


@pytest.fixture
async def speech(tmp_path):
    """An emulator of a resource with a custom domain; the caller has no key of its own."""
    async with in_process(settings_for(tmp_path, entra_tokens=TOKENS)) as caller:
        del caller.http.headers["Ocp-Apim-Subscription-Key"]
        yield caller


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def recognise(speech: Caller, headers: dict[str, str]) -> httpx.Response:
    headers = {"Content-Type": "audio/wav", **headers}
    return await speech.http.post(SHORT_AUDIO, params={"language": "en-US"}, content=wav("hello"), headers=headers)


USER, CONTRIBUTOR = bearer("token-of-a-user"), bearer("token-of-a-contributor")


async def test_a_speech_contributor_may_do_everything(speech: Caller) -> None:
    """View, create, edit and delete."""
    created = await speech.call("POST", "/datasets", json=BODY, headers=CONTRIBUTOR)
    assert created.status_code == 201
    path = path_of(created.json())

    for method, body, status in (("GET", None, 200), ("PATCH", {"displayName": "y"}, 200), ("DELETE", None, 204)):
        assert (await speech.call(method, path, json=body, headers=CONTRIBUTOR)).status_code == status


async def test_a_speech_user_may_only_view(speech: Caller) -> None:
    """Anything else is Forbidden, and nothing happens."""
    created = (await speech.call("POST", "/datasets", json=BODY, headers=CONTRIBUTOR)).json()
    for method, path, body in (
        ("POST", "/datasets", BODY),
        ("PATCH", path_of(created), {"displayName": "y"}),
        ("DELETE", path_of(created), None),
    ):
        error = await speech.refused(method, path, 403, json=body, headers=USER)
        assert error["code"] == "Forbidden"

    found = await speech.call("GET", "/datasets", headers=USER)
    assert [one["displayName"] for one in found.json()["values"]] == ["x"]


async def test_a_speech_user_may_use_the_transcription_apis(speech: Caller) -> None:
    """Short audio, and the operations on transcriptions."""
    assert (await recognise(speech, USER)).json()["DisplayText"] == "Hello."

    await speech.refused("POST", "/transcriptions:submit", 400, json={}, headers=USER)  # let in, but the body is bad


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("token-of-nobody"),
        bearer(""),
        {"Authorization": "Basic token-of-a-contributor"},
        {"Authorization": "token-of-a-contributor"},
        {**CONTRIBUTOR, "Ocp-Apim-Subscription-Key": "wrong"},
    ],
)
async def test_an_unknown_caller_is_unauthorized(speech: Caller, headers: dict) -> None:
    """The error does not say what was wrong; a wrong key is not mended by a token."""
    error = await speech.refused("GET", "/datasets", 401, headers=headers)

    assert error == {"code": "Unauthorized", "message": "Authentication is required to access the resource."}
    assert (await recognise(speech, headers)).status_code == 401


async def test_a_regional_host_refuses_every_token(tmp_path) -> None:
    """A token without a custom domain gives no access."""
    async with in_process(settings_for(tmp_path)) as speech:
        del speech.http.headers["Ocp-Apim-Subscription-Key"]

        await speech.refused("GET", "/datasets", 401, headers=CONTRIBUTOR)


async def test_tokens_are_in_no_log_and_no_message(tmp_path: Path) -> None:
    """Of a program that was started with one, called with it, and with another."""
    async with running(tmp_path, "--entra-token", "user=a-canary-token", workers=0) as (emulator, speech):
        headers = {**bearer("a-canary-token")}
        del speech.http.headers["Ocp-Apim-Subscription-Key"]
        assert (await speech.call("GET", "/datasets", headers=headers)).status_code == 200
        await speech.refused("POST", "/datasets", 403, json=BODY, headers=headers)
        await speech.refused("GET", "/datasets", 401, headers=bearer("another-canary-token"))
        assert "canary" not in (await speech.http.get("/_emulator/state")).text
        assert "canary" not in emulator.stop()


def test_a_malformed_token_is_refused_without_being_quoted() -> None:
    """It says what a token looks like instead."""
    app = typer.Typer(add_completion=False)
    app.command()(serve)
    malformed = CliRunner().invoke(app, ["--entra-token", "boss=a-canary-token"])

    assert malformed.exit_code == 2
    assert "<role>=<token>" in malformed.output
    assert "canary" not in malformed.output
