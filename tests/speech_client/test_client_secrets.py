"""Canaries: a key, a token, a signature and a web hook's secret go everywhere, and are seen nowhere.

Looked at is what may leave the process by itself: texts and representations, logs, tracebacks with the local variables
of our own functions, everything chained to an error, and errors that were pickled. Not looked at are `to_azure`,
`model_dump` and attributes of entities, which are data, and the local variables of whoever calls the client.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import pydantic
import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

import speech_client as sc
from speech_client import redaction
from speech_client.answers import Call
from speech_client.forms import Form
from speech_client.redaction import HiddenItems, redact, remember

TOKEN = "canary.token-0123456789"
SAS = "https://store.blob.core.windows.net/c/a.zip?sv=2024&sp=r&sig=canary-sig%2B0"
SECRET = "canary-web-hook-secret"
WORDS = "canary words of a transcript"
COMMON = {"display_name": "n", "locale": "en-US"}
EVENTS = sc.WebHookEvents(ping=True)
FILE = {"self": "https://h/files/f1", "name": "f", "kind": "Transcription", "links": {"contentUrl": SAS}}


class Token:
    """As azure-identity has it: its representation shows the token."""

    token = TOKEN
    expires_on = 9_999_999_999

    def __repr__(self) -> str:
        return f"AccessToken({self.token!r})"


class Identity:
    """Gives the token, or fails with an error that tells far too much."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def get_token(self, *scopes: str, **kwargs: Any) -> Token:
        if self.error:
            raise self.error
        return Token()


def credentials(build: Any) -> dict[str, sc.Credential]:
    return {"key": sc.KeyCredential(build.key), "entra": sc.EntraCredential(Identity())}


def audio(folder: Path) -> Path:
    (path := folder / "a.wav").write_bytes(b"RIFF")
    return path


def calls(folder: Path) -> dict[str, Callable[[sc.SpeechClient], Any]]:
    """Requests of every shape, each with a secret in it. The web hook's is known from here on."""
    file = sc.File.model_validate(FILE)
    new = sc.NewWebHook(display_name="n", secret=SECRET, events=EVENTS, web_url=SAS)
    return {
        "get": lambda client: client.datasets.get("d1"),
        "list": lambda client: anext(client.models.list(filter=sc.F.display_name == "n")),
        "create": lambda client: client.datasets.create(sc.NewDataset(**COMMON, kind="Language", content_url=SAS)),
        "submit": lambda client: client.transcriptions.submit(
            sc.NewTranscription(**COMMON, content_urls=(SAS,), destination_container_url=SAS)
        ),
        "hook": lambda client: client.web_hooks.create(new),
        "change": lambda client: client.web_hooks.update("w1", sc.WebHookUpdate(secret=SECRET, web_url=SAS)),
        "transcribe": lambda client: client.transcriptions.transcribe(audio(folder)),
        "recognise": lambda client: client.recognise("e1", b"RIFF", locale="en-US"),
        "download": lambda client: client.download(file),
        "save": lambda client: client.download(file, folder / "saved"),
        "wait": lambda client: client.wait_until_final(
            patience=timedelta(seconds=1),
            entity=sc.Dataset.model_validate(
                {"self": "https://h/d/d1", "status": "Running", "kind": "x", "contentUrl": SAS} | CAMEL
            ),
        ),
    }


CAMEL = {"displayName": "n", "locale": "en-US"}
IDS = {"apim-request-id": SAS}


