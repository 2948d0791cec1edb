"""`speechops reports`: the report pages of a store, for this machine's browser. They hold transcripts, so nobody else gets them."""

import re
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi import Path as InPath
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import FileResponse, HTMLResponse

from deployments.addresses import LOOPBACK

_FILES = {"report.html": "text/html; charset=utf-8", "charts.png": "image/png"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_DIGEST = re.compile("[0-9a-f]{64}")


def report_app(store: Path) -> FastAPI:
    """An application with the reports in the folder of a store, and nothing else of it."""
    evidence = store / "evidence"
    app = FastAPI(openapi_url=None)
    # Whoever has a name lead to 127.0.0.1 must not read them through somebody's browser.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])

    @app.get("/")
    def index() -> HTMLResponse:
        return HTMLResponse(_index(evidence), headers=_HEADERS)

    @app.get("/{digest}/{name}")
    def report(digest: Annotated[str, InPath(pattern=f"^{_DIGEST.pattern}$")], name: str) -> FileResponse:
        path = evidence / digest / name
        if name not in _FILES or not path.is_file():
            raise HTTPException(404, "There is no such report.")
        return FileResponse(path, media_type=_FILES[name], headers=_HEADERS)

    return app


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
