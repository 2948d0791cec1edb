"""What one emulator is started with: read once, at the edge, and never changed while it runs."""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

WELL_KNOWN_KEY = "c3BlZWNob3BzLWVtdWxhdG9yLWtleQ=="
"""The key when none is given. Public like Azurite's account key: it keeps nobody out, see `Settings.is_exposed`."""

API_VERSION = "2024-11-15"
AZURE_RESOURCE_ID = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.CognitiveServices/accounts/[^/]+"
RESOURCE_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/emulated"
    "/providers/Microsoft.CognitiveServices/accounts/speech-emulator"
)


class Speed(StrEnum):
    """How long a job lets each of its states be seen."""

    REAL = "real"
    POLL = "poll"
    INSTANT = "instant"


class Tier(StrEnum):
    """The pricing tier of the resource."""

    F0 = "F0"
    S0 = "S0"


class QuotaMode(StrEnum):
    """Whether the request quota is enforced; it is counted in any case."""

    REAL = "real"
    OFF = "off"


class Role(StrEnum):
    """What a Microsoft Entra token may do: Cognitive Services Speech User, or Speech Contributor."""

    USER = "user"
    CONTRIBUTOR = "contributor"


class EntraToken(BaseModel):
    """A token that callers may send instead of the key, and the role behind it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    token: SecretStr = Field(min_length=1)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `<role>=<token>`, as the command line has it.

        Raises:
            ValueError: it is none; the message does not quote it.
        """
        role, _, token = text.partition("=")
        if role not in list(Role) or not token:
            raise ValueError(f"a token is given as <role>=<token>, with the role {' or '.join(Role)}")
        return cls(role=Role(role), token=SecretStr(token))


class Settings(BaseSettings):
    """The emulator's configuration; environment variables are named `SPEECH_EMULATOR_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix="SPEECH_EMULATOR_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    data: Path = Path(".speechops/emulator")
    """Folder of the database, the audio, the files and the built models; one running emulator per folder."""
    key: SecretStr = Field(default=SecretStr(WELL_KNOWN_KEY), min_length=1)
    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=0, le=65535)
    """0 takes a free port."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Further names by which callers may know the service; `*` allows any. In the environment with spaces between them."""
    speed: Speed = Speed.REAL
    workers: int = Field(default=2, ge=0, le=64)
    """Processes that train and decode; 0 works in a thread of the server itself (for tests)."""
    retry_after: int = Field(default=1, ge=0, le=3600)
    """Seconds in `Retry-After` of every answer about an entity that is not final."""
    allow_private_urls: bool = False
    """Whether a contentUrl or webUrl may lead into private networks although others can reach the service; see `fetching`."""
    download_seconds: float = Field(default=600.0, gt=0)
    """How long the download of one contentUrl may take."""
    download_bytes: int = Field(default=2 * 1024**3, gt=0)
    """How large it may be."""
    notification_seconds: float = Field(default=5.0, gt=0)
    """How long a web hook's address may take to answer."""
    notification_retry_seconds: float = Field(default=1.0, ge=0)
    """How long to wait after the first failure; doubled after each further one."""
    resource_id: str = Field(default=RESOURCE_ID, pattern=f"(?i)^{AZURE_RESOURCE_ID}$")
    """The Azure Resource ID of the speech resource that this emulates; a model copy names source and target by theirs."""
    region: str = Field(default="emulated", min_length=1)
    """The resource's region."""
    tier: Tier = Tier.S0
    quota: QuotaMode = QuotaMode.OFF
    entra_tokens: Annotated[tuple[EntraToken, ...], NoDecode] = ()
    """In the environment `<role>=<token>`, with spaces between them. Any makes this a resource with a custom domain; without, bearer tokens are refused as on a regional host."""
    engine: str = "emulator.engine"
    """Module with `train(recipe, cache)` and `recogniser(recipe, cache)`; tests put a quick one here."""

    @field_validator("entra_tokens", mode="before")
    @classmethod
    def _read_tokens(cls, given: object) -> object:
        return tuple(map(EntraToken.parse, given.split())) if isinstance(given, str) else given

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _read_hosts(cls, given: object) -> object:
        return tuple(given.split()) if isinstance(given, str) else given

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
        """Whether a contentUrl or webUrl must lead to a public address."""
        return not self.is_on_loopback and not self.allow_private_urls

    @property
    def is_exposed(self) -> bool:
        """Whether others can reach the service with the key that everybody knows."""
        return not self.is_on_loopback and self.key.get_secret_value() == WELL_KNOWN_KEY
