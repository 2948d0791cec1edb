"""A pull request's data, checked as flows check them before anything is uploaded; nothing leaves this machine."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from prefect import task

from domain.leakage import LeakReport
from domain.mistakes import Mistake
from domain.problems import MOST_PROBLEMS, Problem, collected_in
from domain.pull_report import TrackReport
from tasks.code_hosts import PullRequest
from tasks.data_source import DataSource
from tasks.leaks import leaks_in_folder
from tasks.packing import pack_testing, pack_training
from tasks.pull_data import Difference, load_git
from tasks.retrying import REMOTE
from tasks.snapshots import read_track

MOST_TRACKS = 50
"""Of one pull request. What is more is refused: anybody can make folders."""


@task(
    name="check-data", description="Every row of every changed track, and leaks between training and testing.", **REMOTE
)
async def check_tracks(source: str, pull: PullRequest, difference: Difference) -> tuple[TrackReport, ...]:
    """Check the tracks that differ, at the pull request's commit."""
    place = (await load_git(source)).source(source)
    checked = [await _check(place, pull, difference, track) for track in difference.tracks[:MOST_TRACKS]]
    return (*checked, *_left_over(difference.tracks[MOST_TRACKS:]))


def check_folder(data: Path, track: str) -> tuple[tuple[Problem, ...], LeakReport | None, bool]:
    """Check one track in the folder of all tracks.

    Returns:
        Its problems, what testing and training data share when there are no problems, and whether leaks are refused.
    """
    problems: list[Problem] = []
    if (data / track).is_symlink():
        return (Problem(track, None, "it is a link", "Put the folder itself there."),), None, True
    try:
        folder, settings = read_track(data, track)
    except Mistake as mistake:
        return (Problem(f"{track}/track.toml", None, _without(data, str(mistake)), ""),), None, True
    testing = (folder / "testing").is_dir() or (folder / "testing.zip").is_file()
    training = (folder / "training").is_dir()
    with tempfile.TemporaryDirectory(prefix="speechops-") as scratch:
        if testing:
            with collected_in(problems):
                pack_testing(folder, Path(scratch, "testing"))
        if training:
            with collected_in(problems):
                pack_training(folder, Path(scratch, "training"), settings.locale)
    leaks = None
    if testing and training and not problems:
        with collected_in(problems):
            leaks = leaks_in_folder(folder, settings.locale)
    return tuple(problems[:MOST_PROBLEMS]), leaks, settings.gate.leaks == "block"


async def _check(place: DataSource, pull: PullRequest, difference: Difference, track: str) -> TrackReport:
    runs = tuple(run.flow.value for run in difference.plan.runs if run.track == track)
    try:
        async with place.opened(pull.head, track) as opened:
            problems, leaks, refused = await asyncio.to_thread(check_folder, opened.data, track)
    except Mistake as mistake:
        problems, leaks, refused = (Problem(track, None, str(mistake), ""),), None, True
    return TrackReport(track, difference.changes[track], runs, problems, leaks, leaks_block=refused)


def _left_over(tracks: Sequence[str]) -> list[TrackReport]:
    problem = Problem("all tracks", None, f"more than {MOST_TRACKS} tracks differ", "Divide the pull request.")
    return [TrackReport(f"{len(tracks)} more", problems=(problem,))] if tracks else []


def _without(data: Path, told: str) -> str:
    """A message without the folder of this machine."""
    return told.replace(f"{data}/", "")
