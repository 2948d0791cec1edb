"""Make the pictures in `docs/images` again: the real demo in a terminal, the Prefect UI that shows its runs, its reports,
and the page of the Speech emulator.

Run in the project's folder, with Chromium installed: `.venv/bin/python docs/make_pictures.py` (5 to 10 minutes).
"""

import asyncio
import io
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from playwright.async_api import Page, async_playwright
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from rich.console import Console
from rich.text import Text

from deployments.demo import SOURCE, demo
from deployments.demo_repository import SECOND_TRACK
from deployments.flow_runs import update_since
from deployments.stack import Stack, StackSettings, running_stack
from domain.mistakes import Mistake

WIDTH = 1480
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "device_scale_factor": 2}
SETTLE_MS = 2500
"""How long the UI may go on drawing after all is loaded: bars grow, and the graph of a run moves into place."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of the Prefect UI.

    Attributes:
        name: of the file.
        path: in the UI.
        ready: what must be read on the page before the picture is taken.
        height: of the page, in pixels.
        fill: what is typed into the page's fields, by their labels.
    """

    name: str
    path: str
    ready: str
    height: int = 900
    fill: Mapping[str, str] = field(default_factory=dict)


def main(
    images: Annotated[Path, typer.Option(help="Where the pictures go.")] = Path("docs/images"),
    project: Annotated[Path, typer.Option(help="Folder with prefect.yaml, the flows and the sample track.")] = Path(),
    chromium: Annotated[str, typer.Option(help="Chromium or Chrome, by name or path.")] = "chromium",
) -> None:
    """Play the demo in a folder of its own, and take all pictures."""
    browser = shutil.which(chromium)
    if browser is None:
        raise typer.BadParameter(f"there is no {chromium} here; install Chromium, or name it with --chromium")
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="speechops-pictures-") as folder:
        home = Path(folder) / ".speechops"
        settings = StackSettings(
            home=home, project=project, prefect_port=0, emulator_port=0, reports_port=0, receiver_port=0
        )
        try:
            asyncio.run(_make(settings, images, browser))
        except Mistake as mistake:
            raise typer.BadParameter(str(mistake)) from None


async def _make(settings: StackSettings, images: Path, browser: str) -> None:
    console = Console(record=True, width=100)
    await demo(settings, console)
    (images / "demo.svg").write_text(terminal_picture(console.export_text(styles=True)), "utf-8")
    summary = json.loads((settings.home / "demo" / "summary.json").read_text("utf-8"))
    await photograph_reports(settings.home / "demo" / "reports", images, browser)
    await photograph_track(settings.home / "store" / "pages" / f"{SECOND_TRACK}.html", images, browser)
    released = next(step["flow_run_id"] for step in summary["steps"] if step["released"])
    async with running_stack(settings) as stack:
        await _photograph(stack, await _shots(stack, released), images, browser)
        await photograph_emulator(stack.emulator_url, stack.emulator_key, images / "emulator-page.png", browser)


def terminal_picture(told: str) -> str:
    """The demo's last words as SVG: what was heard, the words, what was taken back, the closing table.

    Args:
        told: all that the demo printed, with ANSI styles.
    """
    heard = _between(told, r"[^\n]*One recording, sent", r"\n[^\n]*still missed[^\n]*(?:\n {6,}[^\n]*)*")
    undone = _between(told, r"[^\n]*Take the last release back", r"\n[^\n]*is live again[^\n]*")
    undone = "\n".join(line for line in undone.splitlines() if "✓" not in line)
    closing = _between(told, r"[^\n]*What happened", r"\n[^\n]*Live endpoint: [^\n]*")
    page = Console(record=True, width=100, file=io.StringIO())
    page.print(Text.from_ansi(_without_chance(f"{heard}\n\n{closing}\n\n{undone}")))
    svg = page.export_svg(title="make demo", unique_id="demo")
    # The fonts that rich names come from the web; a picture must not fetch anything.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def _between(text: str, first: str, last: str) -> str:
    found = re.search(f"{first}.*?{last}", text, re.DOTALL)
    if found is None:
        raise Mistake(f"the demo no longer prints '{first}' to '{last}': correct docs/make_pictures.py.")
    return found[0]


