"""`speechops speech-hook`: the Speech service is to tell the receiver of finished jobs, so that waits end at once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from deployments.deploy_command import server
from deployments.receiver.deliveries import Source
from deployments.receiver.settings import ReceiverSettings
from domain.mistakes import Mistake
from speech_client import (
    JobFailed,
    JobTimedOut,
    NewWebHook,
    SpeechClient,
    SpeechError,
    Status,
    WebHook,
    WebHookEvents,
    WebHookUpdate,
)
from tasks.blocks import load_speech

EVENTS: Final = WebHookEvents(
    dataset_completion=True, model_completion=True, evaluation_completion=True, endpoint_completion=True
)
"""What our flows wait for."""

_NAME: Final = "speechops"
_PATIENCE: Final = timedelta(minutes=2)
_NO_DATE: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Registered:
    """What came of it.

    Attributes:
        id: of the web hook.
        created: whether it was missing.
        confirmed: whether the address has answered the challenge; nothing is sent there before.
        others: ids of further web hooks with this very address, which send everything once more.
    """

    id: str
    created: bool
    confirmed: bool
    others: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The outcome for people."""
        lines = [f"Web hook {self.id} {'created' if self.created else 'was there, and is up to date'}."]
        if not self.confirmed:
            lines.append("The receiver has not answered its challenge yet: run this again to see whether it has.")
        if self.others:
            lines.append(f"The same address stands in {', '.join(self.others)} too: delete what you do not need.")
        return "\n".join(lines)


async def register_receiver(speech: str, url: str) -> Registered:
    """Register the receiver at the Speech service of a block, or bring what is registered up to date.

    Args:
        speech: name of the Speech Resource block.
        url: of the receiver's `/hooks/speech`, as the Speech service reaches it.

    Raises:
        Mistake: no secret, no such block, a wrong address, a service that refuses, or a receiver that does not answer.
    """
    secrets = ReceiverSettings.read().secrets_of(Source.SPEECH)
    if not secrets:
        raise Mistake(
            f"{ReceiverSettings.variable_of(Source.SPEECH)} is not set. Set it to the secret that the receiver has, "
            "so that it knows the Speech service by its signature."
        )
    if not _normal(url):
        raise Mistake("--url is no address. Give the receiver's, such as https://hooks.example.org/hooks/speech.")
    async with server():
        resource = await load_speech(speech)
    async with resource.client() as client:
        try:
            return await register(client, url, secrets[0].get_secret_value())
        except SpeechError as error:
            raise Mistake(f"the Speech service did not register the web hook: {error}") from None


async def register(client: SpeechClient, url: str, secret: str) -> Registered:
    """Find the web hook of this address and set its events and secret, or create it; then wait for the challenge.

    Raises:
        Mistake: the address did not answer the challenge.
        SpeechError: the service refused; doing it again is safe.
    """
    known = [hook async for hook in client.web_hooks.list() if _normal(hook.web_url) == _normal(url)]
    known.sort(key=lambda hook: (hook.created_date_time or _NO_DATE, hook.id))
    if known:
        hook = await client.web_hooks.update(known[0], _changes(known[0], secret))
    else:
        hook = await client.web_hooks.create(NewWebHook(display_name=_NAME, web_url=url, events=EVENTS, secret=secret))
    confirmed = await _is_confirmed(client, hook)
    return Registered(hook.id, not known, confirmed, tuple(other.id for other in known[1:]))


def _changes(hook: WebHook, secret: str) -> WebHookUpdate:
    """An address that has failed the challenge gets another one when it is named again."""
    if hook.status == Status.SUCCEEDED:
        return WebHookUpdate(secret=secret, events=EVENTS)
    return WebHookUpdate(secret=secret, events=EVENTS, web_url=hook.web_url)


async def _is_confirmed(client: SpeechClient, hook: WebHook) -> bool:
    try:
        await client.wait_until_final(hook, patience=_PATIENCE)
    except JobTimedOut:
        return False
    except JobFailed as error:
        raise Mistake(
            f"the web hook is registered, but the receiver did not answer its challenge: {error} Is it running, with the "
            "same secret, where the Speech service can reach it? Then run this again."
        ) from None
    return True


def _normal(address: str) -> httpx.URL | None:
    """The address as it compares: host in lower case, no port that goes without saying; None when it is none."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return None
    return url if url.scheme in ("http", "https") and url.host and not url.userinfo else None
