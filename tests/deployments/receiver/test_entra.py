"""Event Grid's deliveries with a token of Microsoft Entra: who is let in, and what happens while Entra is away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import time
from typing import Any

import httpx
import pytest

from deployments.receiver import serving, signing_keys
from deployments.receiver.app import create_app
from deployments.receiver.entra import EntraTokens
from deployments.receiver.outbox import Outbox
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.signing_keys import KeysUnavailable
from domain.mistakes import Mistake
from tests.deployments.receiver.entra_kit import (
    AUDIENCE,
    ELSEWHERE,
    EVENT_GRID,
    KEYS,
    PERSONAL,
    TENANT,
    V1,
    V2,
    FakeEntra,
    claims,
    signed,
    signed_with_public_key,
    unsigned,
)
from tests.deployments.receiver.hook_kit import FORGED, SECRET, Receiver, Sent, as_body, payload

MINUTE, HOUR, DAY = 60, 3600, 86_400
ASKING = {"WebHook-Request-Origin": "eventgrid.azure.net"}
VERSION_2 = {"iss": V2, "ver": "2.0", "appid": None, "azp": EVENT_GRID}


class Seconds:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def entra() -> FakeEntra:
    """A tenant."""
    return FakeEntra()


@pytest.fixture
def clock() -> Seconds:
    """The receiver's monotonic time."""
    return Seconds()


@pytest.fixture
def tokens(entra: FakeEntra, clock: Seconds) -> EntraTokens:
    """What opens the hook."""
    return EntraTokens(TENANT, [AUDIENCE], entra.transport, clock)


@pytest.fixture
def receiver(tmp_path: Path, entra: FakeEntra) -> Iterator[Receiver]:
    """A receiver whose hook of Event Grid is opened by tokens, and by a secret as well."""
    settings = ReceiverSettings(
        data=tmp_path, eventgrid_tenant=TENANT, eventgrid_audience=AUDIENCE, eventgrid_secret=SECRET
    )
    with closing(Outbox(tmp_path / "outbox.sqlite3")) as outbox:
        app = create_app(settings, outbox, entra=entra.transport)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        yield Receiver(outbox, httpx.AsyncClient(transport=transport, base_url="http://localhost"))


def sent(authorization: str = "", query: str = "", name: str = "eventgrid-blob-created") -> Sent:
    """One request of Event Grid."""
    headers = {"Authorization": authorization} if authorization else {}
    return Sent(f"/hooks/eventgrid{query}", as_body(payload(name)), headers)


async def opened(tokens: EntraTokens, authorization: str) -> bool:
    """Whether the hook opens, as the application asks."""
    await tokens.prepare(authorization)
    return tokens.admit(authorization)


@pytest.mark.parametrize("said", [{}, VERSION_2], ids=["1.0", "2.0"])
async def test_a_delivery_with_event_grids_token_is_stored(
    said: dict[str, Any], receiver: Receiver, entra: FakeEntra
) -> None:
    """Whichever version of tokens the application was registered for; the keys are asked for once."""
    answers = [await receiver.take(sent(signed(claims(**said)))) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 200]
    assert len(receiver.outbox.pending()) == 1
    assert [str(request.url) for request in entra.asked] == [KEYS]
    assert "Authorization" not in entra.asked[0].headers


@pytest.mark.parametrize(
    "said",
    [
        {"aud": "api://another"},
        {"aud": [AUDIENCE.upper(), "00000003-0000-0000-c000-000000000000"]},
        {"aud": None},
        {"iss": f"https://sts.windows.net/{ELSEWHERE}/"},
        {"iss": f"https://login.microsoftonline.com/{ELSEWHERE}/v2.0"},
        {"iss": V1.rstrip("/")},
        {"iss": None},
        {"appid": ELSEWHERE},
        VERSION_2 | {"azp": ELSEWHERE},
        {"appid": None},
        {"azp": ELSEWHERE},
        VERSION_2 | {"appid": ELSEWHERE},
        {"appid": [EVENT_GRID]},
        {"exp": int(time()) - 5 * MINUTE},
        {"exp": None},
        {"nbf": int(time()) + HOUR},
        {"nbf": None},
    ],
    ids=",".join,  # by claims: times would differ between the workers of pytest-xdist
)
async def test_a_token_that_says_something_else_is_refused(said: dict[str, Any], receiver: Receiver) -> None:
    """For somebody else, of another tenant, of another application, too old, too new, or incomplete."""
    assert (await receiver.take(sent(signed(claims(**said))))).status_code == 401
    assert receiver.outbox.pending() == []


