"""One POST to a web hook's address, and when it is tried again.

The address is a caller's, so `fetching` decides what may be reached; redirects are not followed, cookies are not kept,
and of an answer no more is read than a validation token is long. Azure documents neither a time limit nor repetitions:
both are our guess.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential

from emulator.entities import WebHook
from emulator.errors import JobFailure
from emulator.fetching import open_client
from emulator.settings import Settings

log = logging.getLogger(__name__)

EVENT_HEADER = "X-MicrosoftSpeechServices-Event"
SIGNATURE_HEADER = "X-MicrosoftSpeechServices-Signature"
TOKEN_PARAMETER = "validationToken"  # noqa: S105  Azure's name

ATTEMPTS = 4
LONGEST_WAIT = 30.0
LONGEST_ANSWER = 4096
"""Bytes of an answer that are looked at."""

NOT_PUBLIC = (
    "its address is not public. Start the emulator with --allow-private-urls if you trust everybody who can reach it"
)
Sleep = Callable[[float], Awaitable[None]]


class Undelivered(Exception):
    """A notification that did not arrive; the message says why and quotes neither address nor secret."""

    def __init__(self, reason: str, *, may_pass: bool = False) -> None:
        super().__init__(reason)
        self.may_pass = may_pass


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent; repeated as it is."""

    kind: str
    """A name of `WebHookEvents`."""
    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)
    signed: bytes | None = None
    """What the signature covers when that is not the body."""

    def headers(self, secret: str) -> dict[str, str]:
        """Content type, kind of event, and the signature if there is a secret.

        The kind begins with a capital: Microsoft's sample receiver takes no other spelling.
        """
        headers = {"Content-Type": "application/json", EVENT_HEADER: self.kind[0].upper() + self.kind[1:]}
        if secret:
            headers[SIGNATURE_HEADER] = signature(secret, self.body if self.signed is None else self.signed)
        return headers


def signature(secret: str, payload: bytes) -> str:
    """Base64 of HMAC-SHA256, as `WebHooks_Create` and `WebHooks_Ping` describe it.

    >>> signature("secret", b"payload")
    'uC/LeRrOxXhZuYm0MKgmSIzi5Hn9+SMmvQoug3WkK6Q='
    """
    return base64.b64encode(hmac.new(secret.encode(), payload, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """The beginning of what the receiver answered."""

    status: int
    body: bytes


class Postman:
    """Carries messages; opens its client with the first one."""

    def __init__(self, settings: Settings, sleep: Sleep = asyncio.sleep) -> None:
        self._settings, self._sleep = settings, sleep
        self._client: httpx.AsyncClient | None = None

    async def deliver(self, message: Message, hook: Callable[[], WebHook]) -> Answer:
        """Post, and again after a failure that may pass; `hook` is asked before each attempt, for it may have changed.

        Raises:
            Undelivered: it did not arrive, and is given up.
        """
        retrying = AsyncRetrying(
            sleep=self._sleep,
            retry=retry_if_exception(lambda error: isinstance(error, Undelivered) and error.may_pass),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=self._settings.notification_retry_seconds, max=LONGEST_WAIT),
            before_sleep=_log_repetition,
            reraise=True,
        )
        return await retrying(self._attempt, message, hook)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _attempt(self, message: Message, hook: Callable[[], WebHook]) -> Answer:
        seconds = self._settings.notification_seconds
        try:
            async with asyncio.timeout(seconds), self._posted(message, hook()) as response:
                answer = Answer(response.status_code, await _beginning(response))
        except TimeoutError:
            raise Undelivered(f"it did not answer within {seconds:g} seconds", may_pass=True) from None
        except JobFailure:
            raise Undelivered(NOT_PUBLIC) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise Undelivered(f"it cannot be reached ({type(error).__name__})", may_pass=True) from None
        if not 200 <= answer.status < 300:
            may_pass = answer.status == 429 or answer.status >= 500
            raise Undelivered(f"it answers {answer.status}", may_pass=may_pass)
        return answer

    @asynccontextmanager
    async def _posted(self, message: Message, hook: WebHook) -> AsyncIterator[httpx.Response]:
        if self._client is None:
            no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
            self._client = open_client(self._settings, follow_redirects=False, cookies=no_cookies)
        address = httpx.URL(hook.web_url)
        if message.query:
            address = address.copy_merge_params(message.query)  # beside what the address has
        headers = {**message.headers(hook.secret), "Accept-Encoding": "identity"}
        async with self._client.stream("POST", address, content=message.body, headers=headers) as response:
            yield response


async def _beginning(response: httpx.Response) -> bytes:
    """Raw bytes: a packed answer is not unpacked, however small it came."""
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > LONGEST_ANSWER:
            break
    return body[:LONGEST_ANSWER]


def _log_repetition(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info("%s: %s; trying again in %g s", state.args[0].kind, error, state.upcoming_sleep)
