"""Small real git repositories."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

ZEROS = "0" * 40
SETTINGS = b'locale = "en-US"\n'
TRACK = {"track.toml": SETTINGS, "testing/a.wav": b"a", "training/plain_text.txt": b"text\n"}
_ENV = {
    "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


def git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    """Run git, whatever this machine's own settings are."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _ENV
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, input=stdin, env=env)
    return done.stdout.decode().strip()


def repository(folder: Path, *options: str) -> Path:
    """An empty repository."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main", *options)
    return folder


def write(folder: Path, files: Mapping[str, bytes | None]) -> None:
    """Write files on disk; None removes one."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def commit(folder: Path, files: Mapping[str, bytes | None]) -> str:
    """Change files and commit everything; the commit's id."""
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "m")
    return git(folder, "rev-parse", "HEAD")


def track(name: str, files: Mapping[str, bytes | None] = TRACK) -> dict[str, bytes | None]:
    """The files of a track, below data/."""
    return {f"data/{name}/{path}": content for path, content in files.items()}


def many_commits(folder: Path, paths: Iterable[str]) -> str:
    """One commit per path, made at once; the last commit's id."""
    stream = []
    for number, path in enumerate(paths):
        start = "from refs/heads/main^0\n" if number == 0 else ""
        stream.append(
            f"commit refs/heads/main\ncommitter t <t@t> {number} +0000\ndata 1\nm\n{start}M 644 inline {path}\ndata 1\nx\n"
        )
    git(folder, "fast-import", "--quiet", stdin="".join(stream).encode())
    return git(folder, "rev-parse", "main")
