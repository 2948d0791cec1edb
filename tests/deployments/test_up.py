"""`speechops up` for real: one stack per module, stopped and started again in the order of the tests."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

PREFECT_YAML = """
name: stand-in
deployments:
  - name: speechops
    entrypoint: flows/training_update.py:training_update
    work_pool: {name: speechops}
"""

FLOW = """
import asyncio
import httpx
from prefect import flow
from tasks.blocks import SpeechResource, load_store

@flow(name="training-update")
async def training_update(track: str, wait: float = 0) -> None:
    resource = await SpeechResource.aload("speechops")
    headers = {"Ocp-Apim-Subscription-Key": resource.key.get_secret_value()}
    async with httpx.AsyncClient(base_url=resource.endpoint, headers=headers) as http:
        (await http.get("/speechtotext/models/base", params={"api-version": resource.api_version})).raise_for_status()
    await (await load_store("speechops")).write(f"ran/{track}", b"yes")
    await asyncio.sleep(wait)
"""

ANOTHER_SERVER = {
    "PREFECT_API_URL": "http://127.0.0.1:9/api",
    "PREFECT_API_KEY": "of-another-server",
    "PREFECT_API_AUTH_STRING": "of:another-server",
    "PREFECT_SERVER_API_AUTH_STRING": "of:another-server",
}
"""What a user's shell may hold; `up` must neither ask that server nor want its password."""

PROXY = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")
"""A company's proxy, which cannot reach this machine's loopback; nor may it see the emulator's key."""


class Up:
    """One `speechops up` and what it has said."""

    def __init__(self, home: Path, project: Path, *options: str) -> None:
        words = [sys.executable, "-m", "deployments.cli", "up", "--home", str(home), *options]
        self.home = home
        self.output = ""
        self._process = subprocess.Popen(
            words,
            cwd=project,
            env={**os.environ, **ANOTHER_SERVER, **PROXY},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_until_up(self) -> "Up":
        """Read until it says that it is ready, or ends."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output += line
            if "Ctrl-C stops everything" in line:
                return self
        pytest.fail(f"it did not come up:\n{self.output}")

    @property
    def api_url(self) -> str:
        """The address that it tells to export."""
        told = re.search(r"export PREFECT_API_URL=(\S+)", self.output)
        assert told is not None
        return told[1]

    @property
    def env(self) -> dict[str, str]:
        """The environment of a user who did as told."""
        return {**os.environ, "PREFECT_API_URL": self.api_url, "PREFECT_HOME": str(self.home.parent / "user")}

    def prefect(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Prefect's command line in another process."""
        return subprocess.run(
            [sys.executable, "-m", "prefect", *words], env=self.env, capture_output=True, text=True, check=False
        )

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command itself, not to its children."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Read the rest of the output, and return the exit code."""
        with self._process:
            self.output += self._process.communicate()[0] if self._process.returncode is None else ""
        return self._process.returncode


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one flow, which uses both blocks."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "flows").mkdir()
    (folder / "flows/training_update.py").write_text(FLOW)
    (folder / "prefect.yaml").write_text(PREFECT_YAML)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, marked: Any) -> Iterator[Path]:
    """The folder that all stacks of this module use in turn; no process of theirs survives the module."""
    folder = tmp_path_factory.mktemp("home") / ".speechops"
    yield folder
    for pid in marked("PREFECT_HOME", f"{folder}/prefect").alive():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def processes(home: Path, marked: Any) -> Any:
    """All processes of the stack."""
    return marked("PREFECT_HOME", f"{home}/prefect")


@pytest.fixture(scope="module")
def start(home: Path, project: Path) -> Iterator[Callable[[], Up]]:
    """Starts a stack on free ports; the module's end finds none running."""
    started = []

    tracks = home / "store" / "pages" / "index.html"

    def begin() -> Up:
        tracks.parent.mkdir(parents=True, exist_ok=True)
        tracks.write_text("<h1>Tracks</h1>")  # an earlier stack's flows have left it, and the front page leads there
        started.append(
            Up(
                home,
                project,
                "--prefect-port",
                "0",
                "--emulator-port",
                "0",
                "--reports-port",
                "0",
                "--receiver-port",
                "0",
            )
        )
        return started[-1].wait_until_up()

    yield begin
    for up in started:
        up.send(signal.SIGTERM)
        up.wait()