def faults(proof: str) -> dict[str, Any]:
    """What can come back from a service that quotes all that it was sent, `proof` included."""
    echo = f"Proof {proof}, secret {SECRET}: cannot read {SAS} (Authorization: Bearer {TOKEN})"
    inner = {
        "code": f"Invalid {SAS}",
        "message": echo,
        "target": SECRET,
        "details": {"at": SAS, "by": proof, SAS: "at"},
    }
    body = {"code": "InvalidRequest", "message": echo, "target": SAS, "innerError": inner}
    failed = {
        "self": "https://h/datasets/d1",
        "status": "Failed",
        "kind": "x",
        "contentUrl": SAS,
        "properties": {"error": {"code": "c", "message": echo}, "secret": SECRET},
    }
    zipped = {"headers": {"Content-Encoding": "gzip"}, "stream": httpx.ByteStream(echo.encode())}
    statuses = (400, 401, 403, 404, 409, 429, 500, 503)
    return {
        **{f"status {status}": httpx.Response(status, json=body, headers=IDS) for status in statuses},
        "gateway": httpx.Response(401, json={"error": body}),
        "page": httpx.Response(502, text=f"<html>{echo}</html>"),
        "redirect": httpx.Response(302, headers={"Location": SAS}),
        "redirect with a password": httpx.Response(302, headers={"Location": "https://u:canary-password@h/x"}),
        "no JSON": httpx.Response(200, text=f"{WORDS} {echo}"),
        "other JSON": httpx.Response(200, json={"self": [WORDS, SAS], WORDS: echo, "status": {"x": SECRET}}),
        "too large": httpx.Response(200, text=echo * 100),
        "too large, unannounced": httpx.Response(200, stream=httpx.ByteStream(echo.encode() * 100)),
        "broken gzip": httpx.Response(200, **zipped),
        "failed": httpx.Response(200, json=failed | CAMEL),
        "reset": httpx.ReadError(echo),
        "unreachable": httpx.ConnectError(echo),
        "slow": httpx.ReadTimeout(echo),
        "protocol": httpx.RemoteProtocolError(echo),
        "no address": httpx.InvalidURL(echo),
        "no web address": httpx.UnsupportedProtocol(echo),
    }


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: Any) -> None:
    """Each test begins like a new process."""
    monkeypatch.setattr(redaction, "_remembered", {})


def ours(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins in the client."""
    while trace and "/speech_client/" not in trace.tb_frame.f_code.co_filename.replace("/tests/speech_client/", "/"):
        trace = trace.tb_next
    return trace


def shown(error: BaseException) -> str:
    """All that anybody may show of an error, of what it holds, and of what is chained to it."""
    trace = traceback.TracebackException(type(error), error, ours(error.__traceback__), capture_locals=True)
    parts = [str(error), repr(error), repr(error.args), repr(vars(error)), "".join(trace.format())]
    parts += ["".join(traceback.format_exception(error))]
    entity = getattr(error, "entity", None)
    parts += [repr(entity and entity.to_azure())]  # who stores an error stores its entity
    chained = [other for other in (error.__cause__, error.__context__) if other]
    return "\n".join([*parts, *map(shown, chained)])


def revealed(text: str) -> list[str]:
    """The lines with a canary that flew."""
    return [line for line in text.splitlines() if "canary" in line and "test_client_secrets" not in line]


@pytest.mark.parametrize("fault", faults(""))
@pytest.mark.parametrize("kind", ["key", "entra"])
async def test_nothing_that_goes_wrong_shows_a_secret(
    connect: Any, build: Any, caplog: Any, tmp_path: Path, kind: str, fault: str
) -> None:
    """Whatever is sent, and whatever comes back, even when the service quotes all that it was sent."""
    caplog.set_level(logging.DEBUG)

    def answer(_: httpx.Request) -> httpx.Response:
        said = faults({"key": build.key, "entra": TOKEN}[kind])[fault]
        if isinstance(said, Exception):
            raise said
        return said

    options = {"credential": credentials(build)[kind], "largest_answer": 4000, "retry": sc.RetryPolicy(attempts=2)}
    errors: list[BaseException] = []
    async with connect(transport=httpx.MockTransport(answer), **options) as client:
        for call in calls(tmp_path).values():
            try:
                await call(client)
            except sc.SpeechError as error:
                errors.append(error)

    assert len(errors) > (0 if fault in ("failed", "no JSON", "too large", "too large, unannounced") else 5)
    for error in errors:
        assert revealed(shown(error)) == []
        again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
        assert b"canary" not in pickle.dumps(error)
        assert str(again) == str(error)
        assert revealed(shown(copy.copy(error))) == []
    assert revealed(caplog.text) == []


async def test_an_error_has_nothing_chained_to_it(service: Any, speech: Any, build: Any) -> None:
    """Libraries' errors hold requests with headers, and bodies; who follows the chain must not find them."""
    for said in (httpx.ReadError("reset"), httpx.InvalidURL("x"), {"no": "dataset"}, (403, build.error())):
        service.says("GET", "datasets/d1", said)
        with pytest.raises(sc.SpeechError) as caught:
            await speech.datasets.get("d1")
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    with pytest.raises(sc.SpeechError) as caught:
        sc.TranscriptionResult.from_json(f'["{WORDS}"]'.encode())
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "error",
    [
        ClientAuthenticationError(message=f"Not {SAS} {TOKEN}"),
        ServiceRequestError(message=TOKEN),
        ClientAuthenticationError(""),
    ],
)
async def test_a_failed_sign_in_shows_no_secret(connect: Any, error: Exception) -> None:
    """Entra ID may quote what it was sent, too; and the first token may have been refused before."""
    identity = Identity()
    async with connect(
        credential=sc.EntraCredential(identity), transport=httpx.MockTransport(lambda _: httpx.Response(401))
    ) as client:
        with pytest.raises(sc.Unauthorized):
            await client.datasets.get("d1")
        identity.error = error
        with pytest.raises(sc.SpeechError) as caught:
            await client.datasets.get("d1")
    assert caught.value.__context__ is None
    assert revealed(shown(caught.value)) == []


