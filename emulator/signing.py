"""Addresses of file contents that work without a key for a while, like Azure's shared access signatures."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DEFAULT_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and checks; the secret never leaves the data folder."""

    secret: bytes

    def query(self, file_id: str, now: datetime, lifetime: timedelta) -> dict[str, str]:
        """The parameters that open a file until then: start, expiry, permission, resource, signature."""
        expiry = f"{now + lifetime:%Y-%m-%dT%H:%M:%SZ}"
        return {
            "st": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "se": expiry,
            "sp": "r",
            "sr": "b",
            "sig": self._signature(file_id, expiry),
        }

    def opens(self, file_id: str, expiry: str, signature: str, now: datetime) -> bool:
        """Whether this signature opens the file now."""
        if not hmac.compare_digest(self._signature(file_id, expiry).encode(), signature.encode()):
            return False
        return now <= datetime.strptime(expiry, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)

    def _signature(self, file_id: str, expiry: str) -> str:
        return hmac.new(self.secret, f"{file_id}\n{expiry}".encode(), hashlib.sha256).hexdigest()
