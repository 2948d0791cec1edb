"""A git server, read only: what it is asked, with which credentials, for how long, and what its refusals mean.

Credentials and every setting go to git by its environment, so that neither a command line nor a file holds them (this needs
git 2.31). A token is bound to the server of the address: git, git-lfs and curl send it nowhere else, and redirects are not
followed. Of git's transports only the one of the address is allowed, so that no submodule and no redirect picks another.
"""

import base64
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from domain.changes import shown
from domain.limits import LimitExceeded, Limits
from domain.mistakes import Mistake
from tasks.confined import exceeded, run
from tasks.git_address import GitAddress

ASKING: Final = 120.0
"""Seconds for a question without data."""

LOADING: Final = 7200.0
"""Seconds for one command that loads data. One that stalls is given up after a minute."""

_KEPT: Final = re.compile(r"GIT_(SSL_\w+|PROXY_\w+|EXEC_PATH|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|CEILING_DIRECTORIES)")
_BATCH: Final = "-o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=20"
_SETTINGS: Final = {
    "advice.detachedHead": "false",
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.symlinks": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
}
_SMALL: Final = {
    "core.bigFileThreshold": "16m",
    "core.deltaBaseCacheLimit": "64m",
    "core.packedGitLimit": "256m",
    "core.packedGitWindowSize": "32m",
    "pack.threads": "1",
}
"""Settings with which git works in little memory; large files are streamed."""

_UNUSED: Final = 4_000_000_000
"""Bytes of address space that programs in Go, such as git-lfs, reserve and do not use."""

_LOCAL: Final = frozenset({"init", "config", "cat-file", "rev-parse", "update-index", "checkout"})
"""Commands that ask no server, unless files of Git LFS are checked out: what they refuse once they refuse for good."""

_MENDABLE: Final = {
    r"[Oo]bjects? (does|do) not exist|missing object|[Oo]bject not found|\[(404|410|422)\]": "it lacks a file of Git LFS. Push it with `git lfs push --all`",
    r"Authentication (failed|required)|could not read (Username|Password)|(Permission|Access) denied|error: 40[13]\b": "it "
    "does not let us in. Correct the token (it needs to read the repository) or, for ssh, the key of this machine",
    r"[Rr]epository .*not found|not appear to be a git repository|does not exist|not a git repository|error: (404|410)\b": "it has no "
    "such repository, or hides it from this token. Correct the address or the token",
    r"Host key verification failed": "this machine does not know its host key. Add it to known_hosts",
    r"redirect|error: 30\d\b": "it sends us to another address. Put that one into the block",
    r"transport '.*' not allowed|[Uu]nable to find remote helper": "git does not speak its protocol here. Correct the address",
    r"certificate": "its certificate is not trusted here. Add its authority to the machine's certificates",
    r"dubious ownership": "the folder belongs to another user. Add it to safe.directory of git's settings",
}
"""What git says of failures that another try does not mend. It tells them by words only."""


