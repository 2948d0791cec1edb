"""`/datasets/{id}/blocks`: upload of a dataset's data in pieces, as block blobs work."""

import asyncio
import base64
import binascii
import hashlib
import shutil
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from emulator.bodies import BlockReference
from emulator.calls import Call, Calls
from emulator.dataset_job import BLOCKS_CONTENT
from emulator.entities import Dataset
from emulator.errors import ServiceError, conflict, invalid

MAX_BLOCK_BYTES = 8 * 1024**2
MAX_BLOCK_NAME_BYTES = 64
router = APIRouter()


@router.get("/datasets/{dataset_id}/blocks")
async def list_blocks(call: Calls, dataset_id: UUID) -> JSONResponse:
    """Names and sizes of the blocks so far."""
    dataset = call.find(Dataset, dataset_id)
    body: dict[str, list[dict[str, object]]] = {}
    for name, committed in (("committedBlocks", True), ("uncommittedBlocks", False)):
        blocks = call.store.blocks(dataset.id, committed=committed)
        body[name] = [{"name": block, "size": size} for block, size in blocks.items()]
    return JSONResponse(body, headers=call.pace(dataset))


@router.put("/datasets/{dataset_id}/blocks")
async def upload_block(call: Calls, request: Request, dataset_id: UUID, blockid: Annotated[str, Query()]) -> Response:
    """Keep a block; the same id again replaces it."""
    dataset = _open_dataset(call, dataset_id)
    _check_name(blockid, call.store.blocks(dataset.id, committed=False))
    path = _path_of(call, dataset.id, blockid)
    size = await _receive(request, path)
    call.store.put_block(dataset.id, blockid, size)
    return Response(status_code=201)


@router.post("/datasets/{dataset_id}/blocks:commit")
async def commit(call: Calls, dataset_id: UUID, blocks: list[BlockReference]) -> Response:
    """Put the blocks together in this order and start the import."""
    dataset = call.find(Dataset, dataset_id)
    names = [block.id for block in blocks]
    if dataset.committed and names == list(call.store.blocks(dataset.id, committed=True)):
        return Response(status_code=200)  # the same list again: the first answer was lost
    dataset = _open_dataset(call, dataset_id)
    known = call.store.blocks(dataset.id, committed=False)
    unknown = [block.id for block in blocks if block.id not in known or block.kind == "Committed"]
    if unknown or not blocks or len(set(names)) != len(names):
        reason = (
            f"there is no uncommitted block {unknown[0]!r}" if unknown else "name at least one block, and each once"
        )
        raise invalid("InvalidPayload", f"The block list cannot be committed: {reason}.", "blockList")
    paths = [_path_of(call, dataset.id, name) for name in names]
    await asyncio.to_thread(_join, paths, call.service.upload_of(dataset.id) / BLOCKS_CONTENT)
    dataset = _open_dataset(call, dataset_id)  # another commit may have been quicker
    with call.store.transaction():
        call.store.commit_blocks(dataset.id, names)
        call.start(dataset.model_copy(update={"committed": True}))
    return Response(status_code=200)


def _open_dataset(call: Call, dataset_id: UUID) -> Dataset:
    dataset = call.find(Dataset, dataset_id)
    if dataset.committed:
        raise conflict("InvalidPermissions", "The dataset has its data already; blocks can no longer be changed.")
    return dataset


def _check_name(name: str, others: dict[str, int]) -> None:
    try:
        decoded = base64.b64decode(name, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not 1 <= len(decoded) <= MAX_BLOCK_NAME_BYTES:
        message = f"blockid must be Base64 of 1 to {MAX_BLOCK_NAME_BYTES} bytes."
        raise invalid("InvalidParameterValue", message, "blockid")
    if any(len(other) != len(name) for other in others):
        raise invalid("InvalidParameterValue", "All block ids of a dataset must have the same length.", "blockid")


def _path_of(call: Call, dataset_id: str, name: str) -> Path:
    return call.service.upload_of(dataset_id) / f"{hashlib.sha256(name.encode()).hexdigest()}.block"


async def _receive(request: Request, path: Path) -> int:
    """Write the body to a file; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{id(request):x}")
    size = 0
    try:
        with partial.open("wb") as stream:
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_BLOCK_BYTES:
                    raise ServiceError(413, "A block has at most 8 MiB.", detail="InvalidPayload")
                stream.write(chunk)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return size


def _join(blocks: list[Path], path: Path) -> None:
    with path.open("wb") as target:
        for block in blocks:
            with block.open("rb") as source:
                shutil.copyfileobj(source, target, 1024**2)
