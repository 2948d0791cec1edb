"""Addresses of git repositories: which ones are taken, and which two mean the same repository."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from domain.mistakes import Mistake

_PLAIN: Final = re.compile(r"[^\s\x00-\x1f\x7f-]\S*")
_HOST: Final = re.compile(r"[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+\]")
_USER: Final = re.compile(r"[A-Za-z0-9_][\w.+-]*")
_SCP: Final = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>[^@/:]+):(?P<path>(?!:)[^:].*)")
_PORTS: Final = {"https": 443, "http": 80, "ssh": 22}
_LOCAL: Final = {"localhost", "127.0.0.1", "[::1]"}
_REMEDY: Final = "Give it as https://host/path, ssh://user@host/path, user@host:path, or as the full path of a folder of this machine."


@dataclass(frozen=True, slots=True)
class GitAddress:
    """Where a repository is. `url` is what git is given; it never holds a password.

    >>> parse_address("https://acme@dev.azure.com/acme/maps/_git/speech").url
    'https://dev.azure.com/acme/maps/_git/speech'
    """

    url: str
    scheme: str
    host: str = ""
    path: str = ""
    user: str = ""
    """The user that stood in an https address."""

    @property
    def origin(self) -> str:
        """Scheme, host and port with a slash, of an http address: where a token may be sent."""
        return f"{self.scheme}://{self.host}/"

    @property
    def keeps_secrets(self) -> bool:
        """Whether a token may travel there: encrypted, or not leaving this machine."""
        return self.scheme == "https" or (self.scheme == "http" and re.sub(r":\d+$", "", self.host) in _LOCAL)

    @property
    def repository(self) -> tuple[str, str]:
        """Host and path in one spelling: of any way to reach the repository, without user and `.git`."""
        host, path = self.host.casefold(), unquote(self.path).strip("/").removesuffix(".git").rstrip("/")
        for scheme, port in _PORTS.items():
            host = host.removesuffix(f":{port}") if scheme == self.scheme else host
        return _of_azure_devops(host, path.casefold()) if host else ("", path)


def parse_address(text: str) -> GitAddress:
    """Read an address; nothing that git would take for an option or another program gets through.

    Raises:
        Mistake: it is none that is taken, or it holds a password.
    """
    if not _PLAIN.fullmatch(text):
        raise Mistake(
            f"an address of a git repository is a word without spaces and without a hyphen in front. {_REMEDY}"
        )
    if text.startswith("/"):
        return GitAddress(Path(text).as_uri(), "file", path=str(Path(text).resolve()))
    if "://" in text:
        return _parsed_url(text)
    if (found := _SCP.fullmatch(text)) and _HOST.fullmatch(found["host"]) and _USER.fullmatch(found["user"] or "git"):
        return GitAddress(text, "ssh", found["host"], found["path"])
    raise Mistake(f"this is not an address of a git repository. {_REMEDY}")


def same_repository(one: GitAddress, other: str) -> bool:
    """Whether an address that somebody sent means this repository; what is no address does not.

    >>> same_repository(parse_address("git@github.com:acme/speech.git"), "https://me@GitHub.com/acme/speech")
    True
    """
    try:
        return parse_address(other).repository == one.repository
    except Mistake:
        return False


def _parsed_url(text: str) -> GitAddress:
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise Mistake(f"this is not an address of a git repository. {_REMEDY}") from None
    if parts.password is not None:
        raise Mistake("the address holds a password. Take it out, and put it into the field `token`.")
    if parts.query or parts.fragment:
        raise Mistake(f"the address of a git repository has no `?` and no `#`. {_REMEDY}")
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return GitAddress(text, "file", path=str(Path(unquote(parts.path)).resolve()))
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "")
    known = parts.scheme in _PORTS and _HOST.fullmatch(name) and parts.path.strip("/")
    if not known or not _USER.fullmatch(parts.username or "git"):
        raise Mistake(f"this is not an address of a git repository. {_REMEDY}")
    host, user = f"{name}{port}", parts.username or ""
    shown = f"{user}@{host}" if user and parts.scheme == "ssh" else host
    return GitAddress(f"{parts.scheme}://{shown}{parts.path}", parts.scheme, host, parts.path, user)


def _of_azure_devops(host: str, path: str) -> tuple[str, str]:
    """Azure DevOps has three addresses of one repository: dev.azure.com, <organisation>.visualstudio.com, and for ssh."""
    words = path.split("/")
    if host in ("ssh.dev.azure.com", "vs-ssh.visualstudio.com") and words[0] == "v3" and len(words) == 4:
        return "dev.azure.com", "/".join([*words[1:3], "_git", words[3]])
    if host.endswith(".visualstudio.com"):
        rest = words[1:] if words[0] == "defaultcollection" else words
        return "dev.azure.com", "/".join([host.removesuffix(".visualstudio.com"), *rest])
    return host, path
