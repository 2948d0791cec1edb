"""Where a track's data lie: raw folders and ready zips, opened once, with one list of everything that is wrong."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from domain.mistakes import Mistake
from domain.problems import DataRejected, Problem
from domain.track import MOST_SETTINGS, TRACK_NAME, Track, parse_track
from tasks.acoustic import TRANSCRIPTS
from tasks.filesets import FileSet, folder_files, is_there, leads_out, zip_files


def read_track(data: Path, track: str) -> tuple[Path, Track]:
    """The folder and the settings of a track.

    Raises:
        Mistake: there is no such track, its settings are wrong, or it is a link.
    """
    file = data / track / "track.toml"
    if TRACK_NAME.fullmatch(track) and (data / track).is_symlink():
        raise Mistake(f"{data / track}: this is a link. Put the folder itself there, or name the folder that holds it.")
    if not TRACK_NAME.fullmatch(track) or not is_there(file, file.parent):
        known = ", ".join(sorted(path.parent.name for path in data.glob("*/track.toml"))) or "none"
        raise Mistake(
            f"there is no track '{track}' in {data}/ (known: {known}). Correct the name, or make the track with "
            f"`speechops init {track}`."
        )
    if leads_out(file, file.parent):
        raise Mistake(f"{file}: this is a link that leads out of the track's folder. Put the file itself there.")
    with file.open("rb") as settings:
        return file.parent, parse_track(track, settings.read(MOST_SETTINGS + 1), str(file))


class TrackFiles:
    """A track's folder while its data are checked. Places are relative to it, such as `training/audio`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.problems: list[Problem] = []
        self._folder = folder
        self._name = folder.resolve().name
        self._stack = stack
        self._folders: dict[str, FileSet] = {}

    def folder(self, place: str) -> FileSet:
        """The files directly in a folder; none when it does not exist."""
        if place not in self._folders:
            self._folders[place] = folder_files(self._folder / place, self.label(place), self._folder, self.problems)
        return self._folders[place]

    def recordings(self, raw: str, zips: Iterable[str]) -> list[FileSet]:
        """What holds recordings: the folder `raw`, and the zips (that may be opened) among the places `zips`."""
        folder = self.folder(raw)
        has_recordings = any(name == TRANSCRIPTS or name.lower().endswith(".wav") for name in folder.sizes)
        opened = (self._zip(place) for place in zips)
        return [*([folder] if has_recordings else []), *filter(None, opened)]

    def _zip(self, place: str) -> FileSet | None:
        return zip_files(self._folder / place, self.label(place), self._folder, self._stack, self.problems)

    def zips(self, place: str) -> list[str]:
        """The places of the zips directly in a folder, in the order of their names."""
        return [f"{place}/{name}" for name in sorted(self.folder(place).sizes) if name.lower().endswith(".zip")]

    def label(self, place: str) -> str:
        """What to call a place in problems."""
        return f"{self._name}/{place}"

    def reject(self, place: str, reason: str, remedy: str) -> None:
        """Note a problem of a place."""
        self.problems.append(Problem(self.label(place), None, reason, remedy))

    def raise_problems(self) -> None:
        """End the check.

        Raises:
            DataRejected: something is wrong.
        """
        if self.problems:
            raise DataRejected(self.problems)
