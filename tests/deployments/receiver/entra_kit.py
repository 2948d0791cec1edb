"""A tenant of Microsoft Entra that lists its keys and signs tokens as the real one does, within the process."""

import base64
import hmac
import json
from dataclasses import dataclass, field
from functools import cache
from time import time
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
ELSEWHERE = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
AUDIENCE = "api://speechops-hooks"
EVENT_GRID = "4962773b-9cdb-44cf-a8bf-237846a00ab7"
V1 = f"https://sts.windows.net/{TENANT}/"
V2 = f"https://login.microsoftonline.com/{TENANT}/v2.0"
KEYS = f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"


@cache
def key(number: int) -> RSAPrivateKey:
    """Always the same one, within a run."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def claims(**changes: Any) -> dict[str, Any]:
    """What Event Grid's token says (version 1.0); `None` leaves a claim out."""
    now = int(time())
    usual = {"aud": AUDIENCE, "iss": V1, "iat": now - 300, "nbf": now - 300, "exp": now + 3600, "appid": EVENT_GRID}
    others = {"oid": "8d2e", "sub": "8d2e", "tid": TENANT, "ver": "1.0", "roles": ["a-role-of-nobody-else"]}
    return {name: value for name, value in (usual | others | changes).items() if value is not None}


def signed(said: dict[str, Any], number: int = 1, kid: str | None = "kid-1", algorithm: str = "RS256") -> str:
    """The header `Authorization` with these claims."""
    return "Bearer " + jwt.encode(said, key(number), algorithm, headers={"kid": kid} if kid else None)


def unsigned(said: dict[str, Any]) -> str:
    """The same without a signature."""
    return "Bearer " + jwt.encode(said, None, "none", headers={"kid": "kid-1"})


def signed_with_public_key(said: dict[str, Any]) -> str:
    """By what everybody knows, as if it were a shared secret."""
    public = key(1).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    start = f"{_coded({'alg': 'HS256', 'kid': 'kid-1'})}.{_coded(said)}"
    return f"Bearer {start}.{_base64(hmac.digest(public, start.encode(), 'sha256'))}"


def _coded(value: Any) -> str:
    return _base64(json.dumps(value).encode())


def _base64(given: bytes) -> str:
    return base64.urlsafe_b64encode(given).rstrip(b"=").decode()


@dataclass
class FakeEntra:
    """Answers for the keys of the tenant; key 9 is one that it lists for other uses."""

    keys: dict[str, int] = field(default_factory=lambda: {"kid-1": 1})
    asked: list[httpx.Request] = field(default_factory=list)
    answer: httpx.Response | Exception | None = None
    """Instead of the keys."""

    @property
    def transport(self) -> httpx.MockTransport:
        """The way to it."""
        return httpx.MockTransport(self._take)

    async def _take(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or httpx.Response(200, json={"keys": self.listed()})

    def listed(self) -> list[dict[str, Any]]:
        """The keys as Entra lists them."""
        theirs = "https://login.microsoftonline.com/{tenantid}/v2.0"
        ours = [_listed(kid, number, theirs) for kid, number in self.keys.items()]
        personal = _listed("personal", 9, f"https://login.microsoftonline.com/{PERSONAL}/v2.0")
        return [*ours, personal, _listed("sealing", 9, theirs) | {"use": "enc"}]


def _listed(kid: str, number: int, issuer: str) -> dict[str, Any]:
    public = RSAAlgorithm.to_jwk(key(number).public_key(), as_dict=True)
    return {"kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "n": public["n"], "e": public["e"], "issuer": issuer}
