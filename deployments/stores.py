"""Where a command finds a track's history: in a folder of this machine, or in the store that a Prefect block names."""

from pathlib import Path
from typing import Annotated

import typer

from domain.mistakes import Mistake
from tasks.store import LocalFolder, Store
from tasks.store_errors import told

StoreOption = Annotated[
    str, typer.Option("--store", help="Folder of the store or, on a Prefect server, the name of its block.")
]
DEFAULT_STORE = ".speechops/store"


async def opened_store(named: str) -> Store:
    """The store in a folder, or of a saved block.

    Raises:
        Mistake: there is neither.
    """
    folder = Path(named)
    with told(folder, "open", named):
        is_folder = folder.is_dir()
    if is_folder:
        return LocalFolder(folder)
    if "/" in named or named.startswith("."):
        raise Mistake(
            f"there is no store in {named}/. Name the folder with --store, or the store's block on the Prefect server."
        )
    from deployments.deploy_command import server  # imports Prefect, which a folder does not need
    from tasks.blocks import load_store

    async with server():
        return await load_store(named)