def test_wrong_configuration_is_not_quoted(connect: Any, build: Any) -> None:
    """The key, an address with a password or a signature, a secret beside a mistake."""
    wrong: list[Callable[[], Any]] = [
        lambda: sc.KeyCredential(f"{build.key} and a space"),
        lambda: connect(endpoint="https://user:canary-password@host"),
        lambda: connect(endpoint=SAS),
        lambda: connect(endpoint=f"ftp://host/{SAS}"),
        lambda: sc.NewWebHook(display_name="", web_url=SAS, events=EVENTS, secret=SECRET),
        lambda: sc.NewWebHook(display_name="n", web_url=SAS, events=EVENTS, secret=[SECRET]),
        lambda: sc.WebHookUpdate(secret=SECRET, surprise=SAS),
        lambda: sc.NewTranscription(**COMMON, content_urls=(SAS, 7)),
        lambda: sc.NewTranscription(**COMMON, content_urls=(SAS,), content_container_url=SAS),
    ]
    for attempt in wrong:
        with pytest.raises((sc.BadInput, pydantic.ValidationError)) as caught:
            attempt()
        assert revealed(f"{caught.value} {caught.value!r}") == []


def classes() -> list[type[sc.AzureObject]]:
    """Every kind of object that Azure sends or takes."""
    found = [getattr(sc, name) for name in sc.__all__]
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, sc.AzureObject)]


@pytest.mark.parametrize("kind", classes())
def test_no_object_shows_a_secret(kind: type[sc.AzureObject]) -> None:
    """In any member, known or not, at any depth; its data are complete all the same."""
    filled = kind.model_construct(**dict.fromkeys(kind.model_fields, SAS) | {"secret": SECRET})
    assert revealed(f"{filled!r} {filled!s} {[filled]}") == []
    if kind.model_config["extra"] == "allow":
        later = kind.model_construct(later={"deep": [SAS, {"secret": SECRET}]})
        assert revealed(f"{later!r} {later!s} {[later]} {later.to_record()}") == []
        assert SECRET in str(later.model_dump())


def test_no_part_of_the_client_shows_a_secret(connect: Any, build: Any, tmp_path: Path) -> None:
    """In a debugger, in a log, among the local variables of a traceback."""
    for credential in credentials(build).values():
        client = connect(credential=credential)
        parts = [client, credential, *vars(client).values(), *vars(client._connection).values()]
        assert revealed(repr(parts)) == []
    call = Call(method="POST", url=SAS, json={"contentUrl": SAS}, headers={"a": TOKEN}, params={"sig": "canary"})
    form = Form("audio", tmp_path, {"definition": SAS})
    hidden = HiddenItems({"Ocp-Apim-Subscription-Key": build.key})
    assert revealed(f"{call!r} {call!s} {form!r} {hidden!r} {hidden!s} {remember(SECRET)!r}") == []


