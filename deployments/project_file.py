"""What matters to us in a prefect.yaml. Prefect reads it again by itself, and more strictly."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from deployments.processes import shown
from domain.mistakes import Mistake

BLOCKS: Final = ("speech", "store")
"""The parameters of our flows that name blocks."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project's folder and its prefect.yaml.

    Attributes:
        folder: where the flows are, absolute.
        content: all of the file.
        entrypoints: entrypoint and name of each deployment.
        pools: the work pools that its deployments need.
        blocks: parameter and name of each block that its deployments name.
        moved: whether `pools` is another one than the file names.
    """

    folder: Path
    content: Mapping[str, Any]
    entrypoints: frozenset[tuple[str, str]]
    pools: tuple[str, ...]
    blocks: tuple[tuple[str, str], ...]
    moved: bool = False

    @contextmanager
    def file(self) -> Iterator[Path]:
        """A prefect.yaml to deploy from: the project's own, or a copy that names the other work pool."""
        if not self.moved:
            yield self.folder / "prefect.yaml"
            return
        (pool,) = self.pools
        moved = [{**one, "work_pool": {**one["work_pool"], "name": pool}} for one in self.content["deployments"]]
        with TemporaryDirectory(prefix="speechops-deploy-") as folder:
            copy = Path(folder) / "prefect.yaml"
            copy.write_text(yaml.safe_dump({**self.content, "deployments": moved}, allow_unicode=True), "utf-8")
            yield copy


def read_project(folder: Path, pool: str = "") -> Project:
    """Read the prefect.yaml of a folder.

    Raises:
        Mistake: there is none, or it is not one.
    """
    path = folder.resolve() / "prefect.yaml"
    if not path.is_file():
        raise Mistake(
            f"there is no prefect.yaml in {shown(path.parent)}/. Start in the project's folder, or name it with --project."
        )
    try:
        project = _project(path.parent, yaml.safe_load(path.read_text("utf-8")), pool)
    except (yaml.YAMLError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from None
    if not project.entrypoints:
        raise _unreadable(path, "no deployments")
    return project


def _project(folder: Path, content: Mapping[str, Any], pool: str) -> Project:
    deployments = content["deployments"]
    named = [(one.get("parameters") or {}).items() for one in deployments]
    return Project(
        folder,
        content,
        entrypoints=frozenset((str(one["entrypoint"]), str(one["name"])) for one in deployments),
        pools=tuple(sorted({pool or str(one["work_pool"]["name"]) for one in deployments})),
        blocks=tuple(sorted({(key, str(name)) for items in named for key, name in items if key in BLOCKS})),
        moved=bool(pool),
    )


def _unreadable(path: Path, why: str) -> Mistake:
    return Mistake(
        f"{shown(path)} cannot be used ({why}). It needs a list `deployments`, each with `name`, `entrypoint` and "
        "`work_pool: {name: …}`."
    )
