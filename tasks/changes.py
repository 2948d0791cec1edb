"""What a git repository's changes start: between two commits, or on disk."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from domain.changes import SETTINGS, Change, Part, differences, parts_of_tracks
from domain.mistakes import Mistake
from domain.plan import Plan, make_plan
from domain.track import MOST_SETTINGS, Track, parse_track
from tasks.filesets import leads_out
from tasks.repository import Repository

_DIGITS = 12
"""Of a commit's id, as flows call a revision."""


def plan_range(
    repository: Repository, before: str, after: str, data: str = "data", *, occasion: str = "", digits: int = _DIGITS
) -> Plan:
    """What has to run for the data at `after` when everything is done for those at `before`.

    Args:
        repository: where both commits are.
        before: a commit; zeros for the state before the first file.
        after: a commit.
        data: the folder of all tracks, relative to the repository's top.
        occasion: makes other keys of the same runs.
        digits: of the commit's id, as the runs' revision.

    Raises:
        Mistake: there is no such commit, or a shallow clone ends before it.
    """
    old, new = repository.commit(before), repository.commit(after)
    changes = repository.changes(old, new, data)
    return make_plan(
        changes,
        parts_of_tracks(repository.files(new, data), data),
        revision=new[:digits],
        data=data,
        settings={
            track: (_settings_at(repository, old, data, track), _settings_at(repository, new, data, track))
            for track in with_new_settings(changes, data)
        },
        occasion=occasion,
    )


def plan_worktree(repository: Repository, before: str, data: str = "data") -> Plan:
    """What would have to run for the files on disk when everything is done for those at `before`.

    Raises:
        Mistake: see `plan_range`; or the repository is bare.
    """
    old, head = repository.commit(before), repository.commit("HEAD")
    changes = repository.worktree_changes(old, data)
    differs = bool(repository.worktree_changes(head, data))
    return make_plan(
        changes,
        parts_of_tracks(_after(repository.files(old, data), changes), data),
        revision=_revision(head) + ("+changes" if differs else ""),
        data=data,
        settings={
            track: (_settings_at(repository, old, data, track), _settings_on_disk(repository, data, track))
            for track in with_new_settings(changes, data)
        },
    )


def _revision(commit: str) -> str:
    return commit[:_DIGITS]


def with_new_settings(changes: Iterable[Change], data: str) -> list[str]:
    """The tracks whose settings differ."""
    return [track for track, found in differences(changes, data).items() if found.names(Part.SETTINGS)]


def _settings_at(repository: Repository, commit: str, data: str, track: str) -> Track | None:
    path = PurePosixPath(data, track, SETTINGS).as_posix()
    return known_settings(track, repository.content(commit, path, MOST_SETTINGS), path)


def _settings_on_disk(repository: Repository, data: str, track: str) -> Track | None:
    file = repository.folder / data / track / SETTINGS
    readable = not leads_out(file, file.parent) and file.is_file() and file.stat().st_size <= MOST_SETTINGS
    return known_settings(track, file.read_bytes() if readable else None, str(file))


def known_settings(track: str, content: bytes | None, file: str) -> Track | None:
    """A track's settings, or None: the flow that reads them says what is wrong with them."""
    try:
        return parse_track(track, content, file) if content is not None else None
    except Mistake:
        return None


def _after(paths: Iterable[str], changes: Iterable[Change]) -> Iterable[str]:
    """The paths that are left of the older state, and those that have come."""
    present: Mapping[str, bool] = dict.fromkeys(paths, True) | {change.path: bool(change.after) for change in changes}
    return (path for path, there in present.items() if there)
