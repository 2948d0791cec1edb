"""Errors in Azure's body shape: a top-level object with `code`, `message`, and the detailed code in `innerError`.

    ServiceError                 every answer >= 400 under /speechtotext
    ├── invalid()        400     InvalidRequest + detailed code
    ├── not_found()      404     NotFound
    └── conflict()       409     Conflict + detailed code
    JobFailure                   a job ends as Failed, with `properties.error`

Microsoft's specification lists the codes but not their HTTP statuses; the mapping is ours.
"""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

log = logging.getLogger(__name__)

CODES = {
    400: "InvalidRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "NotAllowed",
    409: "Conflict",
    413: "InvalidRequest",
    415: "UnsupportedMediaType",
    422: "UnprocessableEntity",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
NO_JSON = "The request body is not valid JSON for this operation."


class ServiceError(Exception):
    """A request that is refused; `detail` is the `DetailedErrorCode` of `innerError`, `target` the property at fault."""

    def __init__(self, status: int, message: str, *, detail: str | None = None, target: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.detail, self.target = status, message, detail, target

    def body(self) -> dict[str, Any]:
        """The `Error` object of the specification."""
        body: dict[str, Any] = {"code": CODES[self.status], "message": self.message}
        if self.target:
            body["target"] = self.target
        if self.detail:
            body["innerError"] = {"code": self.detail, "message": self.message}
        return body


class JobFailure(Exception):
    """A job that cannot succeed; becomes the entity's `properties.error`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def __reduce__(self) -> tuple[type["JobFailure"], tuple[str, str]]:
        return JobFailure, (self.code, self.message)  # it travels between processes


def invalid(detail: str, message: str, target: str | None = None) -> ServiceError:
    """A 400 whose reason is the detailed code."""
    return ServiceError(400, message, detail=detail, target=target)


def conflict(detail: str, message: str) -> ServiceError:
    """A 409: the request is right, but not in the entity's present state."""
    return ServiceError(409, message, detail=detail)


def not_found(what: str = "entity") -> ServiceError:
    """A 404."""
    return ServiceError(404, f"The specified {what} cannot be found.")


def install(app: FastAPI) -> None:
    """Make every error of the app leave in Azure's shape."""
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(Exception, _on_unexpected_error)


def answer(error: ServiceError) -> JSONResponse:
    """The response for an error."""
    return JSONResponse(error.body(), status_code=error.status)


async def _on_service_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)  # noqa: S101  registered for this class only
    return answer(error)


async def _on_http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 404:
        return answer(not_found("resource"))
    if error.status_code == 400:  # raised by FastAPI for a body that it cannot parse
        return answer(invalid("InvalidRequestBodyFormat", NO_JSON))
    return answer(ServiceError(error.status_code if error.status_code in CODES else 400, str(error.detail)))


async def _on_validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problem = error.errors()[0]
    where, *path = [str(part) for part in problem["loc"]]
    target = ".".join(path)
    if where == "body" and (problem["type"] == "json_invalid" or not path):
        return answer(invalid("InvalidRequestBodyFormat", NO_JSON))
    detail = "InvalidPayload" if where == "body" else "InvalidParameterValue"
    return answer(invalid(detail, f"{target}: {problem['msg']}.", target))


async def _on_unexpected_error(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s: %s", request.method, request.url.path, where(error))
    return answer(ServiceError(500, "An unexpected error occurred in the emulator; its log says where."))


def where(error: BaseException) -> str:
    """The kind of an error and its place in the code: what may be logged, for messages can quote transcripts or SAS."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_name}, line {frame.tb_lineno}" if frame else "unknown place"
    return f"{type(error).__name__} in {place}"
