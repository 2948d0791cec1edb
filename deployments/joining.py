"""How another shell, and every command in the project's folder, learns of the local stack: its address and its secret."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deployments.home import Home
from deployments.processes import shown
from deployments.proxies import has_proxy, without_proxy
from domain.mistakes import Mistake

DEFAULT_HOME: Final = Path(".speechops")
_AUTH: Final = "PREFECT_API_AUTH_STRING"


def environment(folder: Path = DEFAULT_HOME) -> dict[str, str]:
    """What a shell must export so that `prefect`, `speechops` and Python programs in it work with the running stack.

    Raises:
        Mistake: no stack is running with this folder, or another user's is.
    """
    home = Home(folder.resolve())
    try:
        running = home.read_running()
        auth = home.read_prefect_auth() if running else ""
    except PermissionError:
        raise Mistake(f"{shown(home.folder)} belongs to another user. Name a folder of yours with --home.") from None
    if running is None:
        option = "" if folder == DEFAULT_HOME else f" --home {shlex.quote(str(folder))}"
        raise Mistake(
            f"no stack is running with {shown(home.folder)}/. Start one with `speechops up{option}` and leave it "
            "running; where it runs already, go to its project's folder, or name its folder with --home."
        )
    found = {"PREFECT_API_URL": running.api_url, _AUTH: auth, "PREFECT_UI_URL": running.ui_url}
    return found | (without_proxy(os.environ) if has_proxy(os.environ) else {})


def env_command(folder: Path) -> str:
    """How to type `speechops env` for the stack that runs with this folder."""
    return (
        "speechops env"
        if folder == DEFAULT_HOME.resolve()
        else f"speechops env --home {shlex.quote(str(shown(folder)))}"
    )


def exports(variables: Mapping[str, str]) -> str:
    """The variables as a shell reads them.

    >>> print(exports({"A": "1", "B": "two words"}))
    export A=1
    export B='two words'
    """
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def login_link(prefect_url: str, auth: str) -> str:
    """The link that opens the Prefect UI, logged in; browsers keep what stands behind the # to themselves."""
    return f"{prefect_url}/open#{auth}"


def link(folder: Path = DEFAULT_HOME) -> str:
    """The same for the stack that is running with this folder.

    Raises:
        Mistake: none is.
    """
    found = environment(folder)
    return login_link(found["PREFECT_API_URL"].removesuffix("/api"), found[_AUTH])


@contextmanager
def joined() -> Iterator[None]:
    """For as long as the context lasts, Prefect's clients of this process, and its children's, know the local stack's secret.

    Only when their server is that stack's, running with `.speechops` in this folder, and no other secret is set.
    """
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    auth = None if PREFECT_API_AUTH_STRING.value() else _auth_of(PREFECT_API_URL.value() or "")
    if auth is None:
        yield
        return
    before = os.environ.get(_AUTH)
    os.environ[_AUTH] = auth
    try:
        with temporary_settings({PREFECT_API_AUTH_STRING: auth}):
            yield
    finally:
        os.environ.pop(_AUTH) if before is None else os.environ.update({_AUTH: before})


def _auth_of(api_url: str) -> str | None:
    try:
        local = environment()
    except Mistake:
        return None
    asked = api_url.rstrip("/").replace("//localhost:", "//127.0.0.1:")
    return local[_AUTH] if asked == local["PREFECT_API_URL"] else None
