"""Keys and tokens go where they belong, and nowhere else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from speech_client import (
    BadInput,
    EntraCredential,
    File,
    Forbidden,
    KeyCredential,
    NewDataset,
    SignInFailed,
    TransientError,
    Unauthorized,
)


@dataclass
class Token:
    token: str
    expires_on: int


@dataclass
class FakeEntra:
    """Hands out the given tokens, the last one for ever; an error is raised."""

    tokens: list[Any]
    scopes: list[str] = field(default_factory=list)

    async def get_token(self, *scopes: str, **_: Any) -> Token:
        self.scopes.extend(scopes)
        token = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        if isinstance(token, Exception):
            raise token
        return token  # type: ignore[no-any-return]


@pytest.fixture
def entra(connect: Any, time: Any) -> Any:
    """Make clients that sign in with the given tokens."""

    def client(*tokens: Any) -> Any:
        fake = FakeEntra(list(tokens))
        return connect(credential=EntraCredential(fake, now=time.clock)), fake

    return client


async def test_a_token_is_asked_for_once_and_used(service: Any, entra: Any, build: Any) -> None:
    """For the scope of Azure AI services, as a bearer token, and without a key beside it."""
    service.says("GET", "datasets/d1", build.dataset())
    client, fake = entra(Token("t1", 10_000))
    async with client as speech:
        await speech.datasets.get("d1")
        await speech.datasets.get("d1")

    assert fake.scopes == ["https://cognitiveservices.azure.com/.default"]
    assert {request.headers["Authorization"] for request in service.requests} == {"Bearer t1"}
    assert "Ocp-Apim-Subscription-Key" not in service.requests[0].headers


async def test_a_token_is_replaced_before_it_ends(service: Any, entra: Any, build: Any, time: Any) -> None:
    """Five minutes early, so that it never ends on the way."""
    service.says("GET", "datasets/d1", build.dataset())
    client, _ = entra(Token("t1", 5000), Token("t2", 9000))
    async with client as speech:
        for now in (4600.0, 4701.0):
            time.now = now
            await speech.datasets.get("d1")
    assert [request.headers["Authorization"] for request in service.requests] == ["Bearer t1", "Bearer t2"]


async def test_a_refused_token_is_renewed_once(service: Any, entra: Any, build: Any) -> None:
    """A 401 has no effect, so even a create may go again with a fresh token."""
    service.says("POST", "datasets", 401, (201, build.dataset()))
    client, _ = entra(Token("t1", 10_000), Token("t2", 10_000))
    async with client as speech:
        await speech.datasets.create(NewDataset(display_name="n", locale="en-US", kind="Language"))
    assert [request.headers["Authorization"] for request in service.requests] == ["Bearer t1", "Bearer t2"]


async def test_requests_that_were_refused_together_share_the_new_token(entra: Any, connect: Any, build: Any) -> None:
    """The second one to renew gets the token that the first one got: it is new to the service all the same."""
    together = asyncio.Barrier(3)

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] == "Bearer t2":
            return httpx.Response(200, json=build.dataset())
        await together.wait()
        return httpx.Response(401)

    _, fake = entra(Token("t1", 10_000), Token("t2", 10_000))
    credential = EntraCredential(fake, now=lambda: 1000.0)
    async with connect(credential=credential, transport=httpx.MockTransport(answer)) as speech:
        found = await asyncio.gather(*(speech.datasets.get("d1") for _ in range(3)))
    assert [dataset.id for dataset in found] == ["d1"] * 3
    assert len(fake.scopes) == 2


@pytest.mark.parametrize("tokens", [[Token("t1", 10_000), Token("t2", 10_000)], [Token("t1", 10_000)]])
async def test_a_token_that_stays_refused_is_an_error(service: Any, entra: Any, tokens: list[Token]) -> None:
    """The remedy names what Entra ID needs: a custom domain and a role. The same token is not tried twice."""
    service.says("GET", "datasets/d1", 401)
    client, _ = entra(*tokens)
    async with client as speech:
        with pytest.raises(Unauthorized, match=r"custom domain.*Speech Contributor"):
            await speech.datasets.get("d1")
    assert len(service.requests) == len(tokens)


async def test_no_token_means_sign_in_failed(entra: Any) -> None:
    """azure-identity's long explanation is cut to its first line."""
    client, _ = entra(ClientAuthenticationError("Please run 'az login'.\nMore\nlines"))
    async with client as speech:
        with pytest.raises(SignInFailed, match=r"Please run 'az login'\. Sign in again") as caught:
            await speech.datasets.get("d1")
    assert "lines" not in str(caught.value)


