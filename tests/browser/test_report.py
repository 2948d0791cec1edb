"""The HTML reports in a real browser: on a phone, a tablet and a desk, in light and dark."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from domain.leakage import Leak, LeakReport
from domain.report import html_report, leak_page, measurement_report
from domain.report.track_page import Summary, index_page, track_page
from tests.browser.conftest import FLAGS
from tests.domain.report_samples import decision_of, sample
from tests.domain.test_report_html import evil_comparison, history
from tests.domain.test_track_page import FACTS

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDTHS = {390: 844, 820: 1180, 1280: 900}
"""Width and height of a phone, a tablet and a laptop."""


@dataclass
class Look:
    """A report in a tab, and all that it asked for or complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one report of each kind."""
    folder = tmp_path_factory.mktemp("reports")
    good, evil = sample(), evil_comparison(300)
    leaks = LeakReport(leaks=tuple(Leak(kind="same text", file="t.txt", line=1, reason="w" * 300) for _ in range(9)))
    pages = {
        "verdict": html_report(decision_of(good), good, history=history()),
        "counts": html_report(decision_of(good), good, transcripts=False),
        "measurement": measurement_report(decision_of(good), good),
        "evil": html_report(decision_of(evil), evil, history=history()),
        "leak": leak_page(leaks, "city", "abc"),
        "track": track_page(FACTS),
        "tracks": index_page([Summary(FACTS.state)], FACTS.now),
    }
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page, "utf-8")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chrome(chromium: str) -> AsyncIterator[Browser]:
    """Chromium, without any page."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


async def opened(chrome: Browser, file: Path, width: int) -> Look:
    """A report as it is after a double click."""
    page = await chrome.new_page(viewport={"width": width, "height": WIDTHS[width]})
    look = Look(page)
    page.on("request", lambda request: look.requests.append(request.url))
    page.on("console", lambda message: look.messages.append(message.text))
    page.on("pageerror", lambda error: look.messages.append(str(error)))
    await page.goto(file.as_uri())
    return look


@pytest.mark.parametrize("name", ["verdict", "counts", "measurement", "evil", "leak", "track", "tracks"])
async def test_a_report_fits_asks_for_nothing_and_leads_with_its_verdict(
    chrome: Browser, reports: Path, name: str
) -> None:
    """At every width, light and dark: no sideways scrolling, no request, no complaint, the verdict on the first screen."""
    look = await opened(chrome, reports / f"{name}.html", 1280)

    for scheme, width in product(("light", "dark"), WIDTHS):
        await look.page.emulate_media(color_scheme=scheme)
        await look.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        assert await look.page.evaluate("document.documentElement.scrollWidth") <= width
        sign = await look.page.locator(".sign").bounding_box()
        assert sign is not None
        assert sign["y"] + sign["height"] < WIDTHS[width] / 2
    assert look.requests == [(reports / f"{name}.html").as_uri()]
    assert look.messages == []
    await look.page.close()


async def test_a_manager_reads_figures_and_reasons_without_scrolling_on_a_desk(chrome: Browser, reports: Path) -> None:
    """The first screen is all that they read."""
    look = await opened(chrome, reports / "verdict.html", 1280)

    last = await look.page.locator(".reasons li").last.bounding_box()

    assert last is not None
    assert last["y"] + last["height"] < WIDTHS[1280]
    await look.page.close()


async def test_a_script_in_a_transcript_does_not_run(chrome: Browser, reports: Path, tmp_path: Path) -> None:
    """Even a page into which somebody smuggled one refuses it."""
    smuggled = (
        (reports / "evil.html").read_text("utf-8").replace("</footer>", "<script>document.title='x'</script></footer>")
    )
    (tmp_path / "smuggled.html").write_text(smuggled, "utf-8")

    look = await opened(chrome, tmp_path / "smuggled.html", 1280)

    assert await look.page.title() != "x"
    assert any("Content Security Policy" in message for message in look.messages)
    await look.page.close()


async def test_dark_is_dark_and_charts_follow(chrome: Browser, reports: Path) -> None:
    """A white chart on a dark page blinds people."""
    look = await opened(chrome, reports / "verdict.html", 1280)
    colours = """['body', 'svg text'].map(one => {
        const style = getComputedStyle(document.querySelector(one));
        return one == 'body' ? style.backgroundColor : style.fill })"""

    assert await look.page.evaluate(colours) == ["rgb(245, 247, 249)", "rgb(31, 41, 51)"]
    await look.page.emulate_media(color_scheme="dark")
    assert await look.page.evaluate(colours) == ["rgb(20, 25, 30)", "rgb(228, 233, 238)"]
    await look.page.close()


async def test_lists_to_paste_can_be_selected_with_the_keyboard(chrome: Browser, reports: Path) -> None:
    """Open, Tab into the list, Ctrl+A: words only, one per line; and the other list has a tab in every line."""
    look = await opened(chrome, reports / "verdict.html", 1280)
    await look.page.get_by_text("To paste into training data").click()

    plain = await look.page.get_by_label("For plain_text.txt").input_value()
    spoken = await look.page.get_by_label("For pronunciation.txt").input_value()

    assert plain.splitlines()[0] == "souq"
    assert all(line.count("\t") == 1 for line in spoken.splitlines())
    await look.page.close()


async def test_a_report_prints_with_everything_unfolded(chrome: Browser, reports: Path) -> None:
    """Paper has no triangles to click at."""
    look = await opened(chrome, reports / "verdict.html", 820)
    folded = look.page.locator("details textarea").first

    assert not await folded.is_visible()
    await look.page.emulate_media(media="print")
    assert await folded.is_visible()
    await look.page.close()
