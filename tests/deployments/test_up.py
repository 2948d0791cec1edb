"""`speechops up` for real: one stack per module, stopped and started again in the order of the tests."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import chromium
from tests.deployments.stranger_kit import browser_of_a_victim, page_of_another_origin, page_that_rebinds

__all__ = ["chromium"]

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
    def urls(self) -> list[str]:
        """The addresses that it tells: Prefect, reports, emulator, receiver."""
        return re.findall(r"http://127.0.0.1:\d+", self.output)[:4]

    @property
    def api_url(self) -> str:
        """The address of Prefect's API."""
        return self.env["PREFECT_API_URL"]

    @cached_property
    def env(self) -> dict[str, str]:
        """The environment of a user who did as told: `eval "$(speechops env --home …)"`."""
        told = re.search(r'eval "\$\(speechops (env --home \S+)\)"', self.output)
        assert told is not None
        words = [sys.executable, "-m", "deployments.cli", *told[1].split(), "--json"]
        found = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
        return {**os.environ, **found, "PREFECT_HOME": str(self.home.parent / "user")}

    def api(self) -> httpx.Client:
        """Prefect's API, with the password."""
        user, _, password = self.env["PREFECT_API_AUTH_STRING"].partition(":")
        return httpx.Client(base_url=self.api_url, auth=(user, password))

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
        private = os.umask(0o077)
        tracks.parent.mkdir(parents=True, exist_ok=True)
        tracks.write_text("<h1>Tracks</h1>")  # an earlier stack's flows have left it, and the front page leads there
        os.umask(private)
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
    ui, reports, emulator, _ = up.urls

    assert "<title>" in httpx.get(ui, follow_redirects=True).text
    assert httpx.get(f"{emulator}/speechtotext/models/base?api-version=2024-11-15").status_code == 401
    assert "Tracks" in httpx.get(reports, follow_redirects=True).text
    logs = {log.stem for log in (up.home / "logs").glob("*.log")}
    assert logs == {"deploy", "emulator", "prefect-server", "receiver", "reports", "worker"}


def test_no_secret_is_told(up: Up, processes: Any) -> None:
    """Each is in its file, not in what goes to a file or a pipe, in a log, in Prefect's database or in a command line."""
    told = [up.output.encode(), *processes.alive().values()]
    told += [log.read_bytes() for log in (*up.home.glob("logs/*.log"), *up.home.glob("prefect/prefect.db*"))]

    for name in ("emulator.key", "hook.secret", "prefect.auth"):
        secret = (up.home / name).read_bytes().strip().rpartition(b":")[2]
        assert len(secret) == 32
        assert [text for text in told if secret in text] == []


def test_what_is_kept_is_private(up: Up) -> None:
    """Databases, logs, results, secrets: nobody but the owner reads them, whatever the umask of who started it."""
    kept = [up.home, *(path for path in up.home.rglob("*") if path.exists())]

    assert {"prefect.db", "emulator.sqlite3", "outbox.sqlite3", "worker.log"} <= {path.name for path in kept}
    assert [path for path in kept if path.stat().st_mode & 0o077] == []