async def test_entra_out_of_reach_is_transient(service: Any, entra: Any, build: Any, time: Any) -> None:
    """Tried again like any other moment without network; nothing was sent, so nothing is ambiguous."""
    service.says("GET", "datasets/d1", build.dataset())
    client, _ = entra(ServiceRequestError("no route"), Token("t1", 10_000))
    async with client as speech:
        assert (await speech.datasets.get("d1")).id == "d1"
    client, _ = entra(ServiceRequestError("no route"))
    async with client as speech:
        with pytest.raises(TransientError, match="could not be asked") as caught:
            await speech.datasets.create(NewDataset(display_name="n", locale="en-US", kind="Language"))
    assert not caught.value.ambiguous


@pytest.mark.parametrize("key", ["", "  \n", "two words", "kéy", "a\nb", "a\x00b"])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    """Before it is sent, and without repeating it."""
    with pytest.raises(BadInput, match="key") as caught:
        KeyCredential(key)
    assert key.strip() == "" or key not in str(caught.value)


async def test_a_pasted_key_may_end_in_a_newline(service: Any, connect: Any, build: Any) -> None:
    """Files and terminals add one."""
    service.says("GET", "datasets/d1", build.dataset())
    async with connect(credential=KeyCredential("abc\n")) as speech:
        await speech.datasets.get("d1")
    assert service.requests[0].headers["Ocp-Apim-Subscription-Key"] == "abc"


@pytest.mark.parametrize("host", ["https://store.blob.core.windows.net", "https://westus.api.cognitive.microsoft.com"])
async def test_downloads_carry_no_key(service: Any, speech: Any, build: Any, host: str) -> None:
    """The signed address is enough; a storage account has no business with our key."""
    service.says("GET", f"{host}/f.json", lambda _: httpx.Response(200, content=b"data"))
    content = await speech.download(File.model_validate(build.file(f"{host}/f.json?sig=abc%2B")))

    [request] = service.requests
    assert content == b"data"
    assert request.url.query == b"sig=abc%2B"
    assert "Ocp-Apim-Subscription-Key" not in request.headers
    assert "api-version" not in str(request.url)


async def test_an_expired_content_address_says_what_to_do(service: Any, speech: Any, build: Any) -> None:
    """A storage account answers in XML, with its code in a header."""
    refusal = httpx.Response(403, content=b"<Error/>", headers={"x-ms-error-code": "AuthenticationFailed"})
    service.says("GET", "https://store.blob.core.windows.net/f.json", refusal)
    with pytest.raises(Forbidden, match=r"403 AuthenticationFailed.*list the files again") as caught:
        await speech.download(File.model_validate(build.file()))
    assert "canary" not in str(caught.value)


async def test_a_redirect_does_not_take_the_key_along(service: Any, speech: Any, build: Any) -> None:
    """Redirects are refused, not followed."""
    service.says("GET", "datasets/d1", httpx.Response(307, headers={"Location": "https://evil.example/"}))
    with pytest.raises(Exception, match="307"):
        await speech.datasets.get("d1")
    assert [request.url.host for request in service.requests] == ["westus.api.cognitive.microsoft.com"]
