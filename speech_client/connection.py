"""The conversation with one Speech resource: addresses, credential, retries. Knows no entity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from speech_client.answers import Answer, Call, failure_of, read, too_large
from speech_client.auth import Credential
from speech_client.errors import BadInput
from speech_client.links import API, endpoint_of, followed
from speech_client.redaction import quieten_httpx_log
from speech_client.retries import REPEATABLE, RetryPolicy, Sleep

FOREIGN_REMEDY = "A signed address is valid for some hours only: list the files again and download at once."
LARGEST_ANSWER = 256 * 1024**2
"""In bytes, after decompression. Files that we read hold one recording's words or one report; they stay far below."""

_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that are no longer true of a body that has been read and decompressed."""


class Connection:
    """Sends requests to `endpoint` and turns whatever happens into an `Answer` or a `SpeechError`."""

    def __init__(
        self,
        endpoint: str,
        credential: Credential,
        api_version: str,
        *,
        http: httpx.AsyncClient,
        sleep: Sleep,
        retry: RetryPolicy,
        largest_answer: int = LARGEST_ANSWER,
    ) -> None:
        self.endpoint = endpoint_of(endpoint)
        self._credential = credential
        self.api_version = api_version
        self._http = http
        self._sleep = sleep
        self._retry = retry
        self._largest_answer = largest_answer
        quieten_httpx_log()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET `path`, which is relative to ``{endpoint}/speechtotext/``; repeated when it fails for a moment."""
        return await self._request("GET", path, params)

    async def post(self, path: str, json: Any = None) -> Answer:
        """POST `path`, exactly once; after an `ambiguous` error look whether it took effect."""
        return await self._request("POST", path, json=json)

    async def patch(self, path: str, json: Any) -> Answer:
        """PATCH `path`; repeatable, since it sets values and adds nothing."""
        return await self._request("PATCH", path, json=json)

    async def put(self, path: str, content: bytes, params: Mapping[str, str]) -> Answer:
        """PUT raw bytes; repeatable."""
        return await self._request(
            "PUT", path, params, content=content, headers={"Content-Type": "application/octet-stream"}
        )

    async def delete(self, path: str) -> Answer:
        """DELETE `path`; repeatable."""
        return await self._request("DELETE", path)

    async def follow(self, link: str) -> Answer:
        """GET a link that the service gave, if it leads to the same service.

        Raises:
            UnexpectedAnswer: It leads elsewhere. Our credential stays with our service.
        """
        return await self.send(Call(method="GET", url=followed(link, self.endpoint), repeatable=True))

    async def fetch(self, address: str) -> bytes:
        """Return the content of a signed address, of whatever host; our credential is never sent there."""
        call = Call(method="GET", url=address, signed=False, repeatable=True)
        return (await self.send(call)).body

    async def send(self, call: Call) -> Answer:
        """Send any request; for operations outside ``/speechtotext/``."""
        if call.repeatable:
            return await self._retry.retrying(self._sleep)(self._send_once, call)
        return await self._send_once(call)

    async def _request(self, method: str, path: str, params: Mapping[str, str] | None = None, **more: Any) -> Answer:
        url = f"{self.endpoint}{API}{path}"
        versioned = {**(params or {}), "api-version": self.api_version}
        return await self.send(
            Call(
                method=method,
                url=url,
                params=versioned,
                repeatable=method in REPEATABLE,
                **more,
            )
        )

    async def _send_once(self, call: Call) -> Answer:
        response = await self._exchange(call)
        if response.status_code == httpx.codes.UNAUTHORIZED and call.signed and await self._credential.renew():
            response = await self._exchange(call)  # refused before it had any effect, so even a POST may go again
        return read(call, response, self._credential.remedy if call.signed else FOREIGN_REMEDY)

    async def _exchange(self, call: Call) -> httpx.Response:
        proof = await self._credential.headers() if call.signed else {}
        try:
            async with self._http.stream(
                call.method,
                call.url,
                params=call.params,
                json=call.json,
                content=call.content,
                headers={**call.headers, **proof},
            ) as response:
                return await self._whole(call, response)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise BadInput(f"{call} cannot be sent: {error}") from None
        except httpx.RequestError as error:
            raise failure_of(call, error) from None  # httpx's errors carry the request, and with it the key

    async def _whole(self, call: Call, response: httpx.Response) -> httpx.Response:
        """Return the response with its body, which is read no further than what memory is meant to hold."""
        limit, body = self._largest_answer, bytearray()
        if int(response.headers.get("Content-Length", 0)) > limit:
            raise too_large(call, limit)
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > limit:
                raise too_large(call, limit)
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_WIRE]
        return httpx.Response(
            response.status_code, headers=headers, content=bytes(body), extensions=response.extensions
        )
