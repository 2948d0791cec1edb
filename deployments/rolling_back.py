"""`speechops rollback` and `orphans`: take a model back, and what is on the Speech service that nobody needs."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console

from deployments.stores import DEFAULT_STORE, StoreOption

_HOSTING = 0.0538
"""US dollars an hour for a hosted custom model: Azure's list price as remembered, near "around $40/month" (speech-sdk#2194)."""

SpeechOption = Annotated[str, typer.Option(help="Name of the Speech Resource block.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("rollback")(_rollback)
    app.command("orphans")(_orphans)


def _rollback(
    track: Annotated[str, typer.Argument(help="The track whose live model is taken back.", show_default=False)],
    to: Annotated[
        str,
        typer.Option(
            help="Version, release number or model to go back to.  [default: the one before]", show_default=False
        ),
    ] = "",
    reason: Annotated[str, typer.Option(help="Why; the history keeps it.")] = "",
    by: Annotated[
        str, typer.Option(help="Who asks for it.  [default: who is logged in here]", show_default=False)
    ] = "",
    here: Annotated[bool, typer.Option("--here", help="Run it in this process: it needs no worker.")] = False,
    speech: SpeechOption = "speechops",
    store: Annotated[str, typer.Option(help="Name of the store's block.")] = "speechops",
) -> None:
    """Take the live model back: the one before it goes live again, on the same endpoint, at once.

    It waits for no training, asks for no approval and minds no release window. The model is verified on the endpoint; when
    that fails, what was live comes back. What was taken back does not go live again by itself; naming it with --to does that.
    Asking twice is one step back: one more has to be named with --to.

    It starts the deployment rollback/speechops on the Prefect server that PREFECT_API_URL or the profile names, and waits for
    its end. Exit code: 0 done, or it was live already; 1 not done: the message says what clients have now.
    """
    from deployments.undoing import roll_back, whoever

    wish = {"track": track, "to": to, "reason": reason, "by": by or whoever(), "speech": speech, "store": store}
    typer.echo(asyncio.run(roll_back(wish, Console(highlight=False, markup=False), here=here)))


def _orphans(
    delete: Annotated[bool, typer.Option("--delete", help="Delete what can be deleted safely.")] = False,
    hosting_price: Annotated[
        float, typer.Option(min=0, help="What an hour of hosting one endpoint costs; Azure's price list tells.")
    ] = _HOSTING,
    speech: SpeechOption = "speechops",
    store: StoreOption = DEFAULT_STORE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Show what speechops has left on the Speech service that no track of this store uses: why, how old, and what it costs.

    Tracks that have a run at work are left out. What belongs to a track that this store does not know is shown and never
    deleted, for another store may know it; neither is the live endpoint of a track without a release.
    """
    from deployments.orphan_table import show_orphans
    from deployments.orphaned import find_and_remove

    found = asyncio.run(find_and_remove(speech, store, hosting_price, delete=delete))
    if as_json:
        sys.stdout.buffer.write(found.model_dump_json(indent=2).encode() + b"\n")
    else:
        show_orphans(found, Console(highlight=False, markup=False))
