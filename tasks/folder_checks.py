"""One track's data, checked as flows check them before anything is uploaded. Needs no Prefect.

`python -m tasks.folder_checks` is what a check of a stranger's data runs, with limits: it reads a request from its input,
and prints one line of JSON for each track.
"""

import errno
import os
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from domain.leakage import LeakReport
from domain.limits import LimitExceeded, Limits, check_bytes
from domain.mistakes import Mistake
from domain.problems import MOST_PROBLEMS, Problem, collected_in
from tasks.leaks import leaks_in_folder
from tasks.packing import pack_testing, pack_training
from tasks.scratch import scratch_folder
from tasks.track_files import read_track


class Checked(BaseModel):
    """What the check of one track found.

    Attributes:
        track: its name.
        problems: what is wrong with it.
        leaks: what testing and training data share; None when the data have problems or one of the two is not there.
        leaks_block: whether its policy refuses leaked data.
        not_judged: why nobody knows whether it is sound; empty when it was judged.
    """

    model_config = ConfigDict(frozen=True)

    track: str
    problems: tuple[Problem, ...] = ()
    leaks: LeakReport | None = None
    leaks_block: bool = True
    not_judged: str = ""


class Request(BaseModel):
    """What to check: tracks in the folder of all tracks, whose zips unpack to at most so many bytes together."""

    model_config = ConfigDict(frozen=True)

    data: Path
    tracks: tuple[str, ...]
    most_bytes: int


def check_folder(data: Path, track: str) -> Checked:
    """Check one track in the folder of all tracks."""
    problems: list[Problem] = []
    try:
        folder, settings = read_track(data, track)
    except Mistake as mistake:
        problem = Problem(f"{track}/track.toml", None, str(mistake).replace(f"{data}/", ""), "")
        return Checked(track=track, problems=(problem,))
    testing = (folder / "testing").is_dir() or (folder / "testing.zip").is_file()
    training = (folder / "training").is_dir()
    with scratch_folder() as scratch:
        if testing:
            with collected_in(problems):
                pack_testing(folder, scratch / "testing")
        if training:
            with collected_in(problems):
                pack_training(folder, scratch / "training", settings.locale)
    leaks = None
    if testing and training and not problems:
        with collected_in(problems):
            leaks = leaks_in_folder(folder, settings.locale)
    return Checked(
        track=track,
        problems=tuple(problems[:MOST_PROBLEMS]),
        leaks=leaks,
        leaks_block=settings.gate.leaks == "block",
    )


def check_zips(data: Path, track: str, most: int) -> None:
    """Refuse zips that unpack to more than a check may use; what cannot be opened is told by the check itself.

    Raises:
        LimitExceeded: they do.
    """
    zips = [path for path in (data / track).glob("**/*") if path.suffix.lower() == ".zip" and path.is_file()]
    check_bytes(sum(map(_unpacked, zips)), Limits(disk=most))


def _unpacked(path: Path) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return 0


def _checked(request: Request) -> Iterator[Checked]:
    for track in request.tracks:
        try:
            check_zips(request.data, track, request.most_bytes)
            yield check_folder(request.data, track)
        except LimitExceeded as exceeded:
            yield Checked(track=track, not_judged=str(exceeded))
        except MemoryError:
            yield Checked(track=track, not_judged="the check needs more than its memory")
        except OSError as error:
            if error.errno not in (errno.EFBIG, errno.ENOMEM):
                raise
            yield Checked(track=track, not_judged="the check needs more than its memory or its space on disk")


def main() -> None:
    """Check what the first line of the input asks for. Nobody is left to read the answer when the input ends: then stop."""
    request = Request.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_stop_with_input, daemon=True).start()
    for checked in _checked(request):
        sys.stdout.write(checked.model_dump_json() + "\n")
        sys.stdout.flush()


def _stop_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
