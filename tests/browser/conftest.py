"""One local stack, one track that goes live, and Chromium at the Prefect UI, for all tests of this folder."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Route, async_playwright, expect
from prefect.client.schemas.objects import FlowRun

from deployments.flow_runs import run_to_end
from deployments.stack import Stack, StackSettings, running_stack
from tests.azurite_kit import azurite

__all__ = ["azurite"]

PROJECT = Path(__file__).parents[2]
TRACK, REVISION = "city-tour", "spring-edition"
RECORDINGS = (
    *("awb-06.wav", "hts-03.wav", "hts-low-02.wav", "kal-02.wav"),
    *("ked-01.wav", "rms-06.wav", "rms-high-03.wav", "slt-02.wav"),
)
KEY = "canary-7b1f-that-nobody-may-see"
EVENT_GRID_SECRET = "canary-9e44-of-the-event-grid"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
BUSY_TRIES = 50
PREFECTS_OWN = re.compile(
    r"127\.0\.0\.1:\d+/[\w-]+\.(ico|png|svg)|\.amplitude\.com/|/assets/(vendor-pixi|flow-run-graph)-"
    r"|status of 503 |Unknown error while creating flow run"
)
"""What Prefect 3.8's UI complains about by itself: icons that it has not got, its telemetry (which these tests keep on
this machine), its SQLite when it is busy, and its graph of a run when one leaves the page before it is drawn."""


@dataclass(frozen=True)
class Site:
    """What the tests look at: the stack, the folder of tracks, what is said in the testing recordings (in lower case), and
    the training update, which may still be running."""

    stack: Stack
    data: Path
    sentences: list[str]
    run: asyncio.Task[FlowRun]


class PrefectUI:
    """One tab of the browser, used as an operator does: by links, buttons and labels."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.seen: list[str] = []
        self.complaints: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self._complain(f"{error.message} {error.stack}"))

    async def open_deployment(self, flow: str) -> None:
        """From anywhere to a deployment."""
        await self.page.get_by_role("link", name="Deployments").first.click()
        await self.page.get_by_role("row").filter(has_text=flow).get_by_role("link", name="speechops").click()
        await expect(self.page.get_by_role("link", name=flow, exact=True).first).to_be_visible()

    async def submit(self) -> None:
        """Start the run of a filled form and look at it; again, when Prefect's SQLite was busy (503), as a person would."""
        view = self.page.get_by_role("link", name="View run")
        for _ in range(5):
            answered = self.page.expect_response(lambda response: response.url.endswith("/create_flow_run"))
            async with answered as answer:
                await self.page.get_by_role("button", name="Submit").click()
            if (await answer.value).ok:
                break
        await view.click()

    async def open_form(self, flow: str) -> None:
        """From anywhere to a deployment's form for a run with parameters."""
        await self.open_deployment(flow)
        await self.page.get_by_role("button", name="Run", exact=True).click()
        await self.page.get_by_role("menuitem", name="Custom run").click()
        await expect(self.page.get_by_role("button", name="Submit")).to_be_visible()

    async def open_run(self, tab: str) -> None:
        """From anywhere to the training update's run, when that is over."""
        run = await self.site.run
        assert run.state_name == "Released", run.state
        await self.page.get_by_role("link", name="Runs", exact=True).first.click()
        await self.page.get_by_role("link", name=run.name, exact=True).click()
        await self.page.get_by_role("tab", name=tab).click()

    async def open_named_run(self, name: str, tab: str) -> None:
        """From anywhere to the newest run of this name; a page that Prefect's graph has broken is loaded again."""
        await self.page.get_by_role("link", name="Runs", exact=True).first.click()
        await self.page.get_by_role("link", name=name, exact=True).first.click()
        await self.page.wait_for_url("**/flow-run/**")
        try:
            await expect(self.page.get_by_role("tab", name=tab)).to_be_visible(timeout=15_000)
        except AssertionError:
            await self.page.reload()
        await self.page.get_by_role("tab", name=tab).click()

    async def open_release(self, tab: str) -> None:
        """From anywhere to the run that put the model live, which is a part of the training update."""
        await self.open_run("Subflow Runs")
        await self.page.get_by_role("link", name=f"release {TRACK}-model-").click()
        await expect(self.page.get_by_role("link", name="deploy", exact=True).first).to_be_visible()
        await self.page.get_by_role("tab", name=tab).click()

    async def open_artifact(self, card: str) -> None:
        """From the artifacts of a run to the newest one with the key of this card, such as `Table city-tour-wer`."""
        await self.page.get_by_role("link", name=card).click()
        await self.page.locator("a[href*='/artifacts/artifact/']").first.click()
        await expect(self.page.get_by_role("tab", name="Raw")).to_be_visible()

    async def look(self) -> None:
        """Keep the page that is open, to be searched."""
        self.seen.append(await self.page.content())

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complain(f"{message.text} {message.location.get('url', '')}")

    def _complain(self, what: str) -> None:
        if not PREFECTS_OWN.search(what):
            self.complaints.append(f"{self.page.url}: {what}")


