"""Which code host a repository lives on, and where its API is: both follow from the repository's address."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import httpx

from domain.mistakes import Mistake
from tasks.code_hosts.azure_devops import AzureDevOps
from tasks.code_hosts.calls import Calls
from tasks.code_hosts.github import GitHub
from tasks.code_hosts.gitlab import GitLab
from tasks.code_hosts.host import CodeHost

_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)")
"""Git's short form of SSH addresses, such as `git@github.com:owner/name.git`."""


@dataclass(frozen=True, slots=True)
class _Place:
    host: str
    port: str
    words: tuple[str, ...]
    """The path's parts, decoded."""
    scheme: str


def code_host(
    address: str, token: str, api: str = "", transport: httpx.AsyncBaseTransport | None = None
) -> CodeHost | None:
    """The code host of a repository; None when it lives on none, such as a folder, or on one that we do not know.

    Args:
        address: of the repository, as git takes it.
        token: of an account or app that may read pull requests and write statuses and comments; empty: read only.
        api: the API's base address, when it does not follow from the repository's.
        transport: for tests.

    Raises:
        Mistake: `api` is no address, or is not encrypted.
    """
    place = _place(address)
    if place is None:
        return None
    found = _by_api(api, place) if api else _by_name(place)
    return found(token, transport) if found else None


_Maker = Callable[[str, httpx.AsyncBaseTransport | None], CodeHost]


def _by_name(place: _Place) -> _Maker | None:
    host = place.host
    if host == "github.com":
        return _github("https://api.github.com", place)
    if host.endswith(".ghe.com"):
        return _github(f"https://api.{host}", place)
    if host == "dev.azure.com" or host == "ssh.dev.azure.com" or host.endswith(".visualstudio.com"):
        return _azure(place)
    base = f"{place.scheme}://{host}{place.port}"
    if "gitlab" in host:
        return _gitlab(f"{base}/api/v4", place)
    return _github(f"{base}/api/v3", place) if "github" in host else None


def _by_api(api: str, place: _Place) -> _Maker | None:
    parts = urlsplit(api)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
        raise Mistake(f"{api[:80]!a} is not the address of an API. It looks like https://git.example.org/api/v3.")
    base = api.rstrip("/")
    if base.endswith("/api/v4"):
        return _gitlab(base, place)
    return _azure(place, base) if "_git" in place.words else _github(base, place)


def _calls(api: str, headers: Mapping[str, str], token: str, transport: httpx.AsyncBaseTransport | None) -> Calls:
    parts = urlsplit(api)
    if token and parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise Mistake("the address of the API begins with http://, so that anybody could read the token. Use https://.")
    return Calls(api, headers, transport)


def _place(address: str) -> _Place | None:
    if "://" not in address:
        found = _SCP.fullmatch(address)
        return _Place(found[1].lower(), "", _words(found[2]), "https") if found else None
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in ("https", "http", "ssh") or not host:
        return None
    if parts.scheme == "ssh":
        return _Place(host, "", _words(parts.path), "https")
    return _Place(host, f":{port}" if port else "", _words(parts.path), parts.scheme)


def _words(path: str) -> tuple[str, ...]:
    return tuple(
        unquote(word) for word in path.strip("/").removesuffix(".git").split("/") if word not in ("", ".", "..")
    )


def _github(api: str, place: _Place) -> _Maker | None:
    if len(place.words) != 2:
        return None
    repository = "/".join(quote(word, safe="") for word in place.words)

    def make(token: str, transport: httpx.AsyncBaseTransport | None) -> CodeHost:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        signed = {"Authorization": f"Bearer {token}"} if token else {}
        return GitHub(_calls(api, headers | signed, token, transport), repository)

    return make


def _gitlab(api: str, place: _Place) -> _Maker:
    def make(token: str, transport: httpx.AsyncBaseTransport | None) -> CodeHost:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return GitLab(_calls(api, headers, token, transport), quote("/".join(place.words), safe=""))

    return make


def _azure(place: _Place, base: str = "") -> _Maker | None:
    """Addresses: `dev.azure.com/{organisation}/{project}/_git/{repository}`, `{organisation}.visualstudio.com/…`."""
    words = [word for word in place.words if word not in ("_git", "v3", "DefaultCollection")]
    if place.host.endswith(".visualstudio.com") and not place.host.startswith("vs-ssh."):
        words = [place.host.partition(".")[0], *words]
    if len(words) == 2:  # the project's own repository
        words.append(words[1])
    if len(words) != 3:
        return None
    organisation, project, repository = (quote(word, safe="") for word in words)

    def make(token: str, transport: httpx.AsyncBaseTransport | None) -> CodeHost:
        secret = base64.b64encode(f":{token}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}"} if token else {}
        above = base or f"https://dev.azure.com/{organisation}"
        return AzureDevOps(_calls(f"{above}/{project}", headers, token, transport), repository)

    return make
