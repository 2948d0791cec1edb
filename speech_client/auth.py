"""Who we are: a key of the Speech resource, or an identity of Entra ID."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from azure.core.exceptions import AzureError, ClientAuthenticationError

from speech_client.errors import BadInput, SignInFailed, SpeechError, TransientError
from speech_client.redaction import HiddenItems, remember

SCOPE = "https://cognitiveservices.azure.com/.default"
REFRESH_BEFORE_EXPIRY = 300.0
"""Seconds; a token is replaced this long before it ends, so that it never ends on the way."""
JUST_RENEWED = 60.0
"""Seconds; who is refused that soon after another has got a new token was refused with the old one."""


class Credential(Protocol):
    """Signs requests to the Speech service."""

    remedy: str
    """What to check when the service does not accept it."""

    async def headers(self) -> Mapping[str, str]:
        """Return the headers that prove who we are."""
        ...

    async def renew(self) -> bool:
        """Try to get better headers after a 401; say whether there are any."""
        ...


class KeyCredential:
    """A key of the Speech resource, valid only in the resource's region."""

    remedy = "Check the key, and that it belongs to this resource and region (Azure portal: Keys and Endpoint)."

    def __init__(self, key: str) -> None:
        self._key = remember(key.strip())
        if not self._key:
            raise BadInput("The key of the Speech resource is empty. Copy one from the portal: Keys and Endpoint.")
        if not (self._key.isascii() and self._key.isprintable() and " " not in self._key):
            raise BadInput("The key of the Speech resource holds characters that no key has. Copy it again.")

    async def headers(self) -> Mapping[str, str]:
        """Return the subscription key header."""
        return HiddenItems({"Ocp-Apim-Subscription-Key": remember(self._key)})

    async def renew(self) -> bool:
        """A key does not change by itself."""
        return False

    def __repr__(self) -> str:
        return "KeyCredential(***)"


class AccessToken(Protocol):
    """What azure-identity hands out."""

    @property
    def token(self) -> str:
        """The bearer token."""
        ...

    @property
    def expires_on(self) -> int:
        """When it ends, in seconds since 1970."""
        ...


class TokenCredential(Protocol):
    """An asynchronous credential of azure-identity, such as ``azure.identity.aio.DefaultAzureCredential``."""

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """Return a token for `scopes`."""
        ...


class EntraCredential:
    """An identity of Entra ID; the resource needs a custom domain and the identity a Speech role.

    The token is kept until shortly before it ends, so that credentials without a cache of their own (the Azure
    CLI's starts a process each time) stay cheap. Closing `credential` is its owner's task.
    """

    remedy = (
        "Check that the endpoint is the resource's custom domain (https://<name>.cognitiveservices.azure.com) and that "
        "the identity has the role Cognitive Services Speech Contributor."
    )

    def __init__(
        self, credential: TokenCredential, *, scope: str = SCOPE, now: Callable[[], float] = time.time
    ) -> None:
        self._credential = credential
        self._scope = scope
        self._now = now
        self._token: AccessToken | None = None
        self._renewed = -JUST_RENEWED
        self._lock = asyncio.Lock()

    async def headers(self) -> Mapping[str, str]:
        """Return the bearer token, a new one when the old one is about to end."""
        async with self._lock:
            if self._token is None or self._token.expires_on - self._now() < REFRESH_BEFORE_EXPIRY:
                self._token = await self._new_token()
            return HiddenItems({"Authorization": f"Bearer {remember(self._token.token)}"})

    async def renew(self) -> bool:
        """Ask for another token, and say whether it differs from the refused one; requests at one time ask once."""
        async with self._lock:
            if self._now() - self._renewed < JUST_RENEWED:
                return True
            fresh = await self._new_token()
            differs = self._token is None or self._token.token != fresh.token
            if differs:
                self._token, self._renewed = fresh, self._now()
            return differs

    async def _new_token(self) -> AccessToken:
        try:
            return await self._credential.get_token(self._scope)
        except ClientAuthenticationError as error:
            failure: SpeechError = SignInFailed(
                f"Entra ID gave no token: {_first_line(error)} Sign in again, or correct the identity."
            )
        except AzureError as error:
            failure = TransientError(f"Entra ID could not be asked for a token: {error.message}")
        raise failure  # outside of the handler: azure-core's error holds the request, and with it what signed it

    def __repr__(self) -> str:
        return f"EntraCredential({type(self._credential).__name__})"


def _first_line(error: AzureError) -> str:
    return next(iter(error.message.splitlines()), "No reason was given.")
