"""The program behind `speechops receiver`."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn

import typer
import uvicorn
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL
from pydantic import SecretStr

from deployments.lost_runs import RunPatience
from deployments.proxies import loopback_without_proxy
from deployments.receiver.app import create_app
from deployments.receiver.connections import Connection
from deployments.receiver.deliveries import Source, without_credentials
from deployments.receiver.dispatcher import Dispatcher
from deployments.receiver.known_sources import LoadSources
from deployments.receiver.outbox import Outbox, OutboxUnavailable
from deployments.receiver.postgres_outbox import PostgresOutbox
from deployments.receiver.prefect_server import PrefectServer
from deployments.receiver.reconciling import Patience
from deployments.receiver.settings import ReceiverSettings
from deployments.run_keeper import RunKeeper
from domain.mistakes import Mistake

_SECONDS_TO_FINISH_ANSWERS = 5


def serve(
    settings: ReceiverSettings, host: str, port: int, load_sources: LoadSources, patience: Patience | None = None
) -> None:
    """Receive until the process is stopped, and start flows on the Prefect server of this process's settings.

    Raises:
        Mistake: the folder or the address cannot be used.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for ours in ("deployments.receiver", "deployments.run_keeper"):
        logging.getLogger(ours).setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # whoever sends nonsense must not fill the disk with lines
    outbox = opened_outbox(settings.data, settings.outbox_url)
    with contextlib.closing(outbox), _listening(host, port) as listener, loopback_without_proxy():
        _greet(settings, listener)
        signal.signal(signal.SIGTERM, _stop)
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn has stopped cleanly and passes the signal on
            asyncio.run(_serve(settings, outbox, listener, load_sources, patience))


async def _serve(
    settings: ReceiverSettings,
    outbox: Outbox,
    listener: socket.socket,
    load_sources: LoadSources,
    patience: Patience | None,
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        dispatcher = None
        if prefect_url():
            client = await stack.enter_async_context(get_client())
            await stack.enter_async_context(RunKeeper(client, RunPatience.read()).running())
            dispatcher = Dispatcher(outbox, PrefectServer(client), load_sources, patience)
        config = uvicorn.Config(
            create_app(settings, outbox, dispatcher),
            log_config=None,
            access_log=False,  # it would show Event Grid's secret, which stands in the address
            http=Connection,
            ws="none",
            timeout_graceful_shutdown=_SECONDS_TO_FINISH_ANSWERS,
            server_header=False,
        )
        await uvicorn.Server(config).serve(sockets=[listener])


def prefect_url() -> str:
    """Where Prefect's API is, by the settings of this process; empty when they do not tell."""
    return PREFECT_API_URL.value() or ""


def opened_outbox(data: Path, url: SecretStr | None = None) -> Outbox:
    """The outbox in a PostgreSQL database; without one, in a folder, which is made when missing.

    Raises:
        Mistake: the database or the folder cannot be used.
    """
    if url:
        return _opened_database(url)
    remedy = "Choose another folder with --data or SPEECHOPS_DATA, or correct its rights."
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        outbox = Outbox(data / "outbox.sqlite3")
        outbox.check()
    except OSError as error:
        raise Mistake(f"the folder {data} cannot be used ({error.strerror}). {remedy}") from None
    except OutboxUnavailable as error:
        raise Mistake(f"the outbox in {data} cannot be written ({error}). {remedy}") from None
    return outbox


def _opened_database(url: SecretStr) -> Outbox:
    remedy = "Correct SPEECHOPS_OUTBOX_URL (postgresql://user:password@host/database), or start the server."
    if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise Mistake(f"the outbox's address is none of PostgreSQL. {remedy}")
    try:
        outbox = PostgresOutbox(url.get_secret_value())
        outbox.check()
    except OutboxUnavailable as error:
        raise Mistake(f"the outbox cannot be used ({error}). {remedy}") from None
    return outbox


def _stop(*_: object) -> NoReturn:
    """Called after uvicorn has stopped: a stopped service is no failure."""
    sys.exit(0)


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(
            family, kind, protocol
        )  # without the protocol asyncio leaves Nagle on: 40 ms per answer
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()  # before anybody is told: who connects now is served as soon as all is ready
    except OSError as error:
        raise Mistake(
            f"cannot listen on {host}, port {port} ({error.strerror}). Choose another --port (0 takes a free one) or --host."
        ) from None
    return listener


def _greet(settings: ReceiverSettings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    place = "PostgreSQL" if settings.outbox_url else settings.data
    typer.echo(f"Receiver on http://{f'[{host}]' if ':' in host else host}:{port}, deliveries in {place}")
    for source in Source:
        typer.echo(f"  /hooks/{source:<12}  {_openness(settings, source)}")
    if url := prefect_url():
        typer.echo(f"Flows are started on the Prefect server at {without_credentials(url)}")
    else:
        typer.echo("Warning: no Prefect server; deliveries wait until PREFECT_API_URL names one.", err=True)
    if not any(map(settings.opens, Source)):
        typer.echo("Warning: every hook is closed, so every delivery will be refused.", err=True)
    if not ip_address(host).is_loopback:
        typer.echo("Warning: other machines can reach it without encryption; put a proxy with TLS before it.", err=True)


def _openness(settings: ReceiverSettings, source: Source) -> str:
    secrets = len(settings.secrets_of(source))
    if not settings.opens(source):
        return f"closed; set {settings.variable_of(source)} to open it"
    if not secrets:
        return "open to Microsoft Entra tokens"
    openness = "open" if secrets == 1 else f"open, {secrets} secrets"
    return f"{openness}, or Microsoft Entra tokens" if settings.takes_tokens(source) else openness
