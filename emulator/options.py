"""The options of the command, with their help and environment variables."""

import re
from pathlib import Path
from typing import Annotated

import typer

from emulator.settings import AZURE_RESOURCE_ID, RESOURCE_ID, EntraToken, QuotaMode, Speed, Tier


def _not_empty(key: str) -> str:
    if not key.strip():
        raise typer.BadParameter("a key has at least one character; leave --key out for the well-known one.")
    return key


def _tokens(given: list[str] | None) -> list[str] | None:
    try:
        list(map(EntraToken.parse, given or ()))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return given


def _resource_id(given: str) -> str:
    if not re.fullmatch(AZURE_RESOURCE_ID, given, re.IGNORECASE):
        raise typer.BadParameter(f"an Azure Resource ID looks like {RESOURCE_ID}")
    return given


Host = Annotated[str, typer.Option(help="Address to listen on.", envvar="SPEECH_EMULATOR_HOST")]
Port = Annotated[int, typer.Option(help="Port; 0 takes a free one.", envvar="SPEECH_EMULATOR_PORT")]
AllowedHosts = Annotated[
    list[str] | None,
    typer.Option(
        help="A further name by which callers may know it, such as that of its container. Its addresses and, with "
        "--host, its machine's name need not be given. May be repeated; * allows any.",
        envvar="SPEECH_EMULATOR_ALLOWED_HOSTS",
    ),
]
Data = Annotated[Path, typer.Option(help="Folder of all state; made when missing.", envvar="SPEECH_EMULATOR_DATA")]
Key = Annotated[
    str, typer.Option(help="The resource key that callers send.", envvar="SPEECH_EMULATOR_KEY", callback=_not_empty)
]
JobSpeed = Annotated[
    Speed,
    typer.Option(
        help="real: each state of a job can be seen; poll: each GET moves it on; instant: no waiting in between.",
        envvar="SPEECH_EMULATOR_SPEED",
    ),
]
Workers = Annotated[
    int,
    typer.Option(min=0, max=64, help="Processes that train and decode.", envvar="SPEECH_EMULATOR_WORKERS"),
]
RetryAfter = Annotated[
    int,
    typer.Option(
        min=0, max=3600, help="Seconds in Retry-After while a job runs.", envvar="SPEECH_EMULATOR_RETRY_AFTER"
    ),
]
AllowPrivateUrls = Annotated[
    bool,
    typer.Option(
        "--allow-private-urls",
        help="Reach a contentUrl or webUrl at private addresses although --host lets other machines call.",
        envvar="SPEECH_EMULATOR_ALLOW_PRIVATE_URLS",
    ),
]
PricingTier = Annotated[
    Tier, typer.Option(help="Pricing tier, whose limits hold: F0 or S0.", envvar="SPEECH_EMULATOR_TIER")
]
Quota = Annotated[
    QuotaMode,
    typer.Option(
        help="real: more than 100 requests in 10 seconds are refused, as on Azure; off: they are only counted.",
        envvar="SPEECH_EMULATOR_QUOTA",
    ),
]
EntraTokens = Annotated[
    list[str] | None,
    typer.Option(
        help="A Microsoft Entra token to accept, as <role>=<token>; the role is user (Speech User) or contributor "
        "(Speech Contributor). May be repeated. None: bearer tokens are refused.",
        envvar="SPEECH_EMULATOR_ENTRA_TOKENS",
        callback=_tokens,
    ),
]
ResourceId = Annotated[
    str,
    typer.Option(
        help="Azure Resource ID of the emulated resource: source and target of a model copy are named by theirs.",
        envvar="SPEECH_EMULATOR_RESOURCE_ID",
        callback=_resource_id,
    ),
]
Region = Annotated[str, typer.Option(help="Its region.", envvar="SPEECH_EMULATOR_REGION")]
Engine = Annotated[str, typer.Option(hidden=True)]