def _without_chance(text: str) -> str:
    """Ports and ids differ from run to run, pictures should not."""
    return re.sub(r"cid=[0-9a-f-]{36}[^\s\x1b]*", "cid=<id>", re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:<port>", text))


async def _shots(stack: Stack, released: str) -> list[Shot]:
    async with stack.client() as client:
        form = (await client.read_deployment_by_name("training-update/speechops")).id
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[released]))
        artifacts = {
            artifact.key or "": artifact.id for artifact in await client.read_artifacts(artifact_filter=of_run)
        }
        update = await update_since(client, SOURCE, datetime.min.replace(tzinfo=UTC))
    return [
        Shot("prefect-deployments", "deployments", "8 Deployments", height=800),
        Shot("prefect-push", f"runs/flow-run/{update.id}?tab=Artifacts", f"{SOURCE}-changes"),
        Shot("prefect-run-form", f"deployments/deployment/{form}/run", "Submit", 1080, {"track": "sharjah"}),
        Shot("prefect-run", f"runs/flow-run/{released}?tab=Artifacts", "sharjah-verdict"),
        Shot("prefect-verdict", f"artifacts/artifact/{artifacts['sharjah-verdict']}", "Word error rates", 1240),
        Shot("prefect-wer-table", f"artifacts/artifact/{artifacts['sharjah-wer']}", "candidate", 640),
    ]


async def _photograph(stack: Stack, shots: list[Shot], images: Path, browser: str) -> None:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = await chromium.new_page()
        await page.route(lambda url: not url.startswith(stack.prefect_url), lambda route: route.abort())
        await page.goto(stack.login_link)
        await page.get_by_text("Logout").wait_for()
        for shot in shots:
            await _take(page, stack.prefect_url, shot, images / f"{shot.name}.png")
        await chromium.close()


async def photograph_emulator(url: str, key: str, file: Path, browser: str) -> None:
    """Take the page of an emulator, with two jobs under way and two faults set, and leave these behind."""
    async with httpx.AsyncClient(base_url=url, headers={"Ocp-Apim-Subscription-Key": key}, trust_env=False) as speech:
        await speech.put("/_emulator/speed", json={"speed": "poll"})
        for name in ("staging", "canary"):
            endpoint = {"displayName": name, "locale": "en-US"}
            await speech.post("/speechtotext/endpoints", params={"api-version": "2024-11-15"}, json=endpoint)
        late = {"method": "POST", "path": "/speechtotext/models", "kind": "slow", "seconds": 2, "when": "after"}
        for fault in (late, {"job": "evaluation", "times": 2}):
            await speech.post("/_emulator/faults", json=fault)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = await chromium.new_page(viewport={"width": 1200, "height": 900})
        await page.goto(url)
        await page.screenshot(path=file)
        await chromium.close()


REPORTS = {
    "2-names-learnt": "pass",
    "3-one-more-name": "inconclusive",
    "4-dinosaurs": "fail",
    "5-copied-text": "blocked",
}
"""The demo's reports that are shown, and the names of their pictures."""


async def photograph_reports(folder: Path, images: Path, browser: str) -> None:
    """Take the first screen of the demo's reports on a laptop, and one whole on a phone in the dark."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = await chromium.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=1)
        for name, picture in REPORTS.items():
            await page.goto((folder / f"{name}.html").resolve().as_uri())
            await page.screenshot(path=images / f"report-{picture}.png")
        phone = await chromium.new_page(**PHONE)
        await _on_a_phone(phone, folder / "3-one-more-name.html", images / "report-phone.png")
        await chromium.close()


async def photograph_track(file: Path, images: Path, browser: str) -> None:
    """Take the first screens of a track's page."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = await chromium.new_page(viewport={"width": 1100, "height": 1240}, device_scale_factor=1)
        await page.goto(file.resolve().as_uri())
        await page.screenshot(path=images / "track-page.png")
        await chromium.close()


async def _on_a_phone(page: Page, report: Path, file: Path) -> None:
    await page.goto(report.resolve().as_uri())
    await page.screenshot(path=file, clip={"x": 0, "y": 0, "width": 390, "height": 1500}, full_page=True)


async def _take(page: Page, prefect_url: str, shot: Shot, file: Path) -> None:
    await page.set_viewport_size({"width": WIDTH, "height": shot.height})
    await page.goto(f"{prefect_url}/v2/{shot.path}")
    await page.get_by_text(shot.ready).first.wait_for()
    for label, value in shot.fill.items():
        await page.get_by_label(label).fill(value)
    await page.wait_for_load_state("networkidle")
    await page.wait_for_timeout(SETTLE_MS)
    await page.screenshot(path=file)


if __name__ == "__main__":
    typer.run(main)
