"""Proof that a sender knows a secret. Several are good at once, so that a new one can be rolled out without a gap.

Every comparison takes the same time whatever was sent, and every secret is tried whichever matches.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Sequence

from pydantic import SecretStr


class SharedSecrets:
    """The secrets of one hook. None at all lets nobody in."""

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        self._secrets = [secret.get_secret_value().encode() for secret in secrets]

    def __len__(self) -> int:
        return len(self._secrets)

    def texts(self) -> list[str]:
        """The secrets themselves, for a verification that is not ours."""
        return [secret.decode() for secret in self._secrets]

    def include(self, given: bytes) -> bool:
        """Whether one of them was given; hashes are compared, so that lengths do not show."""
        shown = hashlib.sha256(given).digest()
        return sum(hmac.compare_digest(hashlib.sha256(secret).digest(), shown) for secret in self._secrets) > 0

    def signing(self) -> Sequence[hmac.HMAC]:
        """HMAC-SHA256 under each of them, for a body that comes in pieces."""
        return [hmac.new(secret, digestmod="sha256") for secret in self._secrets]

    def signed(self, signatures: Sequence[str], given: str) -> bool:
        """Whether what was given is `sha256=` and one of these, which `signing` has made."""
        expected = [f"sha256={one}".encode() for one in signatures]
        return sum(hmac.compare_digest(one, given.encode()) for one in expected) > 0


def basic_password(authorization: str) -> bytes:
    """The password of an `Authorization: Basic …` header; empty when there is none.

    >>> basic_password("Basic dXNlcjpwYXNzOndvcmQ=")
    b'pass:word'
    """
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(credentials.strip().encode(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
