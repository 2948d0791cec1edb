"""Code hosts: one comment of ours, statuses in each host's words, and patience with hosts that are busy."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from domain.mistakes import Mistake
from speech_client import TransientError
from tasks.code_hosts import CodeHost, Status, code_host
from tests.tasks.code_host_kit import (
    BASE,
    HEAD,
    THEIRS,
    TOKEN,
    FakeAzureDevOps,
    FakeGitHub,
    FakeGitLab,
    FakeHost,
)

MARKER = "<!-- mark -->"
GITHUB = "https://github.com/acme/speech.git"
HOSTS = {
    GITHUB: FakeGitHub,
    "git@gitlab.example.org:acme/voice/speech.git": FakeGitLab,
    "https://acme@dev.azure.com/acme/Voice%20Models/_git/speech": FakeAzureDevOps,
}
WORDS = {FakeGitHub: "pending", FakeGitLab: "running", FakeAzureDevOps: "pending"}


async def at_once(_: float) -> None:
    """Wait for nothing."""


def client(address: str, fake: FakeHost, token: str = TOKEN) -> Any:
    """Our side of a host."""

    def answered(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        target = request.url.raw_path.decode()
        status, headers, content = fake.answer(request.method, target, body, request.headers.get("Authorization", ""))
        return httpx.Response(status, headers=headers, json=content)

    host: Any = code_host(address, token, transport=httpx.MockTransport(answered))
    return replace(host, calls=replace(host.calls, sleep=at_once))


@pytest.fixture(params=HOSTS)
def pair(request: pytest.FixtureRequest) -> tuple[CodeHost, FakeHost]:
    """Each host with our side of it."""
    fake = HOSTS[request.param]()
    return client(request.param, fake), fake


async def test_a_pull_request_is_read(pair: tuple[CodeHost, FakeHost]) -> None:
    """Its commits, its labels, and whether strangers wrote it."""
    host, fake = pair
    fake.labels = ["speechops: train"]

    ours = await host.pull_request(7)
    fake.fork = True
    theirs = await host.pull_request(7)

    assert (ours.head, ours.base, ours.labels) == (HEAD, BASE, {"speechops: train"})
    assert (ours.from_fork, theirs.from_fork) == (False, True)


async def test_the_comment_is_written_once_and_then_changed(pair: tuple[CodeHost, FakeHost]) -> None:
    """People see one comment, however often they push."""
    host, fake = pair
    fake.write("Looks good to me", THEIRS)

    await host.comment(7, MARKER, lambda _: f"{MARKER}\nfirst")
    await host.comment(7, MARKER, lambda _: f"{MARKER}\nsecond")

    assert [one["body"] for one in fake.comments] == ["Looks good to me", f"{MARKER}\nsecond"]


async def test_a_comment_of_somebody_else_is_never_ours(pair: tuple[CodeHost, FakeHost]) -> None:
    """Whoever copies our marker could otherwise change our report afterwards."""
    host, fake = pair
    fake.write(f"{MARKER}\nall is fine", THEIRS)

    await host.comment(7, MARKER, lambda _: f"{MARKER}\nours")

    assert [one["body"] for one in fake.comments] == [f"{MARKER}\nall is fine", f"{MARKER}\nours"]


async def test_a_comment_whose_answer_is_lost_is_not_written_twice(pair: tuple[CodeHost, FakeHost]) -> None:
    """The host wrote it and then broke down: we look before we write again."""
    host, fake = pair
    fake.lost = ["POST"]

    await host.comment(7, MARKER, lambda _: f"{MARKER}\nours")

    assert [one["body"] for one in fake.comments] == [f"{MARKER}\nours"]


async def test_a_status_is_set_in_the_words_of_the_host(pair: tuple[CodeHost, FakeHost]) -> None:
    """Setting it again changes nothing, and a long text is cut."""
    host, fake = pair

    for _ in range(2):
        await host.status(7, HEAD, "speechops/data", Status.PENDING, "x" * 500, "https://prefect.example.org/run")

    assert fake.statuses[0]["state"] == WORDS[type(fake)]
    assert len(fake.statuses[0]["description"]) <= 255
    assert "https://prefect.example.org/run" in fake.statuses[0].values()


async def test_an_azure_status_belongs_to_the_push_that_brought_the_commit() -> None:
    """The next push makes it void."""
    fake = FakeAzureDevOps()
    host = client("https://dev.azure.com/acme/Voice%20Models/_git/speech", fake)

    await host.status(7, HEAD, "speechops/data", Status.SUCCESS, "fine")

    assert fake.statuses == [
        {
            "state": "succeeded",
            "description": "fine",
            "context": {"genre": "speechops", "name": "data"},
            "iterationId": 2,
        }
    ]


async def test_our_comment_is_found_on_a_late_page() -> None:
    """In a long discussion, too."""
    fake = FakeGitHub()
    for number in range(250):
        fake.write(f"comment {number}", THEIRS)
    host = client(GITHUB, fake)

    await host.comment(7, MARKER, lambda _: f"{MARKER}\nfirst")
    await host.comment(7, MARKER, lambda _: f"{MARKER}\nsecond")

    assert [one["body"] for one in fake.comments[250:]] == [f"{MARKER}\nsecond"]


async def test_an_app_finds_its_own_comment_among_those_of_people() -> None:
    """The token of an app may not ask who it is; people cannot write as a bot."""
    fake = FakeGitHub()
    fake.me = (403, {}, {"message": "Resource not accessible by integration"})
    fake.write(f"{MARKER}\nfake", THEIRS)
    fake.write(f"{MARKER}\nold", {"login": "speechops[bot]", "type": "Bot"})

    await client(GITHUB, fake).comment(7, MARKER, lambda _: f"{MARKER}\nnew")

    assert [one["body"] for one in fake.comments] == [f"{MARKER}\nfake", f"{MARKER}\nnew"]


@pytest.mark.parametrize(
    "answer",
    [(503, {}, None), (429, {"Retry-After": "3"}, None), (403, {"x-ratelimit-remaining": "0"}, None)],
    ids=["down", "throttled", "limit used up"],
)
async def test_a_busy_host_is_asked_again(answer: Any) -> None:
    """GitHub tells of its limits with 403 as well as with 429."""
    fake = FakeGitHub()
    fake.broken = [("GET", answer)] * 3

    assert (await client(GITHUB, fake).pull_request(7)).head == HEAD


async def test_the_pause_is_the_one_that_the_host_names() -> None:
    """Whoever comes back sooner is locked out for longer."""
    fake, pauses = FakeGitHub(), list[float]()

    async def noted(seconds: float) -> None:
        pauses.append(seconds)

    fake.broken = [("GET", (429, {"Retry-After": "17"}, None))]
    host = client(GITHUB, fake)
    await replace(host, calls=replace(host.calls, sleep=noted)).pull_request(7)

    assert pauses == [17]


async def test_a_host_that_stays_busy_is_told() -> None:
    """As an error that may pass, so that the task is tried again later."""
    fake = FakeGitHub()
    fake.broken = [("GET", (503, {}, None))] * 50

    with pytest.raises(TransientError, match=r"api.github.com answers 503"):
        await client(GITHUB, fake).pull_request(7)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((401, {}, {"message": TOKEN}), "The token is wrong or over"),
        ((403, {}, None), "give it the right"),
        ((404, {}, None), "no such thing"),
        ((301, {"Location": "https://evil.example"}, None), "Look at the address"),
        ((203, {}, "<html>sign in"), "The token is wrong or over"),
    ],
)
async def test_a_refusal_says_what_to_mend_and_quotes_nothing(answer: Any, told: str) -> None:
    """Neither the token nor what the host said; and a redirect gets nobody our token."""
    fake = FakeGitHub()
    fake.broken = [("GET", answer)]

    with pytest.raises(Mistake, match=told) as caught:
        await client(GITHUB, fake).pull_request(7)

    assert TOKEN not in f"{caught.value!r}{client(GITHUB, fake)!r}"
    assert len(fake.seen) == 1


@pytest.mark.parametrize(
    ("address", "api", "expected"),
    [
        ("https://github.com/acme/speech", "", "https://api.github.com"),
        ("ssh://git@github.com/acme/speech.git", "", "https://api.github.com"),
        ("https://acme.ghe.com/acme/speech", "", "https://api.acme.ghe.com"),
        ("https://github.acme.org:8443/acme/speech", "", "https://github.acme.org:8443/api/v3"),
        ("https://gitlab.com/acme/voice/speech.git", "", "https://gitlab.com/api/v4"),
        ("https://git.acme.org/acme/speech.git", "https://git.acme.org/api/v4/", "https://git.acme.org/api/v4"),
        ("https://git.acme.org/acme/speech.git", "https://git.acme.org/api/v3", "https://git.acme.org/api/v3"),
        ("https://acme.visualstudio.com/Voice/_git/speech", "", "https://dev.azure.com/acme/Voice"),
        ("git@ssh.dev.azure.com:v3/acme/Voice/speech", "", "https://dev.azure.com/acme/Voice"),
        ("https://dev.azure.com/acme/_git/speech", "", "https://dev.azure.com/acme/speech"),
    ],
)
def test_the_api_follows_from_the_repositorys_address(address: str, api: str, expected: str) -> None:
    """Operators give one address."""
    host: Any = code_host(address, TOKEN, api)

    assert host.calls.api == expected


@pytest.mark.parametrize("address", ["/srv/git/speech", "file:///srv/git/speech", "https://git.acme.org/acme/speech"])
def test_a_repository_elsewhere_has_no_code_host(address: str) -> None:
    """Its reports are in the run's log and artifact."""
    assert code_host(address, "") is None


def test_a_token_never_travels_unencrypted() -> None:
    """Whoever listens could write to the repository."""
    with pytest.raises(Mistake, match="Use https"):
        code_host("https://git.acme.org/acme/speech", TOKEN, "http://git.acme.org/api/v3")


@pytest.mark.parametrize(
    "call", [lambda host: host.comment(7, MARKER, lambda _: MARKER), lambda host: host.pull_request(7)]
)
async def test_every_request_is_signed(
    call: Callable[[CodeHost], Awaitable[object]], pair: tuple[CodeHost, FakeHost]
) -> None:
    """And none without a token."""
    host, fake = pair
    await call(host)

    assert fake.authorization.startswith(("Bearer ", "Basic "))
