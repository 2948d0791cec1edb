"""The source's side of a model copy: send the model's recipe to the target until the model is there.

The target knows the operation by its id, so sending again, after a lost answer or a restart, makes no second model.
"""

import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from emulator import recipes
from emulator.copy_target import AUTHORIZATION_HEADER, MAX_BYTES, RECEIVING_PATH
from emulator.entities import CustomModel, ModelCopy, Noun, id_in, path_of
from emulator.errors import JobFailure
from emulator.fetching import open_client
from emulator.service import Service
from emulator.settings import API_VERSION

RETRY_SECONDS = 60.0
"""How long a target may be out of reach: it can start again meanwhile."""
BUILD_SECONDS = 1800.0
"""How long it may take to build the model."""
LONGEST_ANSWER = 65_536
CHUNK = 1024**2

REFUSALS = {
    "InvalidPermissions": "The target resource does not know the authorization.",
    "InvalidSourceAzureResourceId": "The authorization is for another source than this resource.",
    "ModelCopyAuthorizationExpired": "The authorization to copy has expired; the target resource can give another one.",
    "ModelExists": "The authorization was used before; the target resource can give another one.",
    "InvalidModel": "The copied model has been deleted in the target resource.",
    "InvalidBaseModel": "The target resource does not have the model's base model.",
    "InvalidPayload": "The target resource does not take the model: it is too large, or made by another version.",
}
"""Detailed codes of the target, and what they mean here; its own words are a stranger's."""


class _Unreachable(Exception):
    """The target could not be asked, or could not answer."""


async def run(service: Service, copy: ModelCopy) -> Callable[[ModelCopy], ModelCopy]:
    """Copy; the operation gets the new model's address."""
    model = service.store.find(CustomModel, id_in(copy.model))
    if model is None or model.recipe_key is None:
        raise JobFailure("InvalidModel", "The model does not exist or is not trained.")
    recipe = recipes.path_of(service.data, model.recipe_key)
    if recipe.stat().st_size > MAX_BYTES:
        raise JobFailure(
            "InvalidPayload", f"A model with more than {MAX_BYTES // 1024**2} MB of text is not copied here."
        )
    attempts = AsyncRetrying(
        retry=retry_if_exception_type(_Unreachable),
        stop=stop_after_delay(RETRY_SECONDS),
        wait=wait_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
    try:
        created: str = await attempts(_send, service, copy, model, recipe)
    except _Unreachable as error:
        message = f"The target resource cannot be reached: {error}."
        raise JobFailure("InternalCommunicationFailed", message) from None
    return partial(_finished, service, f"{copy.target}{path_of(Noun.MODELS, created)}?api-version={API_VERSION}")


def _finished(service: Service, link: str, copy: ModelCopy) -> ModelCopy:
    service.store.count("model_copies")
    return copy.model_copy(update={"result": link, "authorization": ""})


async def _send(service: Service, copy: ModelCopy, model: CustomModel, recipe: Path) -> str:
    """Send it once; the result is the new model's id."""
    timeout = httpx.Timeout(30.0, read=BUILD_SECONDS)
    try:
        async with (
            open_client(service.settings, timeout=timeout, follow_redirects=False) as client,
            client.stream(
                "PUT",
                f"{copy.target}{RECEIVING_PATH}/{copy.id}",
                params={"sourceResourceId": service.settings.resource_id},
                headers={AUTHORIZATION_HEADER: copy.authorization, "Content-Type": "application/json"},
                content=_parcel(model, recipe),
            ) as response,
        ):
            return _created(response.status_code, await _beginning(response))
    except JobFailure as failure:
        raise _not_public(failure) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _Unreachable(type(error).__name__) from None


async def _parcel(model: CustomModel, recipe: Path) -> AsyncIterator[bytes]:
    """What travels, piece by piece: a recipe is as large as the text it was trained with."""
    shown = {"display_name", "description", "locale", "custom_properties", "base_model", "properties", "recipe_key"}
    yield f'{{"model": {model.model_dump_json(by_alias=True, include=shown)}, "recipe": '.encode()
    with recipe.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
    yield b"}"


async def _beginning(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > LONGEST_ANSWER:
            raise ValueError("the answer is too long")
    return bytes(content)


def _created(status: int, content: bytes) -> str:
    """The id in the target's answer, checked: it is a stranger's."""
    if status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS:
        raise _Unreachable(f"it answers {status}")
    body = _object_in(content) if status in (200, 201, 400, 403, 409) else {}
    if status in (200, 201):
        return str(UUID(str(body.get("model"))))
    inner = body.get("innerError")
    code = str(inner.get("code")) if isinstance(inner, dict) else ""
    if code in REFUSALS:
        raise _Refused(code, REFUSALS[code])
    raise _Refused("InternalCommunicationFailed", f"The target resource refuses the copy: it answers {status}.")


def _object_in(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except RecursionError:
        body = None
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")
    return body


class _Refused(JobFailure):
    """The target's own decision."""


def _not_public(failure: JobFailure) -> JobFailure:
    """What `fetching` refuses is told in terms of a contentUrl there."""
    if isinstance(failure, _Refused):
        return failure
    message = (
        "targetResourceEndpoint leads to an address that is not public. Start the emulator with --allow-private-urls "
        "if you trust everybody who can reach it."
    )
    return JobFailure("InvalidPermissions", message)
