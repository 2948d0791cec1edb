"""Requests to a code host: what may pass is tried again, everything else is told in words. No answer's body is quoted.

Single requests are not repeated, for a second POST would make a second comment. Whole steps are: they look first.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from domain.mistakes import Mistake
from speech_client import RetryPolicy, TransientError
from speech_client.answers import retry_after_of

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_LIMITED = frozenset({403, 429})
_PATIENCE_SECONDS = 20.0
_MOST_PAGES = 50
_ADVICE = {
    401: "The token is wrong or over: make a new one and put it into the block of the data source.",
    403: "The token may not do this: give it the right to read pull requests, and to write statuses and comments.",
    404: "There is no such thing, or the token may not see it: look at the address and the token in the source's block.",
}


class HostBusy(TransientError):
    """The code host did not answer, or asks us to come back later."""


class HostRefused(Mistake):
    """The code host says no, and will say so again."""

    def __init__(self, message: str, status: int = 0, text: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.text = text
        """What it said; it may quote what was sent, so it is for comparing, not for showing."""


@dataclass(frozen=True, slots=True)
class Calls:
    """A way to talk to one code host. It shows nothing of its headers."""

    api: str
    """Base address, such as `https://api.github.com`."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    transport: httpx.AsyncBaseTransport | None = field(default=None, repr=False)
    sleep: Sleep = field(default=asyncio.sleep, repr=False)

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """The JSON at a path."""
        return await self.send("GET", path, params=params)

    async def send(
        self, method: str, path: str, *, json: Any = None, params: Mapping[str, str | int] | None = None
    ) -> Any:
        """One request, once; the JSON that comes back, None without any.

        Raises:
            HostBusy: worth another try of the whole step.
            HostRefused: it is not.
        """
        async with httpx.AsyncClient(transport=self.transport, timeout=_PATIENCE_SECONDS, trust_env=True) as client:
            try:
                answer = await client.request(
                    method, f"{self.api}/{path}", json=json, params=params, headers=dict(self.headers)
                )
            except httpx.TransportError as error:
                raise HostBusy(f"{self._place} did not answer ({type(error).__name__}).") from None
        self._check(answer)
        return _json(answer, self._place)

    async def pages(self, path: str, items: Callable[[Any], list[Any]] = list) -> AsyncIterator[Any]:
        """All items of a list that has numbered pages of 100."""
        for page in range(1, _MOST_PAGES + 1):
            found = items(await self.get(path, {"per_page": 100, "page": page}))
            for one in found:
                yield one
            if len(found) < 100:
                return

    async def patiently(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do a step, and all of it again after what may pass: it must look before it creates.

        Raises:
            HostBusy: the host stays busy.
        """
        async for attempt in RetryPolicy().retrying(self.sleep):
            with attempt:
                return await step()
        raise AssertionError("tenacity ends with a result or an error")

    def _check(self, answer: httpx.Response) -> None:
        after, code = retry_after_of(answer), answer.status_code
        limited = code in _LIMITED and (after is not None or answer.headers.get("x-ratelimit-remaining") == "0")
        if code in _TRANSIENT or limited:
            raise HostBusy(f"{self._place} answers {code}.", retry_after=after, status=code)
        if not answer.is_success or code == 203:  # 203 with a sign-in page: Azure DevOps, without a valid token
            advice = _ADVICE.get(401 if code in (203, 302) else code, "Look at the address in the source's block.")
            raise HostRefused(f"{self._place} answers {code}. {advice}", code, answer.text[:2000])

    @property
    def _place(self) -> str:
        return httpx.URL(self.api).host


def _json(answer: httpx.Response, place: str) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        raise HostRefused(f"{place} answers with something else than JSON. Look at the address of its API.") from None