async def test_clocks_may_be_half_a_minute_apart(tokens: EntraTokens) -> None:
    """Machines are not that exact, and what is refused with 401 is not sent again."""
    assert await opened(tokens, signed(claims(exp=int(time()) - 30)))
    assert await opened(tokens, signed(claims(nbf=int(time()) + 30)))


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        signed_with_public_key,
        lambda said: signed(said, number=2),
        lambda said: signed(said, algorithm="RS512"),
        lambda said: signed(said, kid=None),
        lambda said: signed(said, kid="unknown"),
        lambda said: signed(said, number=9, kid="personal"),
        lambda said: signed(said | {"iss": V2, "tid": PERSONAL}, number=9, kid="personal"),
        lambda said: signed(said, number=9, kid="sealing"),
        lambda said: signed(said)[:-8] + "AAAAAAAA",
        lambda said: signed(said).rpartition(".")[0] + ".",
        lambda said: signed(said).replace("Bearer", "Basic"),
    ],
    ids=[
        "none",
        "HS256",
        "key",
        "RS512",
        "no-kid",
        "kid",
        "personal",
        "personal-2",
        "sealing",
        "changed",
        "cut",
        "scheme",
    ],
)
async def test_a_token_that_the_tenant_has_not_signed_is_refused(
    forge: Callable[[dict[str, Any]], str], receiver: Receiver
) -> None:
    """By another key, by none, by the public one, or by one that Entra lists for others than this tenant."""
    assert (await receiver.take(sent(forge(claims())))).status_code == 401
    assert receiver.outbox.pending() == []


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer a.b.c",
        "Bearer eyJhbGciOiJSUzI1NiJ9",
        "Bearer " + "W1tb" * 3000 + ".e30.e30",
        "Bearer " + "x" * 20_000,
        "Bearer bnVsbA.e30.e30",
        "Bearer eyJhbGciOiJub25lIiwia2lkIjoia2lkLTEifQ.e30.",
        "Bearer eyJhbGciOlsiUlMyNTYiXSwia2lkIjp7fX0.e30.e30",
        "Basic " + "a" * 8,
        "Bearer \xe9\xff.\xe9.\xe9",
    ],
    ids=lambda text: text[:30].encode("ascii", "replace").decode(),
)
async def test_garbage_instead_of_a_token_is_refused_and_entra_is_not_asked(
    authorization: str, receiver: Receiver, entra: FakeEntra
) -> None:
    """Nobody can make the receiver fail, or call Entra, by sending nonsense."""
    answer = await receiver.client.post(
        "/hooks/eventgrid", content=b"[]", headers=[(b"Authorization", authorization.encode("latin-1"))]
    )

    assert answer.status_code == 401
    assert entra.asked == []


@pytest.mark.parametrize(
    ("authorization", "query", "status"),
    [
        ("", "", 401),
        ("", f"?secret={FORGED}", 401),
        ("", f"?secret={SECRET}", 202),
        ("Bearer a.b.c", f"?secret={SECRET}", 202),
        ("good", f"?secret={FORGED}", 202),
    ],
)
async def test_either_way_opens_the_hook(authorization: str, query: str, status: int, receiver: Receiver) -> None:
    """So that a subscription can be changed from one to the other without a gap."""
    whole = sent(signed(claims()) if authorization == "good" else authorization, query)

    assert (await receiver.take(whole)).status_code == status


