"""What one emulator is started with: read once, at the edge, and never changed while it runs."""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

WELL_KNOWN_KEY = "c3BlZWNob3BzLWVtdWxhdG9yLWtleQ=="
"""The key when none is given. Public like Azurite's account key: it keeps nobody out, see `Settings.is_exposed`."""

API_VERSION = "2024-11-15"


class Speed(StrEnum):
    """How long a job lets each of its states be seen."""

    REAL = "real"
    INSTANT = "instant"


class Settings(BaseSettings):
    """The emulator's configuration; environment variables are named `SPEECH_EMULATOR_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="SPEECH_EMULATOR_", frozen=True, extra="forbid")

    data: Path = Path(".speechops/emulator")
    """Folder of the database, the audio, the files and the built models; one running emulator per folder."""
    key: SecretStr = Field(default=SecretStr(WELL_KNOWN_KEY), min_length=1)
    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=0, le=65535)
    """0 takes a free port."""
    speed: Speed = Speed.REAL
    workers: int = Field(default=2, ge=0, le=64)
    """Processes that train and decode; 0 works in a thread of the server itself (for tests)."""
    retry_after: int = Field(default=1, ge=0, le=3600)
    """Seconds in `Retry-After` of every answer about an entity that is not final."""
    allow_private_urls: bool = False
    """Whether a contentUrl may lead into private networks although others can reach the service; see `fetching`."""
    download_seconds: float = Field(default=600.0, gt=0)
    """How long the download of one contentUrl may take."""
    download_bytes: int = Field(default=2 * 1024**3, gt=0)
    """How large it may be."""
    engine: str = "emulator.engine"
    """Module with `train(recipe, cache)` and `recogniser(recipe, cache)`; tests put a quick one here."""

    @property
    def dwell_seconds(self) -> float:
        """How long NotStarted, and Running, last at least."""
        return 0.2 if self.speed is Speed.REAL else 0.0

    @property
    def is_on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def fetches_public_only(self) -> bool:
        """Whether a contentUrl must lead to a public address."""
        return not self.is_on_loopback and not self.allow_private_urls

    @property
    def is_exposed(self) -> bool:
        """Whether others can reach the service with the key that everybody knows."""
        return not self.is_on_loopback and self.key.get_secret_value() == WELL_KNOWN_KEY
