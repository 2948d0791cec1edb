"""The conversation with one Speech resource: addresses, credential, retries. Knows no entity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import httpx

from speech_client.answers import Answer, Call, Content, failure_of, read, retry_after_of, too_large
from speech_client.auth import Credential
from speech_client.errors import BadInput, SpeechError
from speech_client.links import API, endpoint_of, followed
from speech_client.pacing import Pace
from speech_client.redaction import HiddenItems, quieten_http_logs
from speech_client.retries import REPEATABLE, RetryPolicy, Sleep

FOREIGN_REMEDY = "A signed address is valid for some hours only: list the files again and download at once."
CONNECT_TIMEOUT = 10.0
"""Seconds."""
LARGEST_ANSWER = 256 * 1024**2
"""In bytes, after decompression. Files that we read hold one recording's words or one report; they stay far below."""

Take: TypeAlias = Callable[[Call, httpx.Response], Awaitable[None]]
"""Reads the body of a successful answer."""

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
        pace: Pace | None = None,
    ) -> None:
        self.endpoint = endpoint_of(endpoint)
        self._credential = credential
        self.api_version = api_version
        self._http = http
        self._sleep = sleep
        self._retry = retry
        self._largest_answer = largest_answer
        self._pace = pace or Pace(sleep=sleep)
        quieten_http_logs()

    def require(self, version: str, what: str) -> None:
        """Make sure that the service knows `what`, which came with an API version.

        Raises:
            BadInput: The client's version is older; nothing was sent.
        """
        if self.api_version < version:
            raise BadInput(
                f"{what} needs API version {version} or later, and this client speaks {self.api_version}. "
                f"Make the client with api_version={version!r}."
            )

    def address(self, path: str) -> str:
        """Return the address of `path`."""
        return f"{self.endpoint}{API}{path}"

    def versioned(self, params: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the query of a request: `params`, and the API version that Azure wants everywhere."""
        return {**(params or {}), "api-version": self.api_version}

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET `path`, which is relative to ``{endpoint}/speechtotext/``; repeated when it fails for a moment."""
        return await self._request("GET", path, params)

    async def post(self, path: str, json: Any = None) -> Answer:
        """POST `path`, exactly once; after an `ambiguous` error look whether it took effect."""
        return await self._request("POST", path, json=json)

    async def patch(self, path: str, json: Any) -> Answer:
        """PATCH `path`; repeatable, since it sets values and adds nothing. Only in a merge patch does null remove."""
        return await self._request("PATCH", path, json=json, headers={"Content-Type": "application/merge-patch+json"})

    async def put(self, path: str, content: Content, size: int, params: Mapping[str, str]) -> Answer:
        """PUT `size` raw bytes; repeatable, and `content` begins anew each time."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        return await self._request("PUT", path, params, content=content, headers=headers)

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

    async def fetch_into(self, address: str, take: Take) -> None:
        """Like `fetch`, but let `take` have a successful answer as it comes, anew with each attempt."""
        call = Call(method="GET", url=address, signed=False, repeatable=True)
        await self.send(call, take)

    async def send(self, call: Call, take: Take | None = None) -> Answer:
        """Send any request; for operations outside ``/speechtotext/``."""
        if call.repeatable:
            return await self._retry.retrying(self._sleep)(self._send_once, call, take)
        return await self._send_once(call, take)

    async def _request(self, method: str, path: str, params: Mapping[str, str] | None = None, **more: Any) -> Answer:
        return await self.send(
            Call(
                method=method,
                url=self.address(path),
                params=self.versioned(params),
                repeatable=method in REPEATABLE,
                **more,
            )
        )

    async def _send_once(self, call: Call, take: Take | None = None) -> Answer:
        response = await self._paced(call, take)
        if response.status_code == httpx.codes.UNAUTHORIZED and call.signed and await self._credential.renew():
            response = await self._paced(call, take)  # refused before it had any effect, so even a POST may go again
        return read(call, response, self._credential.remedy if call.signed else FOREIGN_REMEDY)

    async def _paced(self, call: Call, take: Take | None) -> httpx.Response:
        if not call.url.startswith(f"{self.endpoint}{API}"):
            return await self._exchange(call, take)  # storage and recognition have quotas of their own
        await self._pace.turn()
        response = await self._exchange(call, take)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            self._pace.hold(retry_after_of(response) or 0.0)
        return response

    async def _exchange(self, call: Call, take: Take | None) -> httpx.Response:
        try:
            return await self._sent(call, take)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            failure: SpeechError = BadInput(f"{call} cannot be sent: this is no address of a web service.")
        except httpx.RequestError as error:
            failure = failure_of(call, error)
        raise failure  # outside of the handler: httpx's error holds the request, and with it the key

    async def _sent(self, call: Call, take: Take | None) -> httpx.Response:
        proof = HiddenItems(await self._credential.headers() if call.signed else {})
        with call.body() as body:
            async with self._http.stream(
                call.method,
                call.url,
                params=call.params,
                headers={**call.headers, **proof},
                timeout=self._timeout_of(call),
                **body,
            ) as response:
                if take is None or not response.is_success:
                    return await self._whole(call, response)
                await take(call, response)
                return httpx.Response(response.status_code)

    async def _whole(self, call: Call, response: httpx.Response) -> httpx.Response:
        """Return the response with its body, which is read no further than what memory is meant to hold."""
        limit, body = self._largest_answer, bytearray()
        if int(response.headers.get("Content-Length", 0)) > limit:
            raise too_large(call, limit)
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > limit:
                chunk, body = b"", bytearray()  # a traceback may show local variables
                raise too_large(call, limit)
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_WIRE]
        return httpx.Response(
            response.status_code, headers=headers, content=bytes(body), extensions=response.extensions
        )

    def _timeout_of(self, call: Call) -> httpx.Timeout:
        if call.answer_within is None:
            return self._http.timeout
        return httpx.Timeout(call.answer_within, connect=CONNECT_TIMEOUT)
