"""`speechops reports`: the pages of a store's tracks, and their reports, for this machine's browser.

Reports hold transcripts, so nobody else gets them.
"""

import re
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from deployments.addresses import LOOPBACK
from deployments.doorway import behind_doorway
from domain.lineage.places import INDEX, page_key
from domain.track import TRACK_NAME

_HTML = "text/html; charset=utf-8"
_FILES = {"report.html": _HTML, "charts.png": "image/png"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-site",  # the Prefect UI shows the charts
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_DIGEST = re.compile("[0-9a-f]{64}")
_PAGE = rf"^{TRACK_NAME.pattern}_?\.html$"


def report_app(store: Path) -> ASGIApp:
    """An application with the reports in the folder of a store, and nothing else of it."""
    evidence = store / "evidence"
    app = FastAPI(openapi_url=None)

    @app.get("/")
    def start() -> Response:
        return RedirectResponse(f"/{INDEX}") if (store / INDEX).is_file() else reports()

    @app.get("/reports")
    def reports() -> Response:
        return HTMLResponse(_index(evidence), headers=_HEADERS)

    @app.get("/pages/{name}")
    def page(name: Annotated[str, InPath(pattern=_PAGE)]) -> FileResponse:
        return _file(store / "pages" / name, "There is no such page.")

    @app.get("/tracks/{track}")
    def track(track: Annotated[str, InPath(pattern=f"^{TRACK_NAME.pattern}$")]) -> RedirectResponse:
        return RedirectResponse(f"/{page_key(track)}")

    @app.get("/evidence/{digest}/{name}")  # where the pages' relative links lead
    @app.get("/{digest}/{name}")
    def report(digest: Annotated[str, InPath(pattern=f"^{_DIGEST.pattern}$")], name: str) -> FileResponse:
        return _file(evidence / digest / name if name in _FILES else None, "There is no such report.")

    return behind_doorway(app)


def _file(path: Path | None, missing: str) -> FileResponse:
    if path is None or not path.is_file():
        raise HTTPException(404, missing)
    return FileResponse(path, media_type=_FILES.get(path.name, _HTML), headers=_HEADERS)


def serve_reports(store: Path, port: int) -> None:
    """Serve until the process is stopped."""
    uvicorn.run(report_app(store), host=LOOPBACK, port=port, log_level="warning", access_log=False)


def _index(evidence: Path) -> str:
    found = [path for path in evidence.glob("*/report.html") if _DIGEST.fullmatch(path.parent.name)]
    newest = sorted(found, key=lambda path: (-path.stat().st_mtime, path.parent.name))
    items = "".join(
        f'<li><a href="/{path.parent.name}/report.html">{path.parent.name[:12]}</a></li>' for path in newest
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>Reports</title><style>:root{color-scheme:light dark}body{font:16px/1.6 system-ui;margin:2rem auto;"
        f"max-width:40rem}}</style><h1>Reports, the newest first</h1><ol>{items or '<li>none yet</li>'}</ol></html>"
    )
