"""`speechops approve` and `approvals`: what waits for a person, and the person's answer."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console

from deployments.stores import DEFAULT_STORE, StoreOption


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("approve")(_approve)
    app.command("approvals")(_approvals)


def _approve(
    which: Annotated[str, typer.Argument(metavar="TRACK|ID", help="The track, or the request's id.")],
    by: Annotated[str, typer.Option("--as", help="Your name or mail address; the history keeps it.")],
    reject: Annotated[bool, typer.Option("--reject", help="Do not let the model go live.")] = False,
    reason: Annotated[str, typer.Option(help="Why; the history keeps it.")] = "",
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Let the model that waits for an approval go live, or not; the run that asked goes on at once.

    One decision counts, whoever is first. Who you are is what you say: the history keeps it, nobody checks it.
    """
    from deployments.answering import approve
    from domain.approval import Answer

    typer.echo(asyncio.run(approve(which, Answer.of(not reject, by, reason), store)))


def _approvals(
    track: Annotated[str, typer.Argument(help="Only this track's.  [default: all]", show_default=False)] = "",
    every: Annotated[bool, typer.Option("--all", help="Also those that are answered, expired or overtaken.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list and nothing else.")] = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Show which models wait for an approval: what they are about, who may give it, and until when."""
    from deployments.answering import as_json_list, requests, show

    found = [one for one in asyncio.run(requests(track, store)) if every or not one.is_over]
    if as_json:
        sys.stdout.buffer.write(as_json_list(found))
    else:
        show(found, Console(highlight=False, markup=False))
