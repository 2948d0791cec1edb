"""The command that starts the emulator."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import typer
import uvicorn
from pydantic import SecretStr

from emulator import options
from emulator.app import create_app
from emulator.settings import RESOURCE_ID, WELL_KNOWN_KEY, EntraToken, QuotaMode, Settings, Speed, Tier
from emulator.store import Store, StoreUnusable

SECONDS_TO_FINISH_ANSWERS = 2
SECONDS_TO_KEEP_IDLE_CONNECTIONS = 75  # a client that polls slowly must not meet a connection that is just closing
STOPPED_BY_SIGTERM = 0
PRIVATE = 0o077
"""What is kept holds what people said: nobody but its owner may read it."""
PROGRAM = "SPEECH_EMULATOR_PROGRAM"
"""Environment variable of programs that start this one on their user's behalf: what that user typed, for the help."""


def main() -> None:
    """Run the command."""
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(serve)
    app(prog_name=os.environ.get(PROGRAM, "python -m emulator"))


def serve(
    host: options.Host = "127.0.0.1",
    port: options.Port = 8765,
    allowed_host: options.AllowedHosts = None,
    data: options.Data = Path(".speechops/emulator"),
    key: options.Key = WELL_KNOWN_KEY,
    speed: options.JobSpeed = Speed.REAL,
    workers: options.Workers = 2,
    retry_after: options.RetryAfter = 1,
    allow_private_urls: options.AllowPrivateUrls = False,
    tier: options.PricingTier = Tier.S0,
    quota: options.Quota = QuotaMode.OFF,
    entra_token: options.EntraTokens = None,
    resource_id: options.ResourceId = RESOURCE_ID,
    region: options.Region = "emulated",
    engine: options.Engine = "emulator.engine",
) -> None:
    """Azure Custom Speech on this machine: the REST API of 2024-11-15 with a real recogniser behind it."""
    settings = Settings(
        host=host,
        port=port,
        allowed_hosts=tuple(allowed_host or ()),
        data=data,
        key=SecretStr(key),
        speed=speed,
        workers=workers,
        retry_after=retry_after,
        allow_private_urls=allow_private_urls,
        tier=tier,
        quota=quota,
        entra_tokens=tuple(map(EntraToken.parse, entra_token or ())),
        resource_id=resource_id,
        region=region,
        engine=engine,
    )
    _log_to_stderr()
    os.umask(PRIVATE)
    _check_data_folder(settings.data)
    listening = _listen(settings)
    _greet(settings, listening)
    signal.signal(signal.SIGTERM, _on_sigterm)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has stopped cleanly and passes the signal on
        asyncio.run(_serve(settings, listening))


async def _serve(settings: Settings, listening: socket.socket) -> None:
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,  # it would show the signatures of file addresses
        timeout_graceful_shutdown=SECONDS_TO_FINISH_ANSWERS,
        timeout_keep_alive=SECONDS_TO_KEEP_IDLE_CONNECTIONS,
    )
    server = uvicorn.Server(config)
    await server.serve(sockets=[listening])
    if not server.started:
        _refuse("the reason stands above.")


def _on_sigterm(*_: object) -> NoReturn:
    """Called after uvicorn has stopped: a stopped service is no failure."""
    sys.exit(STOPPED_BY_SIGTERM)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("emulator").setLevel(logging.INFO)


def _check_data_folder(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
        Store(data / "emulator.sqlite3").close()
    except StoreUnusable as error:
        if error.is_in_use:
            _refuse(f"another emulator uses the data folder {data}: stop it, or choose another folder with --data.")
        _refuse(f"the data folder {data} cannot be used ({error}): choose another one with --data.")
    except OSError as error:
        _refuse(f"the data folder {data} cannot be written ({error.strerror}): choose another one with --data.")


def _listen(settings: Settings) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        listening = socket.socket(family, kind, protocol)  # without it asyncio delays answers (no TCP_NODELAY)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        _refuse(f"cannot listen on {where} ({error.strerror}): choose another --port (0 takes a free one) or --host.")
    return listening


def _greet(settings: Settings, listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    typer.echo(f"Speech emulator on http://{address}:{port}, data in {settings.data}")
    if settings.key.get_secret_value() == WELL_KNOWN_KEY:
        typer.echo(f"Its key is the well-known {WELL_KNOWN_KEY}")
    if settings.is_exposed:
        typer.echo("Warning: other machines can reach it, and its key is the well-known one; set --key.", err=True)


def _refuse(reason: str) -> NoReturn:
    typer.echo(f"The emulator did not start: {reason}", err=True)
    sys.exit(1)
