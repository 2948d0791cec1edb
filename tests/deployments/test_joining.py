"""Another shell learns of the running stack by one command, and commands in the project's folder by themselves."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from deployments.home import Home, Running, opened_home
from deployments.joining import env_command, environment, joined
from domain.mistakes import Mistake

URL = "http://127.0.0.1:4211"
RUNNING = Running(prefect_url=URL)


def speechops(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command line, in another process."""
    return subprocess.run(
        [sys.executable, "-m", "deployments.cli", *words], cwd=folder, env={**os.environ, **env},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_gets_all_that_it_needs(tmp_path: Path, shell: str) -> None:
    """Address, password and the UI's address, and that the company's proxy is none of it; the password is as given."""
    with opened_home(tmp_path / ".speechops") as home:
        home.prefect_auth.write_text('me:it\'s $HOME `id` "quoted"\n')
        with home.announced(RUNNING):
            told = speechops(tmp_path, "env", HTTPS_PROXY="http://proxy.example", no_proxy="intra.example")
    names = ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_UI_URL", "NO_PROXY")
    script = f"eval {shlex.quote(told.stdout)}; printenv {' '.join(names)} || for n in {' '.join(names)}; do printenv $n; done"
    seen = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()

    assert told.stderr == ""
    assert seen[-4:] == [
        f"{URL}/api", "me:it's $HOME `id` \"quoted\"", f"{URL}/v2", "intra.example,127.0.0.1,localhost",
    ]  # fmt: skip


def test_the_variables_and_the_login_link_are_there_for_programs(tmp_path: Path) -> None:
    """As JSON; the link holds the password behind a #, where browsers keep it to themselves."""
    with opened_home(tmp_path / "there") as home, home.announced(RUNNING):
        auth = home.read_prefect_auth()
        found = speechops(tmp_path, "env", "--home", "there", "--json")
        link = speechops(tmp_path, "env", "--home", "there", "--link")

    assert json.loads(found.stdout) == {
        "PREFECT_API_URL": f"{URL}/api", "PREFECT_API_AUTH_STRING": auth, "PREFECT_UI_URL": f"{URL}/v2",
    }  # fmt: skip
    assert link.stdout == f"{URL}/open#{auth}\n"


@pytest.mark.parametrize("left", ["nothing", "a stack that was killed", "a broken file"])
def test_no_running_stack_is_a_clear_error(tmp_path: Path, left: str) -> None:
    """Nothing for eval to run, exit code 1, and what helps; a stack that was killed has left its address behind."""
    if left != "nothing":
        (tmp_path / ".speechops").mkdir()
        text = "{" if left == "a broken file" else RUNNING.model_dump_json()
        (tmp_path / ".speechops" / "running.json").write_text(text)
    told = speechops(tmp_path, "env")

    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("speechops: no stack is running with .speechops/. Start one with `speechops up`")


def test_looking_does_not_disturb_a_stack(tmp_path: Path) -> None:
    """A look at whether it runs takes no lock away; after it, the folder is as free as before."""
    with opened_home(tmp_path) as home, home.announced(RUNNING):
        for _ in range(3):
            assert Home(tmp_path).read_running() == RUNNING
    assert Home(tmp_path).read_running() is None
    with opened_home(tmp_path):
        pass


def test_a_command_in_the_projects_folder_knows_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For its own stack's server alone, and not when somebody has set one; also its children know it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_AUTH_STRING", raising=False)

    def known(url: str, auth: str | None = None) -> tuple[str | None, str | None]:
        with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: auth}), joined():
            return PREFECT_API_AUTH_STRING.value(), os.environ.get("PREFECT_API_AUTH_STRING")

    assert known(f"{URL}/api") == (None, None)
    with opened_home(tmp_path / ".speechops") as home, home.announced(RUNNING):
        own = home.read_prefect_auth()
        assert known(f"{URL}/api") == (own, own)
        assert known("http://localhost:4211/api/") == (own, own)
        assert known("https://prefect.example.org/api") == (None, None)
        assert known("http://127.0.0.1:4200/api") == (None, None)
        assert known(f"{URL}/api", "my:own") == ("my:own", None)
    assert "PREFECT_API_AUTH_STRING" not in os.environ


def test_the_command_names_the_folder_that_is_not_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is printed to be typed."""
    monkeypatch.chdir(tmp_path)

    assert env_command(tmp_path / ".speechops") == "speechops env"
    assert env_command(tmp_path / "my home") == "speechops env --home 'my home'"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_another_users_stack_is_a_clear_error(tmp_path: Path) -> None:
    """Its folder is its owner's alone."""
    (tmp_path / "theirs").mkdir(mode=0o000)

    with pytest.raises(Mistake, match="another user"):
        environment(tmp_path / "theirs")