class GitRefused(Exception):
    """Git did not do it, and the reason is for the caller to judge: `said` is what it printed, without secrets."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True, slots=True)
class GitRemote:
    """A repository on a server, and how to sign in; secrets do not show in its repr."""

    address: GitAddress
    username: str = ""
    token: SecretStr | None = None
    settings: tuple[tuple[str, str], ...] = ()
    """Further settings of git."""
    limits: Limits | None = None
    """What git may use for a stranger's commits; our own data have no limits."""

    def with_settings(self, settings: Mapping[str, str]) -> "GitRemote":
        """The same, with further settings of git."""
        return replace(self, settings=tuple(settings.items()))

    async def ask(
        self, folder: Path, *words: str, patience: float = LOADING, stdin: bytes = b"", **settings: str
    ) -> str:
        """What a git command prints that is run in a folder.

        Args:
            folder: where.
            words: command, options, arguments; none of them secret.
            patience: seconds.
            stdin: what it reads.
            settings: further environment.

        Raises:
            Mistake: a person has to mend it: credentials, names.
            LimitExceeded: git needs more than it may use here.
            ConnectionError: another try may help.
            GitRefused: it failed in a way that has nothing to do with the network.
        """
        command = ["git", "-C", str(folder), *words]
        done = await run(command, self._environment() | settings, stdin, patience, self._limits())
        if self.limits and (limit := exceeded(done)) and done.code is not None:
            raise LimitExceeded(f"`git {words[0]}` needs more than {limit}")
        if done.code is None:
            raise ConnectionError(f"{self.address.url} did not finish `git {words[0]}` within {patience:.0f} s")
        if done.code:
            said = done.err.decode(errors="replace").replace(str(folder), "…")
            raise self._refusal(words[0], self._redacted(said))
        return os.fsdecode(done.out)

    def _limits(self) -> Limits | None:
        if self.limits and self.settings:  # git-lfs
            return replace(self.limits, memory=self.limits.memory + _UNUSED)
        return self.limits

    def _refusal(self, command: str, said: str) -> Exception:
        if "No space left on device" in said:
            return ConnectionError(f"`git {command}` failed: the disk of this machine is full")
        if re.search(r"not our ref|unadvertised object|couldn't find remote ref|no such remote ref", said):
            return GitRefused(said)
        for words, remedy in _MENDABLE.items():
            if re.search(words, said):
                return Mistake(f"the git server of {self.address.url} refuses `git {command}`: {remedy}.")
        if command in _LOCAL and not self.settings:
            return Mistake(f"`git {command}` fails for {self.address.url} ({_reason(said)}). Mend the repository.")
        return ConnectionError(f"`git {command}` failed for {self.address.url} ({_reason(said)})")

    def _redacted(self, said: str) -> str:
        for secret in (*self._secrets(), r"(?<=://)[^/\s]*@"):
            said = re.sub(secret, "…", said)
        return said

    def _secrets(self) -> Iterator[str]:
        if self.token and self.token.get_secret_value():
            yield from (re.escape(self.token.get_secret_value()), re.escape(self._basic()))

    def _basic(self) -> str:
        token = self.token.get_secret_value() if self.token else ""
        return base64.b64encode(f"{self.username}:{token}".encode()).decode()

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)
        }
        small = _SMALL.items() if self.limits else ()
        return {
            **kept,
            **_numbered([*_SETTINGS.items(), *small, ("lfs.url", self._lfs()), *self.settings, *self._credentials()]),
            "GIT_ALLOW_PROTOCOL": self.address.scheme,
            "GIT_ASKPASS": "",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_SSH_COMMAND": f"{os.environ.get('GIT_SSH_COMMAND', 'ssh')} {_BATCH}",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }

    def _lfs(self) -> str:
        """Git LFS's own default; set here, for a repository could name another server in `.lfsconfig`."""
        url = self.address.url.rstrip("/")
        return f"{url.removesuffix('.git')}.git/info/lfs" if self.address.scheme in ("http", "https") else url

    def _credentials(self) -> Iterator[tuple[str, str]]:
        if self.token and self.token.get_secret_value():
            header = f"http.{self.address.origin}.extraHeader"
            yield from (("credential.helper", ""), (header, ""), (header, f"Authorization: Basic {self._basic()}"))


def _numbered(settings: list[tuple[str, str]]) -> Mapping[str, str]:
    named = {f"GIT_CONFIG_KEY_{at}": name for at, (name, _) in enumerate(settings)}
    valued = {f"GIT_CONFIG_VALUE_{at}": value for at, (_, value) in enumerate(settings)}
    return {"GIT_CONFIG_COUNT": str(len(settings)), **named, **valued}


def _reason(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()] or ["no reason was given"]
    told = next((line for line in lines if re.match("fatal|error|Error|ssh", line)), lines[0])
    return shown(re.sub("^(fatal|error): ", "", told))[:200]
