"""`speechops why`, `history`, `used-by`, `verify`, `forget` and `begin-anew`: questions to the ledger and the evidence."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console

from deployments.offline import AsJson
from deployments.stores import DEFAULT_STORE, StoreOption

_BROKEN = 1
Track = Annotated[str, typer.Argument(metavar="TRACK", help="Name of the track.", show_default=False)]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("why")(_why)
    app.command("history")(_history)
    app.command("used-by")(_used_by)
    app.command("verify")(_verify)
    app.command("forget")(_forget)
    app.command("begin-anew")(_begin_anew)


def _why(track: Track, store: StoreOption = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Why is this model live? Since when, learnt from what, tested on what, decided how, approved by whom."""
    from deployments.lineage_tables import show_why
    from deployments.stores import opened_store
    from domain.lineage.why import Why
    from tasks.lineage import read_why

    async def asked() -> Why:
        return await read_why(await opened_store(store), track)

    _show(asyncio.run(asked()), show_why, as_json)


def _history(
    track: Track,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest entries.")] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """What has happened to a track: every measurement, verdict, release, rollback, approval; the newest last."""
    from deployments.lineage_tables import show_history
    from deployments.stores import opened_store
    from domain.lineage.history import Lines
    from tasks.lineage import read_history

    async def asked() -> Lines:
        return await read_history(await opened_store(store), track, last)

    _show(asyncio.run(asked()), show_history, as_json)


def _used_by(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RECORDING|COMMIT|MODEL",
            help="A recording's file name, path or SHA-256; the first digits of a commit; a model's name, path or id; "
            "or the content hash of a dataset.",
            show_default=False,
        ),
    ],
    store: StoreOption = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Where has it gone, and where did it come from? Datasets, evaluations, verdicts, models and releases, of all tracks."""
    from deployments.lineage_tables import show_uses
    from deployments.stores import opened_store
    from domain.lineage.uses import Uses
    from tasks.uses import read_uses

    async def asked() -> Uses:
        return await read_uses(await opened_store(store), what)

    _show(asyncio.run(asked()), show_uses, as_json)


def _verify(
    track: Annotated[
        str, typer.Argument(metavar="[TRACK]", help="Only this track.  [default: all]", show_default=False)
    ] = "",
    store: StoreOption = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Has anybody changed the history, the evidence or the data? Checks every hash; exit code 1 when something is broken."""
    from deployments.lineage_tables import show_verified
    from deployments.stores import opened_store
    from domain.lineage.verified import Verified
    from tasks.verifying import verify_store

    async def asked() -> Verified:
        return await verify_store(await opened_store(store), track)

    result = asyncio.run(asked())
    _show(result, show_verified, as_json)
    raise typer.Exit(_BROKEN if result.is_broken else 0)


_Data = Annotated[Path, typer.Option(help="Folder that holds the tracks; nothing in it is changed.")]


def _forget(
    speaker: Annotated[
        str,
        typer.Argument(metavar="SPEAKER", help="As the labels in utterances.tsv call them.", show_default=False),
    ],
    track: Annotated[str, typer.Option(help="Only what belongs to this track.", show_default=False)] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this, only list it.")] = False,
    in_use: Annotated[
        bool, typer.Option("--in-use", help="Remove also what the live release and the one before it rest on.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who asks for it; kept in the history.", show_default=False)] = "",
    speech: Annotated[
        str, typer.Option(help="Name of the Speech Resource block; empty leaves the service alone.")
    ] = "speechops",
    data: _Data = Path("data"),
    store: StoreOption = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """A speaker wants their recordings removed: list what holds them, remove what can be removed, tell what cannot.

    The history notes that it was done, with counts and hashes, but neither the label nor what was said. What cannot be
    removed from here is told: git's history, backups, and models that have learnt from the recordings.
    """
    from deployments.forgetting import Wish, forget
    from deployments.lineage_tables import show_forgotten

    wish = Wish(speaker=speaker, track=track, remove=yes, in_use=in_use, by=by, speech=speech, data=data)
    result = asyncio.run(forget(store, wish))
    _show(result, show_forgotten, as_json)
    raise typer.Exit(0 if result.is_done else _BROKEN)


def _begin_anew(
    track: Track,
    reason: Annotated[str, typer.Option(help="Why the rest is not brought back; the history keeps it.")],
    by: Annotated[str, typer.Option(help="Who wants it.  [default: who is logged in]", show_default=False)] = "",
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Entries of a track's history are lost, and no backup has them: go on without them, on purpose.

    Without this, nothing of the track is tested, trained or released. The first new entry tells who wanted it, why, and how
    far the history had reached. What clients use stays as it is until the next release.
    """
    from deployments.stores import opened_store
    from deployments.undoing import whoever
    from domain.ledger import State
    from domain.track import check_name
    from tasks.lost_history import begin_anew

    async def begun() -> State:
        return await begin_anew(await opened_store(store), track, by or whoever(), reason)

    check_name(track)
    last = asyncio.run(begun()).last
    number = last.number if last else 0
    typer.echo(
        f"The history of '{track}' goes on with entry {number}." + (" The store had none." if number == 1 else "")
    )


_Answer = TypeVar("_Answer", bound=BaseModel)


def _show(result: _Answer, show: Callable[[_Answer, Console], None], as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(result.model_dump_json(indent=2).encode() + b"\n")
    else:
        show(result, Console(highlight=False, markup=False))
