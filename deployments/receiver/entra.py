"""Tokens of Microsoft Entra that come with Event Grid's deliveries: of our tenant, for us, and given to Event Grid itself.

Source: Microsoft's "Deliver events to Microsoft Entra protected endpoints", "Access tokens in the Microsoft identity
platform" (whose keys and issuers to trust) and "Access token claims reference" (`aud`, `iss`, `appid`, `azp`). By default
any application of a tenant can get a token for any other, so it counts for whom a token was made out.
"""

import logging
from collections.abc import Callable, Sequence
from time import monotonic

import httpx
import jwt

from deployments.receiver.signing_keys import SigningKeys

EVENT_GRID = "4962773b-9cdb-44cf-a8bf-237846a00ab7"
"""The application id of Microsoft.EventGrid, the same in every tenant of Azure's public cloud."""
LEEWAY_SECONDS = 60
"""How far the clocks of Entra and of this machine may be apart."""
_ALGORITHM = "RS256"
_REQUIRED = ("aud", "exp", "iss", "nbf")
_CALLER = ("appid", "azp")
"""Who asked for the token: the first one in tokens of version 1.0, the second one in those of version 2.0."""
_MOST_CHARACTERS = 16 * 1024
_log = logging.getLogger(__name__)


class EntraTokens:
    """What a token must be to open the hook. Tokens and claims are neither logged nor quoted."""

    def __init__(
        self,
        tenant: str,
        audiences: Sequence[str],
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """
        Args:
            tenant: its id, in lower case.
            audiences: the application's id or URI, as tokens have it; one that fits is enough.
            transport: how Entra is reached; by default over the network.
            clock: seconds that only grow.
        """
        self._audiences = list(audiences)
        newer = f"https://login.microsoftonline.com/{tenant}/v2.0"
        self._issuers = [f"https://sts.windows.net/{tenant}/", newer]
        self._keys = SigningKeys(tenant, newer, transport, clock)

    def ask_ahead(self) -> None:
        """Ask Entra for the tenant's keys, without waiting for them, so that the first delivery need not either."""
        self._keys.ask()

    async def prepare(self, authorization: str) -> None:
        """Ask Entra for the key that the header's token names, if it is not known.

        Waits a few seconds at most, and never fails: `admit` tells what became of it.
        """
        if name := _key_name(_token(authorization)):
            await self._keys.look_for(name)

    def admit(self, authorization: str) -> bool:
        """Whether the header has a token that was made out to Event Grid, for us, and is good now.

        Raises:
            KeysUnavailable: that cannot be said now.
        """
        token = _token(authorization)
        name = _key_name(token)
        key = self._keys.find(name) if name else None
        return key is not None and self._speaks_for_event_grid(token, key)

    async def close(self) -> None:
        """Stop asking."""
        await self._keys.close()

    def _speaks_for_event_grid(self, token: str, key: jwt.PyJWK) -> bool:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._audiences,
                issuer=self._issuers,
                leeway=LEEWAY_SECONDS,
                options={"require": list(_REQUIRED)},
            )
        except jwt.PyJWTError as error:
            _log.info("a token is refused (%s)", type(error).__name__)
            return False
        callers = [claims[name] for name in _CALLER if name in claims]
        if callers and all(caller == EVENT_GRID for caller in callers):
            return True
        _log.info("a token is refused (made out to another application than Event Grid)")
        return False


def _token(authorization: str) -> str:
    """The token of an `Authorization: Bearer …` header; empty when there is none.

    >>> _token("bearer abc"), _token("Basic abc"), _token("Bearer " + "x" * 20_000)
    ('abc', '', '')
    """
    scheme, _, token = authorization.partition(" ")
    return token if scheme.lower() == "bearer" and len(token) <= _MOST_CHARACTERS else ""


def _key_name(token: str) -> str:
    """What the token's header, of which nothing is proven yet, calls its key; empty when it is no token that we take."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        return ""
    name = header.get("kid")
    return name if isinstance(name, str) and header.get("alg") == _ALGORITHM else ""
