"""Reports for this machine's browser, and nothing else of the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deployments.report_server import report_app

DIGEST = "ab" * 32


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of this machine, beside a store with one report."""
    folder = tmp_path / "evidence" / DIGEST
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<h1>PASS</h1>")
    (folder / "ruling.json").write_text("{}")
    (tmp_path / "secret.html").write_text("not a page")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "notes.json").write_text("{}")
    transport = httpx.ASGITransport(report_app(tmp_path))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4280") as client:
        yield client


async def test_a_report_is_shown_and_listed(browser: httpx.AsyncClient) -> None:
    """As a page that may load nothing."""
    page = await browser.get(f"/{DIGEST}/report.html")

    assert page.text == "<h1>PASS</h1>"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert f"/{DIGEST}/report.html" in (await browser.get("/")).text


@pytest.mark.parametrize(
    "path",
    [f"/{DIGEST}/ruling.json", f"/{DIGEST}/..%2freport.html", "/tracks/state.json", f"/{'cd' * 32}/report.html",
     "/..%2f..%2fetc/passwd", "/docs", "/pages/nothing.html", "/pages/..%2fsecret.html", "/pages/notes.json",
     "/pages/../secret.html", f"/evidence/{DIGEST}/ruling.json", "/openapi.json"],
)  # fmt: skip
async def test_nothing_else_is_given_out(browser: httpx.AsyncClient, path: str) -> None:
    """Not the evidence beside it, nor a file above."""
    assert (await browser.get(path)).status_code in (404, 422)


async def test_the_index_of_tracks_is_where_people_arrive(browser: httpx.AsyncClient, tmp_path: Path) -> None:
    """Pages link to each other and to reports by the same relative addresses as in the store's folder."""
    (tmp_path / "pages" / "index.html").write_text("<h1>Tracks</h1>")
    (tmp_path / "pages" / "taxi.html").write_text("<h1>taxi</h1>")

    start = await browser.get("/", follow_redirects=True)
    page = await browser.get("/tracks/taxi", follow_redirects=True)

    assert (start.url.path, start.text) == ("/pages/index.html", "<h1>Tracks</h1>")
    assert (page.url.path, page.text) == ("/pages/taxi.html", "<h1>taxi</h1>")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert (await browser.get(f"/evidence/{DIGEST}/report.html")).text == "<h1>PASS</h1>"
    assert f"/{DIGEST}/report.html" in (await browser.get("/reports")).text


async def test_another_host_name_is_refused(browser: httpx.AsyncClient) -> None:
    """A page of the internet cannot read reports by a name that leads to this machine."""
    assert (await browser.get(f"/{DIGEST}/report.html", headers={"Host": "evil.example"})).status_code == 400