@pytest.fixture(scope="module")
def up(start: Callable[[], Up]) -> Up:
    """The first stack; `test_ctrl_c_...` stops it."""
    return start()


def test_it_tells_where_everything_is(up: Up) -> None:
    """The addresses answer, and the logs are there."""
    ui, reports, emulator = re.findall(r"http://127.0.0.1:\d+", up.output)[:3]

    assert "<title>" in httpx.get(ui, follow_redirects=True).text
    assert httpx.get(f"{emulator}/speechtotext/models/base?api-version=2024-11-15").status_code == 401
    assert "Tracks" in httpx.get(reports, follow_redirects=True).text
    logs = {log.stem for log in (up.home / "logs").glob("*.log")}
    assert logs == {"deploy", "emulator", "prefect-server", "receiver", "reports", "worker"}


def test_no_secret_is_told(up: Up) -> None:
    """The key is in its file, not on the screen, in a log or in a command line."""
    key = (up.home / "emulator.key").read_text()

    assert key not in up.output
    assert all(key not in log.read_text() for log in (up.home / "logs").glob("*.log"))


def test_a_run_started_from_another_shell_completes(up: Up) -> None:
    """With nothing but the exported address: deployment, worker and both blocks are right."""
    ran = up.prefect("deployment", "run", "training-update/speechops", "-p", "track=sharjah", "--watch")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (up.home / "store/ran/sharjah").read_bytes() == b"yes"


def test_a_second_up_on_the_same_folder_is_refused(up: Up, project: Path) -> None:
    """The first one goes on undisturbed."""
    second = Up(
        up.home, project, "--prefect-port", "0", "--emulator-port", "0", "--reports-port", "0", "--receiver-port", "0"
    )

    assert second.wait() == 1
    assert second.output.startswith("speechops: another `speechops up`")
    assert httpx.get(f"{up.api_url}/health").json() is True


def test_a_taken_port_is_told_before_anything_starts(up: Up, project: Path, tmp_path: Path) -> None:
    """The message names the option."""
    port = up.api_url.split(":")[2].removesuffix("/api")

    second = Up(
        tmp_path / "other",
        project,
        "--prefect-port",
        port,
        "--emulator-port",
        "0",
        "--reports-port",
        "0",
        "--receiver-port",
        "0",
    )

    assert second.wait() == 1
    assert f"port {port} is already in use" in second.output
    assert "--prefect-port" in second.output
    assert not list((tmp_path / "other").glob("logs/*"))


def test_ctrl_c_stops_everything(up: Up, processes: Any) -> None:
    """A normal end: exit code 0, and no process is left."""
    up.send(signal.SIGINT)

    assert up.wait() == 0
    assert up.output.endswith("Stopped.\n")
    assert processes.alive() == {}


@pytest.mark.slow
def test_a_program_that_dies_later_stops_the_rest(start: Callable[[], Up], processes: Any) -> None:
    """Half a stack would look healthy and do nothing; the message says which program, and where its log is."""
    up = start()

    for pid, command in processes.alive().items():
        if b" -m prefect worker " in command and b"guardian.py" not in command:
            os.kill(pid, signal.SIGKILL)

    assert up.wait() == 1
    assert re.search(r"speechops: the worker stopped \(exit code 137\)\. Its log is \S+worker\.log", up.output)
    assert processes.alive() == {}


@pytest.mark.slow
def test_nothing_outlives_an_up_that_was_killed(start: Callable[[], Up], processes: Any) -> None:
    """Not even the process of a flow run, which lives in a session of its own."""
    up = start()
    up.prefect("deployment", "run", "training-update/speechops", "-p", "track=slow", "-p", "wait=600")
    processes.wait_until(lambda alive: any(b" -m prefect.engine " in command for command in alive.values()))

    up.send(signal.SIGKILL)

    up.wait()
    processes.wait_until(lambda alive: not alive)