@pytest.fixture(scope="module")
def chromium() -> str:
    """The program; tests that need it are skipped where there is none."""
    named = os.environ.get("SPEECHOPS_CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no {named or 'Chromium'} on this machine: install chromium, or name one in SPEECHOPS_CHROMIUM")
    return found


def write_small_track(folder: Path, recordings: Sequence[str] = RECORDINGS, *left_out: str) -> list[str]:
    """The sample track with one testing recording of each speaker, which the base model does not understand.

    Returns:
        The rows of its transcripts.
    """
    sample = PROJECT / "data" / "sharjah"
    shutil.copytree(sample, folder, ignore=shutil.ignore_patterns("updates", "testing", "corpus.*", *left_out))
    (folder / "testing").mkdir()
    for name in recordings:
        shutil.copy(sample / "testing" / name, folder / "testing" / name)
    kept = {}
    for file in ("trans.txt", "utterances.tsv"):
        rows = (sample / "testing" / file).read_text("utf-8-sig").splitlines()
        kept[file] = [row for row in rows if row.startswith((*recordings, "file\t"))]
        (folder / "testing" / file).write_text("\n".join(kept[file]) + "\n", "utf-8")
    return kept["trans.txt"]


@pytest.fixture(scope="module")
def monkeymodule() -> Iterator[pytest.MonkeyPatch]:
    """Changes of the environment for a module."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(
    chromium: str, tmp_path_factory: pytest.TempPathFactory, monkeymodule: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    """The stack, with secrets that can be looked for, and one training update."""
    monkeymodule.setenv("SPEECHOPS_EVENTGRID_SECRET", EVENT_GRID_SECRET)
    home = tmp_path_factory.mktemp("browser") / "home"
    home.mkdir()
    (home / "emulator.key").write_text(KEY)
    data = home.parent / "data"
    sentences = [row.split("\t")[1].lower().rstrip(".?") for row in write_small_track(data / TRACK)]
    async with (
        running_stack(
            StackSettings(home=home, project=PROJECT, prefect_port=0, emulator_port=0, reports_port=0, receiver_port=0)
        ) as stack,
        stack.client() as client,
    ):
        parameters = {"track": TRACK, "data": str(data), "revision": REVISION}
        run = asyncio.create_task(run_to_end(client, "training-update/speechops", parameters, lambda task, state: None))
        yield Site(stack, data, sentences, run)
        run.cancel()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str, site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BrowserContext]:
    """Chromium with a profile of its own, which reaches the stack and nothing else."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=chromium,
            args=FLAGS,
            viewport={"width": 1400, "height": 900},
        )
        context.set_default_timeout(PATIENCE_MS)
        await context.route(lambda url: not url.startswith(site.stack.prefect_url), lambda route: route.abort())
        await context.route(f"{site.stack.prefect_api_url}/**", _patiently)
        yield context
        await context.close()


async def _patiently(route: Route) -> None:
    """Ask again when Prefect's SQLite is busy (503): Prefect's own clients do, its UI shows an empty page instead."""
    for _ in range(BUSY_TRIES):
        response = await route.fetch()
        if response.status != 503:
            break
    await route.fulfill(response=response)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(browser: BrowserContext, site: Site) -> PrefectUI:
    """The UI's start page, reached by the link that logs in."""
    tab = PrefectUI(browser.pages[0], site)
    await tab.page.goto(site.stack.login_link)
    await expect(tab.page.get_by_text("Logout")).to_be_visible()  # before that, leaving the page logs out again
    return tab


@pytest_asyncio.fixture(loop_scope="module")
async def ui(tab: PrefectUI) -> AsyncIterator[PrefectUI]:
    """The tab as the test before left it: each test finds its own way. The page where it ends is searched later."""
    yield tab
    await tab.look()
