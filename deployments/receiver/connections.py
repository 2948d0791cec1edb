"""Connections with deadlines: whoever sends half a request, or sends it slowly, holds nobody up.

uvicorn waits for ever for the rest of a request, and answers everybody with 503 when too many connections are open. Hypercorn
and Granian wait anew after each byte. So uvicorn's own protocol is kept, and a timer and a limit are put around it:

- a request's headers, and then all of it with its answer, have a deadline each, whatever trickles in meanwhile;
- when too many connections are open, nobody is turned away: the oldest unfinished one goes, of the peer that has most of them.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_HEAD_BYTES: Final = 16 * 1024
_FREE_PIECES: Final = 64
_SMALLEST_PIECE: Final = 256
"""Bytes, on average: a body in chunks of one byte each would cost a thousand times its size in work."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of connections.

    Attributes:
        most: open at once.
        head_seconds: for the headers of a request, from the connection or from its first byte.
        request_seconds: for all of it and its answer, from the end of its headers.
        rest_seconds: for what an early answer left of it; it is read away, so that the sender sees the answer.
    """

    most: int = 512
    head_seconds: float = 10
    request_seconds: float = 45
    rest_seconds: float = 5


class Phase(Enum):
    """What a connection waits for."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    REST = auto()
    IDLE = auto()


class Connection(H11Protocol):
    """One connection. `limits` is for subclasses to set."""

    limits = Limits()

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn = _Frugal(h11.SERVER, MOST_HEAD_BYTES)
        self._phase = Phase.HEAD
        self._since = self.loop.time()
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Its first request is waited for; somebody else may have to go."""
        super().connection_made(transport)
        if hasattr(
            transport, "max_size"
        ):  # asyncio's own: bytes read at once, so that nobody holds the loop up for long
            transport.max_size = MOST_HEAD_BYTES
        self._set_deadline(self.limits.head_seconds)
        if len(self.connections) > self.limits.most:
            _worst(self.connections, self).give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for."""
        self._set_deadline(None)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Of what was read."""
        super().handle_events()
        self._look()

    def on_response_complete(self) -> None:
        """The next request may begin."""
        super().on_response_complete()
        self._look()

    def give_up(self) -> None:
        """Close it at once."""
        self.transport.abort()

    @property
    def peer(self) -> str:
        """The other side's address."""
        return self.client[0] if self.client else ""

    @property
    def since(self) -> float:
        """When it began to wait for what it waits for."""
        return self._since

    @property
    def is_unfinished(self) -> bool:
        """Whether the other side has to send something."""
        return self._phase is not Phase.ANSWER

    def _look(self) -> None:
        """Set the deadline of a phase when it begins; a request and its answer share one."""
        phase = self._current()
        if phase == self._phase:
            return
        goes_on = (self._phase, phase) == (Phase.BODY, Phase.ANSWER)
        self._phase, self._since = phase, self.loop.time()
        if not goes_on:
            self._set_deadline(self._seconds_of(phase))

    def _current(self) -> Phase:
        if self.cycle is not None and not self.cycle.response_complete:
            return self._of_request()
        if self.conn.their_state is not h11.IDLE or self.transport.get_write_buffer_size():
            return Phase.REST
        return Phase.HEAD if self.cycle is None or self.conn.trailing_data[0] else Phase.IDLE

    def _of_request(self) -> Phase:
        if self.cycle.more_body:
            return Phase.BODY
        if self.conn.trailing_data[0]:  # requests are not lined up: the connection ends with this one's answer
            self.cycle.keep_alive = False
        return Phase.ANSWER

    def _seconds_of(self, phase: Phase) -> float | None:
        match phase:
            case Phase.IDLE:
                return None  # uvicorn closes it
            case Phase.HEAD:
                return self.limits.head_seconds
            case Phase.REST:
                return self.limits.rest_seconds
        return self.limits.request_seconds

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self.give_up)


def _worst(connections: set[Any], newest: Connection) -> Connection:
    """Unfinished ones before those that are being answered; of the peer with most of them; the oldest of these."""
    others: list[Connection] = [one for one in connections if one is not newest]
    unfinished = [one for one in others if one.is_unfinished] or others
    of_peer = Counter(one.peer for one in unfinished)
    return min(unfinished, key=lambda one: (-of_peer[one.peer], one.since))


class _Frugal(h11.Connection):
    """Refuses a body that comes in more pieces than it is worth."""

    _pieces = 0
    _bytes = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = self._bytes = 0
        elif isinstance(event, h11.Data):
            self._pieces += 1
            self._bytes += len(event.data)
            if self._pieces > _FREE_PIECES + self._bytes // _SMALLEST_PIECE:
                raise h11.RemoteProtocolError("the body comes in too small pieces")
        return event
