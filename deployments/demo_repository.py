"""The demo's own git repository: the sample track, the commits that change it, and a bare repository to push them to."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from domain.mistakes import Mistake

TRACK, SECOND_TRACK = "sharjah", "sharjah-tours"
_SECOND_SETTINGS = """locale = "en-US"
description = "Tours of Sharjah: recorded in the street, and trained on what the other track has."

[gate] # 66 words are few: one word is 1.5 points
maximum_insertion_rise_points = 5
maximum_deletion_rise_points = 5
"""
_FEW = 8
"""The second track begins with every eighth sentence."""
_AUTHOR = {
    "GIT_AUTHOR_NAME": "speechops demo",
    "GIT_AUTHOR_EMAIL": "demo@speechops.invalid",
    "GIT_COMMITTER_NAME": "speechops demo",
    "GIT_COMMITTER_EMAIL": "demo@speechops.invalid",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


class DemoRepository:
    """A repository with `data/sharjah` in it, made afresh; the same steps always give the same commits.

    Args:
        folder: where it is made; what was there before is removed.
        samples: the project's `data` folder.

    Raises:
        Mistake: the sample track is not there, or git is not installed.
    """

    def __init__(self, folder: Path, samples: Path) -> None:
        self._sample = samples / TRACK
        if not (self._sample / "track.toml").is_file():
            raise Mistake(
                f"the demo needs the sample track {self._sample}/. Run it in the project's folder, or name that with --project."
            )
        self.folder = folder
        self.data = folder / "data"
        self.tours = folder / "tours"
        self.origin = folder.with_name(f"{folder.name}.git").resolve()
        self._commits = 0
        for old in (folder, self.origin):
            shutil.rmtree(old, ignore_errors=True)
        self.data.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("init", "--quiet", "--initial-branch=main", "--bare", str(self.origin))

    @property
    def head(self) -> str:
        """The full id of the last commit."""
        return self._git("rev-parse", "HEAD")

    def push(self, receiver: str, secret: Path) -> str:
        """Push to the bare repository, whose hook tells the receiver; what git and the hook said.

        Args:
            receiver: the receiver's address.
            secret: the file with the secret that the receiver knows as GitHub's.
        """
        hook = self.origin / "hooks" / "post-receive"
        hook.write_text(
            f"#!/bin/sh\nSPEECHOPS_GITHUB_SECRET=$(cat {shlex.quote(str(secret.resolve()))}) "
            f"exec {shlex.quote(sys.executable)} -m deployments.cli post-receive --receiver {receiver}\n"
        )
        hook.chmod(0o700)
        return self._git("push", str(self.origin), "main", errors=True)

    def start(self) -> str:
        """Commit the track with its testing data alone, as it is before anybody trains. Returns the commit."""
        for part in ("track.toml", "testing"):
            self._copy(self._sample / part, part)
        return self._commit("Recordings to test with")

    def train(self) -> str:
        """Commit the training data: sentences, pronunciations, and a few recordings."""
        self._copy(self._sample / "training", "training")
        return self._commit("Train on the names of places and services")

    def update(self, name: str, message: str) -> str:
        """Commit one of the prepared updates, which overlay the track's files."""
        for part in (self._sample / "updates" / name).iterdir():
            self._copy(part, part.name)
        return self._commit(message)

    def grow(self) -> str:
        """Commit a second track in a folder of its own: further recordings, and a few sentences to learn from."""
        track = self.tours / SECOND_TRACK
        for part in ("training", "testing"):
            (track / part).mkdir(parents=True)
        sentences = (self._sample / "training" / "plain_text.txt").read_text("utf-8").splitlines(keepends=True)
        (track / "training" / "plain_text.txt").write_text("".join(sentences[::_FEW]), "utf-8")
        (track / "track.toml").write_text(_SECOND_SETTINGS, "utf-8")
        recordings = sorted((self._sample / "updates" / "more-recordings" / "testing").glob("*.wav"))
        for recording in recordings:
            shutil.copy(recording, track / "testing")
        for table in ("trans.txt", "utterances.tsv"):
            rows = (recordings[0].parent / table).read_text("utf-8-sig").splitlines(keepends=True)
            kept = [row for row in rows if row.startswith(("file\t", *(path.name for path in recordings)))]
            (track / "testing" / table).write_text("".join(kept), "utf-8")
        return self._commit("A second track: recordings, and a few sentences")

    def grow_on(self) -> str:
        """Commit all sentences and names that the first track had at first, for the second one to learn from."""
        for name in ("plain_text.txt", "pronunciation.txt"):
            shutil.copy(self._sample / "training" / name, self.tours / SECOND_TRACK / "training")
        return self._commit("All sentences, and how the names are said")

    def leak(self) -> str:
        """Commit the mistake that everybody makes once: transcripts of the testing recordings as training text."""
        track = self.data / TRACK
        rows = (track / "testing" / "trans.txt").read_text("utf-8-sig").splitlines()
        with (track / "training" / "plain_text.txt").open("a", encoding="utf-8") as text:
            text.writelines(f"{row.partition(chr(9))[2]}\n" for row in rows[::4])
        return self._commit("More sentences, from the transcripts that we have")

    def _copy(self, source: Path, name: str) -> None:
        target = self.data / TRACK / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)

    def _commit(self, message: str) -> str:
        self._commits += 1
        when = f"2026-01-01T00:00:{self._commits:02}Z"
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
        return self._git("rev-parse", "--short=12", "HEAD")

    def _git(self, *words: str, errors: bool = False, **env: str) -> str:
        try:
            done = subprocess.run(
                ["git", "-C", str(self.folder), *words],
                check=True, capture_output=True, text=True, env=os.environ | _AUTHOR | env,
            )  # fmt: skip
        except FileNotFoundError:
            raise Mistake("the demo needs git. Install it and run again.") from None
        except subprocess.CalledProcessError as error:
            raise Mistake(f"git {words[0]} failed: {error.stderr.strip()}") from None
        return (done.stderr if errors else done.stdout).strip()