async def test_a_secret_is_enough_while_entra_is_away(receiver: Receiver, entra: FakeEntra) -> None:
    """Entra is not even asked."""
    entra.answer = httpx.ConnectError("away")

    assert (await receiver.take(sent(signed(claims()), f"?secret={SECRET}"))).status_code == 202
    assert entra.asked == []


async def test_both_handshakes_go_through_the_same_door(receiver: Receiver) -> None:
    """Event Grid's own and the one of CloudEvents."""
    good, bad = signed(claims()), signed(claims(appid=ELSEWHERE))
    validated = [await receiver.take(sent(one, name="eventgrid-validation")) for one in (good, bad)]
    asked = [
        await receiver.client.options("/hooks/eventgrid", headers=ASKING | {"Authorization": one})
        for one in (good, bad)
    ]

    assert [answer.status_code for answer in (*validated, *asked)] == [200, 401, 200, 401]
    assert "validationResponse" in validated[0].json()
    assert asked[0].headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("away"),
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://elsewhere.example/keys"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"keys": []}),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"keys": [{"kty": "oct", "kid": "kid-1", "k": "c2VjcmV0"}]}),
    ],
    ids=["network", "500", "redirect", "html", "empty", "shape", "kind"],
)
async def test_without_the_keys_event_grid_is_asked_to_come_again(
    trouble: httpx.Response | Exception, receiver: Receiver, entra: FakeEntra
) -> None:
    """Never a 401, for which it drops what it sends; handshakes too."""
    entra.answer = trouble
    answers = [
        await receiver.take(sent(signed(claims()))),
        await receiver.client.options("/hooks/eventgrid", headers=ASKING | {"Authorization": signed(claims())}),
    ]

    assert [(one.status_code, one.headers["Retry-After"]) for one in answers] == [(503, "30")] * 2
    assert answers[0].json() == {"detail": "the keys of Microsoft Entra cannot be had now; send it again"}
    assert [str(request.url) for request in entra.asked] == [KEYS]


async def test_when_entra_is_back_the_hook_opens(tokens: EntraTokens, entra: FakeEntra, clock: Seconds) -> None:
    """Ten seconds later it is asked again; until then nobody can make the receiver ask."""
    entra.answer = httpx.ConnectError("away")
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await opened(tokens, signed(claims()))
    assert len(entra.asked) == 1

    entra.answer = None
    clock.now += 10
    assert await opened(tokens, signed(claims()))


