"""What is said when an endpoint does not take a recording."""

import httpx
import pytest

from domain.mistakes import Mistake
from speech_client import KeyCredential, RequestRejected, SpeechClient
from tasks.entities import Remote
from tasks.listening import ask

ENDPOINT = Remote(path="endpoints/1", name="places-live")


def refusing(status: int) -> SpeechClient:
    """A client of a service that answers so."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json={"code": "InvalidRequest", "message": "no"}))
    return SpeechClient("https://westeurope.api.cognitive.microsoft.com", KeyCredential("k"), transport=transport)


@pytest.mark.parametrize("status", [400, 413, 415])
async def test_a_recording_that_an_endpoint_refuses_is_named(status: int) -> None:
    """Whoever reads the failed release knows which one to record again."""
    with pytest.raises(Mistake, match=rf"'places-live' refuses the testing recording '7\.wav': .*{status}.*Record"):
        async with refusing(status) as client:
            await ask(client, ENDPOINT, "7.wav", b"RIFF", "en-US")


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_no_recording_is_blamed_for_an_endpoint_that_is_gone_or_closed(status: int) -> None:
    """The error is the service's own."""
    with pytest.raises(RequestRejected):
        async with refusing(status) as client:
            await ask(client, ENDPOINT, "7.wav", b"RIFF", "en-US")
