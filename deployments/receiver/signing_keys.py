"""The public keys by which a tenant of Microsoft Entra signs, fetched beside the requests that need them.

Source: Microsoft's "Signing key rollover in the Microsoft identity platform" (look again once a day, and when a key is
unknown) and "Access tokens in the Microsoft identity platform" (a key may be bound to an issuer).
"""

import asyncio
import logging
from collections.abc import Callable
from math import inf
from typing import Any

import httpx
import jwt

FRESH_SECONDS = 60
"""So long what is not in the list is nobody's key, and Entra is not asked again."""
RENEWED_SECONDS = 60 * 60
"""After that, the list is fetched anew while it is used."""
USABLE_SECONDS = 24 * 60 * 60
"""After that, it is used no more: a key may have been withdrawn."""
REST_SECONDS = 10
"""Between two attempts, when the first one failed."""
PATIENCE_SECONDS = 4.0
"""How long a request waits for the list; Event Grid waits for 30 seconds."""
_GIVE_UP_SECONDS = 15
_log = logging.getLogger(__name__)


class KeysUnavailable(Exception):
    """Whether a token is good cannot be said now, because the tenant's keys cannot be had."""


class SigningKeys:
    """The keys of one tenant, used from one event loop."""

    def __init__(
        self, tenant: str, issuer: str, transport: httpx.AsyncBaseTransport | None, clock: Callable[[], float]
    ) -> None:
        self._address = f"https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys"
        self._tenant, self._issuer = tenant, issuer
        self._transport, self._clock = transport, clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._asked = -inf
        self._asking: asyncio.Task[None] | None = None

    def find(self, name: str) -> jwt.PyJWK | None:
        """The key of that name; nothing when there is none.

        Raises:
            KeysUnavailable: it is not known, and the list is too old to tell.
        """
        age = self._age()
        if age < USABLE_SECONDS and name in self._keys:
            return self._keys[name]
        if age < FRESH_SECONDS:
            return None
        raise KeysUnavailable("the keys of Microsoft Entra cannot be had now; send it again")

    async def look_for(self, name: str) -> None:
        """Fetch the list if it has no such key or is old; waits only for what `find` could not tell."""
        age = self._age()
        if name in self._keys and age < USABLE_SECONDS:
            if age >= RENEWED_SECONDS:
                self.ask()
        elif age >= FRESH_SECONDS and (asking := self.ask()):
            await asyncio.wait([asking], timeout=PATIENCE_SECONDS)

    def ask(self) -> asyncio.Task[None] | None:
        """Fetch the list in a task of its own, one at a time; none when it was tried just now."""
        if self._asking and not self._asking.done():
            return self._asking
        if self._clock() - self._asked < REST_SECONDS:
            return None
        self._asked = self._clock()
        self._asking = asyncio.create_task(self._fetch())
        return self._asking

    async def close(self) -> None:
        """Stop fetching."""
        if self._asking and not self._asking.done():
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def _age(self) -> float:
        return self._clock() - self._fetched

    async def _fetch(self) -> None:
        """Whatever goes wrong, the list stays what it was."""
        try:
            async with asyncio.timeout(_GIVE_UP_SECONDS), await asyncio.to_thread(self._client) as client:
                answer = (await client.get(self._address)).raise_for_status()
                self._keys = self._usable(answer.json())
        except Exception as error:
            _log.warning("the keys of Microsoft Entra cannot be had (%s)", type(error).__name__)
        else:
            self._fetched = self._clock()

    def _client(self) -> httpx.AsyncClient:
        """Made in a thread: reading the certificates of all authorities takes 0.2 seconds, in which nobody is answered."""
        return httpx.AsyncClient(transport=self._transport, timeout=_GIVE_UP_SECONDS)

    def _usable(self, listed: Any) -> dict[str, jwt.PyJWK]:
        """Those that sign for our tenant. Entra lists keys of other issuers too, such as personal accounts."""
        ours = [key for key in listed["keys"] if self._is_ours(key)]
        return {key.key_id: key for key in jwt.PyJWKSet(ours).keys if key.key_id}

    def _is_ours(self, key: dict[str, str]) -> bool:
        """By Entra's own mark, in which a place is left for the tenant; a key without a mark is ours."""
        issuer: str = key.get("issuer", self._issuer).replace("{tenantid}", self._tenant)
        return issuer == self._issuer and key.get("kty") == "RSA" and key.get("use", "sig") == "sig"
