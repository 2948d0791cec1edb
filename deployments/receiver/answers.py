"""How the receiver answers."""

from typing import Any

from fastapi.responses import JSONResponse, Response

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def told(status: int, **content: Any) -> Response:
    """An answer in JSON."""
    return JSONResponse(content, status, HEADERS)
