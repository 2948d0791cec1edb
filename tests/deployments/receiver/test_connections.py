"""A stranger who sends half a request, or sends it slowly, closes no hook and no health check."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from deployments.receiver.app import create_app
from deployments.receiver.connections import MOST_HEAD_BYTES, Limits
from deployments.receiver.settings import ReceiverSettings
from tests.deployments.receiver.connection_kit import LONG, PROBE, READY, Place, listening, request
from tests.deployments.receiver.hook_kit import FORGED, OPEN, Receiver, github, payload

PATIENT = Limits(head_seconds=LONG, request_seconds=LONG, rest_seconds=LONG)
PUSH = github(payload("github-push"))
STRANGER = github(payload("github-push"), FORGED)
MANY = 4 * MOST_HEAD_BYTES
CLOSED = 0
"""Who sends more than is read may not see the answer."""
WHOLE = request(PUSH) + PUSH.body


Served = Callable[[Limits], AbstractAsyncContextManager[Place]]


@pytest.fixture
def served(receiver: Receiver, tmp_path: Path) -> Served:
    """The receiver behind limited connections."""

    @asynccontextmanager
    async def serve(limits: Limits) -> AsyncIterator[Place]:
        settings: Any = OPEN
        async with listening(create_app(ReceiverSettings(data=tmp_path, **settings), receiver.outbox), limits) as place:
            yield place

    return serve


@pytest.mark.parametrize("first", [b"", b"P", b"POST /hooks/github HTTP/1.1\r\nX-A: b\r\n"])
async def test_a_connection_without_whole_headers_is_closed(first: bytes, served: Served) -> None:
    """Whether it sends nothing, one byte, or half of them."""
    async with served(Limits(head_seconds=0.1, request_seconds=LONG, rest_seconds=LONG)) as place:
        line = await place.line(first)
        await line.ended()


async def test_headers_that_trickle_do_not_move_the_deadline(served: Served) -> None:
    """A byte now and then (slowloris) is no reason to wait."""
    async with served(Limits(head_seconds=0.2, request_seconds=LONG, rest_seconds=LONG)) as place:
        line = await place.line(b"POST /hooks/github HTTP/1.1\r\n")
        await line.drip(b"A:b\r\n")


async def test_the_next_request_of_a_connection_has_a_deadline_too(served: Served) -> None:
    """One good request is no ticket."""
    async with served(Limits(head_seconds=0.2, request_seconds=LONG, rest_seconds=LONG)) as place:
        line = await place.line(PROBE)
        assert await line.answer() == 200
        line.say(b"GET /healthz HT")
        await line.drip(b"T")


async def test_a_body_that_trickles_is_given_up(served: Served) -> None:
    """Whatever its headers promise."""
    async with served(Limits(head_seconds=LONG, request_seconds=0.2, rest_seconds=LONG)) as place:
        line = await place.line(request(STRANGER, length=1_000_000))
        await line.drip(b" ")


async def test_the_rest_of_a_body_after_the_answer_is_given_up(served: Served) -> None:
    """An unsigned one is refused by its headers; what follows is read away for a moment only."""
    async with served(Limits(head_seconds=LONG, request_seconds=LONG, rest_seconds=0.2)) as place:
        line = await place.line(b"POST /hooks/github HTTP/1.1\r\nHost: receiver\r\nContent-Length: 1000000\r\n\r\n")
        assert await line.answer() == 401
        await line.drip(b" ")


async def test_half_open_connections_close_no_hook_and_no_probe(served: Served, receiver: Receiver) -> None:
    """More of them than there may be connections: the oldest go; hooks and health are answered all the while."""
    limits = Limits(most=40, head_seconds=LONG, request_seconds=LONG, rest_seconds=LONG)
    async with served(limits) as place:
        for number in range(120):
            line = await place.line()
            line.say(request(STRANGER, length=9_000) if number % 2 else b"POST /hooks/github HTTP/1.1\r\nX-A")
        answers = []
        for asked in (PROBE, READY, WHOLE):
            line = await place.line()
            line.say(asked)
            answers.append(await line.answer())

    assert answers == [200, 200, 202]
    assert receiver.outbox.count_pending() == 1


async def test_who_opens_most_connections_loses_them_first(served: Served) -> None:
    """A sender who is slower than a flood of a stranger still gets its answer."""
    limits = Limits(most=8, head_seconds=LONG, request_seconds=LONG, rest_seconds=LONG)
    async with served(limits) as place:
        slow = await place.line()
        slow.say(WHOLE[:100])
        for _ in range(30):
            await place.line(b"P", "127.0.0.2")
        slow.say(WHOLE[100:])

        assert await slow.answer() == 202


async def test_giant_headers_are_refused(served: Served) -> None:
    """In one piece or in many lines."""
    async with served(PATIENT) as place:
        for line_of_it in (b"X-A: " + b"a" * MANY + b"\r\n", b"A:b\r\n" * MANY):
            line = await place.line(b"POST /hooks/github HTTP/1.1\r\nHost: receiver\r\n" + line_of_it + b"\r\n")
            assert await line.answer() in (400, CLOSED)
            await line.ended()


async def test_many_headers_are_refused(served: Served) -> None:
    """Even small ones."""
    async with served(PATIENT) as place:
        line = await place.line(request(PUSH, *(f"X-{number}: a" for number in range(200))) + PUSH.body)

        assert await line.answer() == 431


async def test_a_body_in_chunks_is_taken_and_one_in_crumbs_is_not(served: Served, receiver: Receiver) -> None:
    """Without a length it is counted as it comes; chunks of one byte would cost a thousand times their size."""
    chunked = request(PUSH, "Transfer-Encoding: chunked")
    async with served(PATIENT) as place:
        good, bad = await place.line(), await place.line()
        good.say(chunked + b"%x\r\n%b\r\n0\r\n\r\n" % (len(PUSH.body), PUSH.body))
        bad.say(chunked + b"".join(b"1\r\n%c\r\n" % byte for byte in PUSH.body) + b"0\r\n\r\n")

        assert await good.answer() == 202
        assert await bad.answer() in (400, CLOSED)

    assert receiver.outbox.count_pending() == 1


async def test_crumbs_after_the_answer_end_the_connection(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Without a word in the log, which strangers could fill."""
    async with served(PATIENT) as place:
        line = await place.line(b"POST /hooks/github HTTP/1.1\r\nHost: receiver\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert await line.answer() == 401
        await line.drip(b"1\r\na\r\n" * 10)

    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_body_without_a_length_is_capped(served: Served) -> None:
    """As one with a length."""
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    async with served(PATIENT) as place:
        line = await place.line(request(STRANGER, "Transfer-Encoding: chunked"))
        sending = asyncio.create_task(line.drip(chunk * 16))

        assert await line.answer() == 413
        sending.cancel()


async def test_requests_that_are_lined_up_are_answered_once(served: Served, receiver: Receiver) -> None:
    """No sender does it; whoever does sends the second again."""
    async with served(PATIENT) as place:
        line = await place.line(WHOLE + PROBE * 1000)
        assert await line.answer() == 202
        assert await line.ended() == b""

    assert receiver.outbox.count_pending() == 1