async def test_signed_addresses_and_secrets_remain_usable(service: Any, speech: Any, build: Any) -> None:
    """They are hidden from eyes, not from Azure."""
    new = sc.NewDataset(**COMMON, kind="Language", content_url=SAS)
    hook = sc.NewWebHook(display_name="n", web_url="https://h", events=EVENTS, secret=SECRET)
    assert new.content_url == SAS
    assert (hook.secret, hook.to_azure()["properties"]) == (SECRET, {"secret": SECRET})
    assert repr([new.content_url, hook.secret]) == f"['{redact(SAS)}', '***']"
    service.says("GET", "https://store.blob.core.windows.net/c/a.zip", httpx.Response(200, content=b"x"))
    assert await speech.download(sc.File.model_validate(FILE)) == b"x"
    assert str(service.requests[0].url) == SAS


def test_a_secret_within_a_secret_leaves_no_rest() -> None:
    """The longer one is masked first; and forms that stand in addresses are masked too."""
    remember("canary-1/")
    remember("canary-1/canary-2")
    assert redact("canary-1/canary-2 canary-1%2Fcanary-2 canary-1/") == "*** *** ***"


def test_short_texts_are_not_taken_for_secrets() -> None:
    """Masking every "a" would help nobody; and the memory for secrets is limited."""
    remember("a")
    for number in range(1000):
        remember(f"long-enough-{number}")
    assert redact("a bad day, long-enough-999 and long-enough-1-") == "a bad day, *** and long-enough-1-"


def test_other_threads_may_log_while_a_secret_is_remembered() -> None:
    """Each request remembers its key again; whoever reads at that moment must neither fail nor miss it."""
    remember("canary-key-1")
    read_meanwhile = iter(redaction._remembered)
    remember("canary-key-1")
    remember("canary-key-2")
    assert list(read_meanwhile) == ["canary-key-1"]
    assert redact("canary-key-1 canary-key-2") == "*** ***"


@asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[str]:
    """A real service on loopback that says one thing, so that httpcore has something to log."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(say, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


class Everything(logging.Handler):
    """What a handler of whatever kind may write: the whole record, and the exception in it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        raw = traceback.format_exception(*record.exc_info) if record.exc_info else []
        self.lines += f"{self.format(record)}\n{vars(record)}\n{''.join(raw)}".splitlines()


@pytest.fixture
def everything() -> Any:
    root, handler = logging.getLogger(), Everything()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


async def test_the_logs_of_the_wire_show_no_secret(everything: Everything, build: Any) -> None:
    """httpcore logs the headers of answers at DEBUG, httpx addresses at INFO; signatures may be in both."""
    headers = f"Location: {SAS}\r\nX-Echo: {build.key}\r\nX-Token: {TOKEN}\r\nContent-Length: 0\r\n\r\n"
    async with server(f"HTTP/1.1 302 Found\r\n{headers}".encode()) as address:
        file = {"links": {"contentUrl": f"{address}/f?{SAS.partition('?')[2]}"}}
        async with sc.SpeechClient(address, sc.EntraCredential(Identity())) as client:
            sc.KeyCredential(build.key)
            for call in (client.datasets.get("d1"), client.download(sc.File.model_validate(FILE | file))):
                with pytest.raises(sc.RequestRejected):
                    await call
    assert any("receive_response_headers.complete" in line for line in everything.lines)
    assert any("HTTP Request: GET" in line and "sig=***" in line for line in everything.lines)
    assert revealed("\n".join(everything.lines)) == []


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy"])
def test_logged_exceptions_are_redacted_for_every_handler(everything: Everything, connect: Any, name: str) -> None:
    """A filter that rewrites the message alone would leave the exception's text as it is."""
    connect()
    connect()
    try:
        raise ValueError(SAS)
    except ValueError:
        logging.getLogger(name).exception("cannot fetch %s, %s", SAS, httpx.URL(SAS))
    assert any("ValueError: https://store" in line for line in everything.lines)
    assert revealed("\n".join(everything.lines)) == []
