"""What people see of a data update: what changed, why, and which runs that started."""

import re
from collections.abc import Iterator, Sequence
from typing import cast

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.states import Completed
from prefect.utilities.urls import url_for
from pydantic import BaseModel, ConfigDict

from tasks.orchestrator import displayed
from tasks.retrying import FRESH
from tasks.starting import Started, StartedRun

_DIGITS = 12


class DataUpdate(BaseModel):
    """What a data update did: mostly for one revision, for two when an earlier run was interrupted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    ref: str
    started: tuple[Started, ...]

    @property
    def runs(self) -> tuple[StartedRun, ...]:
        """All runs that were started, in their order."""
        return tuple(run for one in self.started for run in one.runs)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else people should know."""
        return tuple(dict.fromkeys(note for one in self.started for note in one.notes))


async def report_update(update: DataUpdate) -> DataUpdate:
    """Tell people what was started, and end the run in a state that says it: Started, or Nothing to do."""
    if update.runs or update.notes:
        await publish_update(update)
    told = ", ".join(f"{run.flow} {run.name}" for run in update.runs)
    name, message = ("Started", told) if told else ("Nothing to do", "; ".join(update.notes) or "no data have changed")
    return cast("DataUpdate", Completed(name=name, message=message, data=update))


@task(name="report-update", description="What changed, why, and which runs that started.", **FRESH)
async def publish_update(update: DataUpdate) -> None:
    """Publish a page with links to the runs."""
    key = re.sub(r"[^a-z0-9]+", "-", f"{update.source}-changes".lower()).strip("-")
    count = len(update.runs)
    title = f"{count} run{'' if count == 1 else 's'} started"
    await displayed(acreate_markdown_artifact, markdown="\n\n".join(_page(update)), key=key, description=title)


def _page(update: DataUpdate) -> Iterator[str]:
    from domain.report import escaped  # slow to import, and only needed here, when the runs have long been started

    for one in update.started:
        yield f"### {escaped(update.source)} {escaped(update.ref)} at {escaped(one.revision[:_DIGITS])}".rstrip()
        yield (
            "\n".join(
                f"- [{run.flow} {escaped(run.name)}]({url_for('flow-run', obj_id=run.id) or ''}): "
                + "; ".join(map(escaped, run.reasons))
                for run in one.runs
            )
            or "Nothing has to run."
        )
        yield _list([escaped(note) for note in one.notes])


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
