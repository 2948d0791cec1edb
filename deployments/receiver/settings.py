"""What the receiver is started with: from the environment, read once, never shown."""

import re
from pathlib import Path
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from deployments.receiver.deliveries import Source
from deployments.receiver.pull_requests import TRAIN_LABEL
from domain.mistakes import Mistake

_PREFIX = "SPEECHOPS_"
_SHORTEST = 12
_VARIABLES = {
    Source.GITHUB: "github_secret",
    Source.GITLAB: "gitlab_secret",
    Source.AZURE_DEVOPS: "azure_devops_password",
    Source.EVENT_GRID: "eventgrid_secret",
    Source.SPEECH: "speech_secret",
}

Secrets = Annotated[tuple[SecretStr, ...], NoDecode]
"""In the environment with commas or line ends between them, so that a new one can be added before the old one goes."""


class ReceiverSettings(BaseSettings):
    """Environment variables are named `SPEECHOPS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    data: Path = Path(".speechops/receiver")
    """Folder of the outbox."""
    outbox_url: SecretStr | None = None
    """Of a PostgreSQL database that is the outbox, instead of a file in the folder."""
    github_secret: Secrets = ()
    gitlab_secret: Secrets = ()
    azure_devops_password: Secrets = ()
    eventgrid_secret: Secrets = ()
    eventgrid_tenant: str = ""
    """Id of the tenant of Microsoft Entra whose tokens open Event Grid's hook; empty: only secrets do."""
    eventgrid_audience: Annotated[tuple[str, ...], NoDecode] = ()
    """Id or URI of the application that these tokens are made out for; several with commas."""
    speech_secret: Secrets = ()
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Names, besides its addresses and localhost, by which `/metrics` may be asked for; several with commas."""
    train_label: str = TRAIN_LABEL
    """The label of a pull request that asks for a temporary model."""

    @field_validator(*_VARIABLES.values(), mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        secrets = [secret for part in re.split(r"[,\r\n]", given) if (secret := part.strip())]
        if any(len(secret) < _SHORTEST for secret in secrets):
            raise ValueError(
                f"a secret has fewer than {_SHORTEST} characters; take a longer one, without commas: "
                "commas and line ends stand between several"
            )
        return tuple(map(SecretStr, secrets))

    @field_validator("eventgrid_tenant")
    @classmethod
    def _identify(cls, given: str) -> str:
        if not given.strip():
            return ""
        try:
            return str(UUID(given.strip()))
        except ValueError:
            raise ValueError("it is no id of a tenant; `az account show` calls it tenantId") from None

    @field_validator("eventgrid_audience", "allowed_hosts", mode="before")
    @classmethod
    def _list(cls, given: object) -> object:
        return tuple(filter(None, re.split(r"[,\s]+", given))) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _have_both(self) -> Self:
        if bool(self.eventgrid_tenant) != bool(self.eventgrid_audience):
            raise ValueError(f"{_PREFIX}EVENTGRID_TENANT and {_PREFIX}EVENTGRID_AUDIENCE: set both, or neither")
        return self

    @classmethod
    def read(cls, **given: Any) -> Self:
        """From the environment; what is given counts more.

        Raises:
            Mistake: a variable is wrong; the message names it and does not quote it.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            name = f"{_PREFIX}{str(wrong['loc'][0]).upper()}: " if wrong["loc"] else ""
            raise Mistake(f"{name}{wrong['msg'].removeprefix('Value error, ')}.") from None

    def takes_tokens(self, source: Source) -> bool:
        """Whether tokens of Microsoft Entra open a hook."""
        return source is Source.EVENT_GRID and bool(self.eventgrid_tenant)

    def opens(self, source: Source) -> bool:
        """Whether a hook can be opened at all."""
        return bool(self.secrets_of(source)) or self.takes_tokens(source)

    def secrets_of(self, source: Source) -> tuple[SecretStr, ...]:
        """The secrets of a hook; none: no secret opens it."""
        secrets: tuple[SecretStr, ...] = getattr(self, _VARIABLES[source])
        return secrets

    @staticmethod
    def variable_of(source: Source) -> str:
        """The environment variable of a hook's secrets."""
        return f"{_PREFIX}{_VARIABLES[source].upper()}"
