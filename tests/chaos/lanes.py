"""A lane of plans: a repository of its own, in which tracks learn one name after the other."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from pydantic import SecretStr

from deployments.post_receive import Teller
from deployments.receiver.deliveries import Push
from tests.emulator.fake_engine import wav

MOST_NAMES = 12
RECORDINGS = 8
_LETTERS = "abcdefghiklmnoprstuvwz"
_AUTHOR = {
    name: value
    for who in ("AUTHOR", "COMMITTER")
    for name, value in ((f"GIT_{who}_NAME", "chaos"), (f"GIT_{who}_EMAIL", "chaos@example.org"))
} | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
SETTINGS = 'locale = "en-US"\n[release]\ngolden_utterances = 1\n'
ASKS = f"{SETTINGS}[release.approval]\nrequired = true\n"


@dataclass
class Track:
    """One track, as its data are: the base model knows none of its names."""

    name: str
    names: list[str]
    settings: str = SETTINGS
    learnt: int = 0
    """How many of the names the training data have."""
    edition: int = 0
    """Of the testing data."""
    retired: bool = False
    """Whether no plan uses it any more; its files stay as they are."""
    lives: list[int] = field(default_factory=list)
    """How many names the releases know that a rollback can reach, the live one last."""

    @property
    def said(self) -> str:
        """What each recording says, but for its first words."""
        return " ".join(self.names)

    def heard(self, learnt: int) -> str:
        """What a model that was trained on so many names hears."""
        return " ".join(name if number < learnt else "uh" for number, name in enumerate(self.names))

    def write(self, folder: Path) -> None:
        """Its files, below the folder of all tracks."""
        own = folder / self.name
        for part in ("testing", *(["training"] if self.learnt else [])):
            (own / part).mkdir(parents=True, exist_ok=True)
        (own / "track.toml").write_text(self.settings)
        spoken = {
            f"{n}.wav": f"number {'i' * n} {'and so ' * self.edition}{self.said}" for n in range(1, RECORDINGS + 1)
        }
        for name, said in spoken.items():
            (own / "testing" / name).write_bytes(wav(said))
        (own / "testing" / "trans.txt").write_text("".join(f"{name}\t{said}\n" for name, said in spoken.items()))
        if self.learnt:
            lines = (f"we have been to {name}\n" for name in self.names[: self.learnt])
            (own / "training" / "plain_text.txt").write_text("".join(lines))


@dataclass
class Lane:
    """A repository with tracks, and its web hook."""

    name: str
    folder: Path
    receiver: str
    secret: str
    seed: int = 0
    tracks: list[Track] = field(default_factory=list)
    pushes: list[str] = field(default_factory=list)
    """Every commit that was pushed."""

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.folder / "origin.git"

    @property
    def work(self) -> Path:
        """The checkout."""
        return self.folder / "work"

    def make(self) -> None:
        """Make the repository, with a commit that holds no track."""
        self.work.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("init", "--quiet", "--initial-branch=main", "--bare", str(self.origin))
        (self.work / "README").write_text("Tracks.\n")
        self.commit()

    def new_track(self, settings: str = SETTINGS, names: list[str] | None = None) -> Track:
        """A track of its own names."""
        number = len(self.tracks)
        chance = Random(f"{self.name} {number} {self.seed}")
        own = names or [f"x{''.join(chance.choices(_LETTERS, k=6))}" for _ in range(MOST_NAMES)]
        track = Track(f"{self.name}-{number:03}", own, settings)
        self.tracks.append(track)
        return track

    def track_with(self, settings: str) -> Track | None:
        """The one that plans use at present."""
        return next((one for one in self.tracks if not one.retired and one.settings == settings), None)

    def commit(self) -> Push:
        """Commit every track as it is, and push; nobody is told yet."""
        for track in self.tracks:
            if not track.retired:
                track.write(self.work / "data")
        before = self.pushes[-1] if self.pushes else "0" * 40
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message", f"Push {len(self.pushes)}")
        self._git("push", "--quiet", str(self.origin), "main")
        self.pushes.append(self._git("rev-parse", "HEAD"))
        address = self.origin.as_uri()
        return Push(repository=self.name, address=address, ref="refs/heads/main", before=before, after=self.pushes[-1])

    def tell(self, push: Push) -> None:
        """The web hook, as `speechops post-receive` sends it: again, for as long as nobody answers."""
        Teller(self.receiver, SecretStr(self.secret), self.name, push.address).tell(push)

    def _git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.work), *words], check=True, capture_output=True, text=True, env=os.environ | _AUTHOR
        )
        return done.stdout.strip()
