"""Files of entities: their list, one of them, and the signed address that gives the bytes."""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import FileResponse, JSONResponse

from emulator.auth import ServiceOf
from emulator.calls import Call, Calls
from emulator.entities import Entity, StoredFile
from emulator.errors import invalid, not_found
from emulator.filters import OF_FILES
from emulator.paging import Paging
from emulator.retention import forget_expired
from emulator.signing import DEFAULT_LIFETIME

MAX_LIFETIME_MINUTES = 60 * 24 * 31
DENIED = (
    '<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code>'
    "<Message>The signature is wrong or has expired.</Message></Error>"
)
contents = APIRouter()


def lifetime(minutes: Annotated[int | None, Query(alias="sasLifetimeMinutes")] = None) -> timedelta:
    """How long addresses of contents are to work."""
    if minutes is None:
        return DEFAULT_LIFETIME
    if not 1 <= minutes <= MAX_LIFETIME_MINUTES:
        message = f"sasLifetimeMinutes must be between 1 and {MAX_LIFETIME_MINUTES}."
        raise invalid("InvalidSasValidityDuration", message, "sasLifetimeMinutes")
    return timedelta(minutes=minutes)


Lifetime = Annotated[timedelta, Depends(lifetime)]


def add_file_routes(router: APIRouter, kind: type[Entity]) -> None:
    """Give a noun its `/files` operations."""
    collection = f"/{kind.noun}/{{entity_id}}/files"

    @router.get(collection)
    async def list_files(call: Calls, entity_id: UUID, page: Paging, lifetime: Lifetime) -> JSONResponse:
        entity = call.find(kind, entity_id)
        files = call.store.files(entity.id)
        values, more = page.of(files, lambda file: _body(call, entity, file, lifetime), OF_FILES)
        minutes = None if lifetime == DEFAULT_LIFETIME else int(lifetime / timedelta(minutes=1))
        body = page.body(values, more, call.addresses, f"{entity.path}/files", sasLifetimeMinutes=minutes)
        return JSONResponse(body, headers=call.pace(entity))

    @router.get(collection + "/{file_id}")
    async def get_file(call: Calls, entity_id: UUID, file_id: UUID, lifetime: Lifetime) -> JSONResponse:
        entity = call.find(kind, entity_id)
        file = call.store.file(str(file_id), entity.id)
        if file is None:
            raise not_found("file")
        return JSONResponse(_body(call, entity, file, lifetime))


def _body(call: Call, entity: Entity, file: StoredFile, lifetime: timedelta) -> dict[str, Any]:
    query = urlencode(call.service.signer.query(file.id, call.service.clock(), lifetime))
    shown = file.model_dump(mode="json", by_alias=True, include={"name", "kind", "created_date_time"})
    return {
        "self": call.addresses.of(f"{entity.path}/files/{file.id}"),
        **shown,
        "links": {"contentUrl": f"{call.addresses.base}/artifacts/{file.id}/{quote(file.name)}?{query}"},
        "properties": file.model_dump(by_alias=True, exclude_none=True, include={"size", "duration_milliseconds"}),
    }


@contents.get("/artifacts/{file_id}/{name:path}", dependencies=[Depends(forget_expired)])
async def get_content(service: ServiceOf, file_id: UUID, name: str, se: str = "", sig: str = "") -> Response:
    """The bytes, for whoever has a signature; errors look like the blob service's."""
    file = service.store.file(str(file_id))
    if file is None or not service.signer.opens(str(file_id), se, sig, service.clock()):
        return denied()
    return FileResponse(service.data / file.content, media_type=_media_type(file.name))


def denied() -> Response:
    """What the blob service answers to a signature that does not open."""
    return Response(DENIED, status_code=403, media_type="application/xml")


def _media_type(name: str) -> str:
    types = {".json": "application/json", ".txt": "text/plain", ".wav": "audio/wav", ".zip": "application/zip"}
    return next((kind for end, kind in types.items() if name.endswith(end)), "application/octet-stream")