async def test_a_slow_entra_holds_nobody_up(entra: FakeEntra, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests wait a moment, together for one answer; when it comes later, it counts for the next one."""
    monkeypatch.setattr(signing_keys, "PATIENCE_SECONDS", 0)
    gate = asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        await gate.wait()
        return await entra._take(request)

    tokens = EntraTokens(TENANT, [AUDIENCE], httpx.MockTransport(slowly))
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await opened(tokens, signed(claims()))
    gate.set()
    await asyncio.wait({tokens._keys._asking} - {None})

    assert tokens.admit(signed(claims()))
    assert len(entra.asked) == 1


async def test_many_deliveries_at_once_ask_once(tokens: EntraTokens, entra: FakeEntra) -> None:
    """A hundred blobs of an upload are one question."""
    assert all(await asyncio.gather(*(opened(tokens, signed(claims())) for _ in range(20))))
    assert len(entra.asked) == 1


async def test_a_key_that_is_unknown_is_looked_for_once_a_minute(
    tokens: EntraTokens, entra: FakeEntra, clock: Seconds
) -> None:
    """However many of them somebody invents."""
    assert await opened(tokens, signed(claims()))
    clock.now += MINUTE - 1
    assert not await opened(tokens, signed(claims(), kid="invented"))
    assert len(entra.asked) == 1

    clock.now += 1
    for number in range(5):
        assert not await opened(tokens, signed(claims(), kid=f"invented-{number}"))
    assert len(entra.asked) == 2


async def test_a_new_key_of_the_tenant_is_found(tokens: EntraTokens, entra: FakeEntra, clock: Seconds) -> None:
    """Entra changes its keys now and then; the old one is good for as long as it is listed."""
    assert await opened(tokens, signed(claims()))
    clock.now += MINUTE
    entra.keys = {"kid-1": 1, "kid-2": 2}
    assert await opened(tokens, signed(claims(), number=2, kid="kid-2"))
    assert await opened(tokens, signed(claims()))

    clock.now += MINUTE
    entra.keys = {"kid-2": 2}
    assert not await opened(tokens, signed(claims(), kid="kid-3"))
    assert not await opened(tokens, signed(claims()))


async def test_a_new_key_that_cannot_be_fetched_is_our_trouble(
    tokens: EntraTokens, entra: FakeEntra, clock: Seconds
) -> None:
    """And nothing that is known is forgotten."""
    assert await opened(tokens, signed(claims()))
    clock.now += MINUTE
    entra.answer = httpx.Response(500)
    with pytest.raises(KeysUnavailable):
        await opened(tokens, signed(claims(), number=2, kid="kid-2"))

    assert await opened(tokens, signed(claims()))


async def test_a_key_that_was_withdrawn_is_good_for_an_hour_and_one_delivery(
    tokens: EntraTokens, entra: FakeEntra, clock: Seconds
) -> None:
    """The list is fetched anew beside the delivery that finds it old."""
    assert await opened(tokens, signed(claims()))
    entra.keys = {"kid-2": 2}
    clock.now += HOUR
    assert await opened(tokens, signed(claims()))
    await asyncio.wait({tokens._keys._asking} - {None})

    assert not await opened(tokens, signed(claims()))
    assert len(entra.asked) == 2


async def test_a_list_of_yesterday_is_not_trusted(tokens: EntraTokens, entra: FakeEntra, clock: Seconds) -> None:
    """Who can keep us from Entra cannot keep a withdrawn key alive; with Entra there, nobody notices."""
    assert await opened(tokens, signed(claims()))
    clock.now += DAY
    entra.answer = httpx.ConnectError("away")
    with pytest.raises(KeysUnavailable):
        await opened(tokens, signed(claims()))

    entra.answer = None
    clock.now += MINUTE
    assert await opened(tokens, signed(claims()))


async def test_the_keys_are_there_before_the_first_delivery(tmp_path: Path, entra: FakeEntra) -> None:
    """They are asked for at the start, which does not wait for them."""
    settings = ReceiverSettings(data=tmp_path, eventgrid_tenant=TENANT, eventgrid_audience=AUDIENCE)
    came = asyncio.Event()

    async def take(request: httpx.Request) -> httpx.Response:
        came.set()
        return await entra._take(request)

    with closing(Outbox(tmp_path / "outbox.sqlite3")) as outbox:
        app = create_app(settings, outbox, entra=httpx.MockTransport(take))
        async with app.router.lifespan_context(app):
            await came.wait()

    assert len(entra.asked) == 1


async def test_the_receiver_stops_while_entra_does_not_answer(tmp_path: Path) -> None:
    """It waits for nobody."""
    begun, never = asyncio.Event(), asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        begun.set()
        await never.wait()
        return httpx.Response(200)

    settings = ReceiverSettings(data=tmp_path, eventgrid_tenant=TENANT, eventgrid_audience=AUDIENCE)
    with closing(Outbox(tmp_path / "outbox.sqlite3")) as outbox:
        app = create_app(settings, outbox, entra=httpx.MockTransport(hang))
        async with app.router.lifespan_context(app):
            await begun.wait()

    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_no_token_and_no_claim_is_shown(
    receiver: Receiver, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    """In no answer, log line or figure, whatever becomes of it."""
    entra.answer = httpx.Response(500)
    every = [signed(claims()), signed(claims(aud="api://private")), signed_with_public_key(claims()), "Bearer a.b.c"]
    with caplog.at_level("DEBUG"):
        answers = [await receiver.take(sent(every[0]))]
        answers += [await receiver.take(sent(one)) for one in every]
    shown = "".join(answer.text + str(answer.headers) for answer in answers) + caplog.text
    shown += (await receiver.client.get("/metrics")).text

    assert "the keys of Microsoft Entra cannot be had (HTTPStatusError)" in caplog.text
    for text in (
        "private",
        EVENT_GRID,
        "a-role-of-nobody-else",
        *(part for one in every for part in one[7:].split(".") if len(part) > 1),
    ):
        assert text not in shown


@pytest.mark.parametrize(
    ("said", "told"),
    [({"aud": "api://another"}, "InvalidAudienceError"), ({"appid": ELSEWHERE}, "made out to another application")],
)
async def test_the_log_tells_why_a_token_of_the_tenant_is_refused(
    said: dict[str, Any], told: str, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Who sets it up sees which setting is wrong."""
    with caplog.at_level("INFO"):
        await receiver.take(sent(signed(claims(**said))))

    assert f"a token is refused ({told}" in caplog.text


async def test_the_body_of_a_refused_token_is_not_read(receiver: Receiver) -> None:
    """It is refused by its header."""
    read = []

    async def pieces() -> AsyncIterator[bytes]:
        read.append(1)
        yield b" "

    headers = {"Authorization": signed(claims(aud="api://another"))}
    answer = await receiver.client.post("/hooks/eventgrid", content=pieces(), headers=headers)

    assert (answer.status_code, read) == (401, [])


@pytest.mark.parametrize(
    ("tenant", "audience", "told"),
    [
        ("contoso.onmicrosoft.com", AUDIENCE, r"^SPEECHOPS_EVENTGRID_TENANT: it is no id of a tenant; `az account"),
        ("common", AUDIENCE, "^SPEECHOPS_EVENTGRID_TENANT: it is no id"),
        (TENANT, " , ", "^SPEECHOPS_EVENTGRID_TENANT and SPEECHOPS_EVENTGRID_AUDIENCE: set both, or neither.$"),
        ("", AUDIENCE, "set both, or neither"),
    ],
)
def test_half_a_setting_is_a_mistake(tenant: str, audience: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found at the start, not by the first delivery."""
    monkeypatch.setenv("SPEECHOPS_EVENTGRID_TENANT", tenant)
    monkeypatch.setenv("SPEECHOPS_EVENTGRID_AUDIENCE", audience)

    with pytest.raises(Mistake, match=told):
        ReceiverSettings.read()


async def test_tenant_and_audiences_are_read_as_people_write_them(
    monkeypatch: pytest.MonkeyPatch, entra: FakeEntra
) -> None:
    """Id and URI of the application side by side, because the version of its tokens decides which one they name."""
    monkeypatch.setenv("SPEECHOPS_EVENTGRID_TENANT", f" {TENANT.upper()} ")
    monkeypatch.setenv("SPEECHOPS_EVENTGRID_AUDIENCE", f"{AUDIENCE}, {ELSEWHERE}")
    settings = ReceiverSettings.read()
    tokens = EntraTokens(settings.eventgrid_tenant, settings.eventgrid_audience, entra.transport)

    assert [await opened(tokens, signed(claims(aud=one))) for one in (AUDIENCE, ELSEWHERE, PERSONAL)] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("secrets", "told"),
    [
        ("", "open to Microsoft Entra tokens\n"),
        (SECRET, "open, or Microsoft Entra tokens\n"),
        (f"{SECRET},{FORGED}", "open, 2 secrets, or Microsoft Entra tokens\n"),
    ],
)
def test_the_start_says_that_tokens_open_the_hook(secrets: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And does not warn that every hook is closed."""
    settings = ReceiverSettings(eventgrid_tenant=TENANT, eventgrid_audience=AUDIENCE, eventgrid_secret=secrets)
    with serving._listening("127.0.0.1", 0) as listener:
        serving._greet(settings, listener)
    shown = capsys.readouterr()

    assert f"/hooks/eventgrid     {told}" in shown.out
    assert "/hooks/github        closed; set SPEECHOPS_GITHUB_SECRET to open it\n" in shown.out
    assert "every hook is closed" not in shown.err