def test_a_command_with_the_address_alone_knows_the_password(up: Up, tmp_path: Path) -> None:
    """In the project's folder, as people had it in their shells."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / ".speechops").symlink_to(up.home)
    env = {name: value for name, value in up.env.items() if name != "PREFECT_API_AUTH_STRING"}
    words = [sys.executable, "-m", "deployments.cli", "automations", "--json"]
    inside = subprocess.run(words, cwd=tmp_path / "project", env=env, capture_output=True, text=True, check=False)

    assert inside.returncode == 0, inside.stderr
    assert json.loads(inside.stdout)


def test_prefects_own_command_line_is_refused_without_the_password(up: Up) -> None:
    """So is everybody else: only health is open."""
    assert httpx.get(f"{up.api_url}/health").json() is True
    for path in ("admin/settings", "admin/version", "docs", "openapi.json"):
        assert httpx.get(f"{up.api_url}/{path}").status_code == 401
    blocks = httpx.post(f"{up.api_url}/block_documents/filter", json={"include_secrets": True})
    assert blocks.status_code == 401
    with up.api() as prefect:
        found = prefect.post("/block_documents/filter", json={"include_secrets": True}).json()
    assert "speechops" in {block["name"] for block in found}


FAULT = {"path": "/of-a-test", "kind": "500"}


@pytest.fixture
def treasures(up: Up) -> Iterator[dict[str, str]]:
    """What a stranger may want to change, by its address; afterwards, nothing of it has changed."""
    prefect, _, emulator, _ = up.urls
    httpx.post(f"{emulator}/_emulator/faults", json=FAULT).raise_for_status()
    with up.api() as api:
        deployment = api.get("/deployments/name/training-update/speechops").json()["id"]
        yield {
            f"{prefect}/api/block_documents/filter": '{"include_secrets": true}',
            f"{prefect}/api/deployments/{deployment}/create_flow_run": '{"parameters": {"track": "stolen"}}',
            f"{emulator}/_emulator/faults": '{"kind": "500"}',
            f"{emulator}/_emulator/clock": '{"advance_seconds": 1e6}',
        }
        assert api.post("/flow_runs/count", json={"deployments": {"id": {"any_": [deployment]}}}).json() == 0
    state = httpx.get(f"{emulator}/_emulator/state").json()
    assert [(one["path"], one["fired"]) for one in state["faults"]] == [(FAULT["path"], 0)]
    assert state["clock"]["offset_seconds"] == 0
    httpx.delete(f"{emulator}/_emulator/faults").raise_for_status()


def readable(up: Up) -> list[str]:
    """Addresses that a stranger may want to read."""
    prefect, reports, emulator, receiver = up.urls
    return [
        *(f"{prefect}/{path}" for path in ("api/health", "api/admin/version", "ui-settings", "openapi.json", "open")),
        f"{reports}/reports", f"{emulator}/", f"{emulator}/_emulator/state", f"{receiver}/metrics",
    ]  # fmt: skip


async def test_a_page_of_another_origin_gets_and_changes_nothing(
    up: Up, chromium: str, treasures: dict[str, str]
) -> None:
    """Neither the Speech key nor a flow run, neither the emulator's state nor a report; a websocket is no way around.

    Simple POSTs are sent without asking, whatever they say of their content: without any such word, Prefect reads JSON.
    """
    socket = f"{up.urls[0].replace('http', 'ws')}/api/events/out"
    async with browser_of_a_victim(chromium) as browser, page_of_another_origin(browser) as page:
        read = [await page.read(url) for url in readable(up)]
        changed = [await page.read(url, "POST", wish) for url, wish in treasures.items()]
        deleted = await page.read(f"{up.urls[2]}/_emulator/faults", "DELETE")
        heard = await page.listen(socket)
        for url, wish in treasures.items():
            for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
                assert await page.post_simply(url, wish, kind) == "sent"

    assert {*read, *changed, deleted, heard} == {"blocked"}


async def test_a_page_whose_name_leads_to_this_machine_gets_and_changes_nothing(
    up: Up, chromium: str, treasures: dict[str, str]
) -> None:
    """To the browser it is a page of our own program, so it may read every answer: there is none but a refusal."""
    told = []
    async with browser_of_a_victim(chromium) as browser:
        for ours in up.urls:
            async with page_that_rebinds(browser, ours) as page:
                told += [await page.read(url.removeprefix(ours)) for url in readable(up) if url.startswith(ours)]
                told += [
                    await page.read(url.removeprefix(ours), "POST", treasures[url]) for url in treasures if ours in url
                ]
        async with page_that_rebinds(browser, up.urls[2]) as page:
            told.append(await page.read("/_emulator/faults", "DELETE"))
        async with page_that_rebinds(browser, up.urls[0]) as page:
            heard = await page.listen(f"{up.urls[0].replace('http://127.0.0.1', 'ws://evil.example')}/api/events/out")

    assert len(told) == 9 + 4 + 1
    assert {answer[:3] for answer in told} == {"400"}
    assert heard == "blocked"


@pytest.fixture
def link(up: Up) -> str:
    """What logs a browser in."""
    words = [sys.executable, "-m", "deployments.cli", "env", "--home", str(up.home), "--link"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.slow
async def test_the_link_logs_a_browser_in_to_both_uis(up: Up, chromium: str, link: str) -> None:
    """A wrong link, such as a foreign page may have, says what to do, and logs nobody out."""
    ui = up.urls[0]
    expect.set_options(timeout=60_000)
    async with browser_of_a_victim(chromium) as browser:
        context = await browser.new_context()
        await context.route(lambda url: not url.startswith(ui), lambda route: route.abort())
        page = await context.new_page()
        deployment = page.get_by_text("training-update").first
        await page.goto(f"{ui}/v2/deployments")
        await expect(page.get_by_label("Password").or_(page.locator("input[type=password]")).first).to_be_visible()
        await page.goto(link)
        await expect(page.get_by_text("Logout")).to_be_visible()  # V2 logs out whoever leaves before it has looked
        for path in ("/v2/deployments", "/deployments"):
            await page.goto(f"{ui}{path}")
            await expect(deployment).to_be_visible()
        await page.goto(f"{ui}/open#me:wrong")
        await expect(page.get_by_text("speechops env --link")).to_be_visible()
        assert page.url == f"{ui}/open"
        await page.goto(f"{ui}/v2/deployments")
        await expect(deployment).to_be_visible()


def test_a_run_started_from_another_shell_completes(up: Up) -> None:
    """With nothing but what it prints for that: deployment, worker and both blocks are right."""
    ran = up.prefect("deployment", "run", "training-update/speechops", "-p", "track=sharjah", "--watch")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (up.home / "store/ran/sharjah").read_bytes() == b"yes"


def test_a_schedule_becomes_runs(up: Up) -> None:
    """The safety net and the watch rest on it; with some versions of SQLAlchemy, Prefect's scheduler fails in silence."""
    with up.api() as api:
        deployment = api.get("/deployments/name/training-update/speechops").json()["id"]
        daily = {"active": True, "schedule": {"interval": 86_400, "anchor_date": "2026-01-01T00:00:00Z"}}
        made = api.post(f"/deployments/{deployment}/schedules", json=[daily]).raise_for_status().json()
        wanted = {
            "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
            "deployments": {"id": {"any_": [deployment]}},
        }
        while not (runs := api.post("/flow_runs/filter", json=wanted).raise_for_status().json()):
            time.sleep(0.5)
        api.delete(f"/deployments/{deployment}/schedules/{made[0]['id']}").raise_for_status()

    assert all(run["auto_scheduled"] for run in runs)


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
