"""A pull request's data, checked as flows check them before anything is uploaded; nothing leaves this machine.

The data are a stranger's. They are listed, fetched and read with the limits of the Git Data block; what reads them is another
process, which knows no secret and may use no more.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from prefect import task
from prefect.logging import get_run_logger
from pydantic import ValidationError

from domain.changes import shown
from domain.limits import LimitExceeded, Limits
from domain.mistakes import Mistake
from domain.problems import MOST_PROBLEMS, Problem
from domain.pull_report import TrackReport
from tasks.code_hosts import PullRequest
from tasks.confined import Done, exceeded, run
from tasks.folder_checks import Checked, Request
from tasks.git_source import CheckedOut
from tasks.pull_data import MOST_TRACKS, Difference, load_git
from tasks.retrying import REMOTE
from tasks.scratch import scratch_folder

ALL_TRACKS: Final = "all tracks"
"""In the place of a track, for what concerns none of them alone."""

_PROGRAM: Final = (sys.executable, "-P", "-m", "tasks.folder_checks")
_ROOT: Final = Path(__file__).parents[1]


@task(
    name="check-data", description="Every row of every changed track, and leaks between training and testing.", **REMOTE
)
async def check_tracks(source: str, pull: PullRequest, difference: Difference) -> tuple[TrackReport, ...]:
    """Check the tracks that differ, at the pull request's commit. What needs more than its limits is not judged."""
    block = await load_git(source)
    place, limits = block.source(source).limited(block.limits), block.limits
    tracks = difference.tracks[:MOST_TRACKS]
    if not difference.folders:
        return ()
    until = time.monotonic() + limits.seconds
    try:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(limits.seconds):
                there = await stack.enter_async_context(place.opened_for_check(pull.head, difference.folders))
            left = replace(limits, seconds=max(1.0, until - time.monotonic()))
            found = {one.track: one for one in await _check_all(there, tracks, left)}
    except TimeoutError:
        found = _all_alike(tracks, not_judged=f"the check did not end within {limits.seconds:.0f} s")
    except LimitExceeded as limit:
        found = _all_alike(tracks, not_judged=str(limit))
    except Mistake as mistake:
        whole = tracks or (ALL_TRACKS,)
        found = {track: Checked(track=track, problems=(Problem(track, None, str(mistake), ""),)) for track in whole}
    reports = [
        _report(found.get(track) or Checked(track=track, not_judged="its check did not begin"), difference)
        for track in tracks
    ]
    others = [_report(one, difference) for track, one in found.items() if track not in tracks]
    return (*reports, *others, *_left_over(difference.tracks[MOST_TRACKS:]))


async def check_apart(data: Path, tracks: Sequence[str], limits: Limits) -> list[Checked]:
    """Check tracks in a process with limits. It is asked for JSON, and may have been taken over by what it reads.

    Returns:
        What was found, in the order of the tracks; those that it did not get to are not judged.
    """
    request = Request(data=data, tracks=tuple(tracks), most_bytes=limits.disk).model_dump_json()
    with scratch_folder() as scratch:
        done = await run(_PROGRAM, _environment(scratch), f"{request}\n".encode(), limits.seconds, limits, hold=True)
    found = {one.track: one for one in _parsed(done.out)}
    if done.code == 0 and found.keys() == set(tracks):
        return [found[track] for track in tracks]
    reason = _why_it_ended(done)
    return [found.get(track) or Checked(track=track, not_judged=reason) for track in tracks]


async def _check_all(there: CheckedOut, tracks: Sequence[str], limits: Limits) -> list[Checked]:
    refused: dict[str, list[Problem]] = {}
    for problem in there.problems:
        refused.setdefault(problem.file.partition("/")[0], []).append(problem)
    sound = [track for track in tracks if track not in refused]
    told = [Checked(track=track, problems=tuple(problems[:MOST_PROBLEMS])) for track, problems in refused.items()]
    return [*told[:MOST_TRACKS], *(await check_apart(there.data, sound, limits) if sound else ())]


def _why_it_ended(done: Done) -> str:
    if limit := exceeded(done):
        return f"the check needs more than {limit}"
    lines = done.err[-2_000:].decode(errors="replace").splitlines()
    get_run_logger().error("The check of the data ended with code %s: %s", done.code, shown(lines[-1] if lines else ""))
    return "the check itself failed; the run's log says more"


def _parsed(out: bytes) -> Iterator[Checked]:
    for line in out.splitlines():
        try:
            yield Checked.model_validate_json(line)
        except ValidationError:
            return  # it was ended in the middle of a line


def _environment(scratch: Path) -> dict[str, str]:
    """No secrets; threads would need address space for each."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)]),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(scratch),
        "HOME": str(scratch),
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }


def _all_alike(tracks: Sequence[str], not_judged: str) -> dict[str, Checked]:
    return {track: Checked(track=track, not_judged=not_judged) for track in tracks or (ALL_TRACKS,)}


def _report(checked: Checked, difference: Difference) -> TrackReport:
    runs = tuple(run.flow.value for run in difference.plan.runs if run.track == checked.track)
    return TrackReport(
        checked.track,
        difference.changes.get(checked.track, ()),
        runs,
        checked.problems,
        checked.leaks,
        leaks_block=checked.leaks_block,
        not_judged=checked.not_judged,
    )


def _left_over(tracks: Sequence[str]) -> list[TrackReport]:
    problem = Problem(ALL_TRACKS, None, f"more than {MOST_TRACKS} tracks differ", "Divide the pull request.")
    return [TrackReport(f"{len(tracks)} more", problems=(problem,))] if tracks else []
