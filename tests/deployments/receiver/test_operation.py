"""What the person on call sees: health, figures, our own troubles, and the start-up lines."""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deployments.receiver import serving
from deployments.receiver.bodies import Bodies
from deployments.receiver.hook import Body, Hook
from deployments.receiver.outbox import Outbox
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.speech import SpeechHook
from domain.mistakes import Mistake
from tasks.data_source import DataSource
from tests.deployments.receiver.hook_kit import (
    FORGED,
    OLD_SECRET,
    SECRET,
    SENDERS,
    FakeClock,
    Receiver,
    github,
    payload,
    receiving,
    speech,
)

DELIVERIES = "speechops_receiver_deliveries_total"


async def no_sources() -> list[DataSource]:
    """Nothing is connected."""
    return []


@pytest.mark.parametrize("source", SENDERS)
async def test_while_the_outbox_is_busy_the_sender_is_asked_to_come_again(
    source: str, receiver: Receiver, tmp_path: Path
) -> None:
    """Never a 4xx, for which Event Grid drops what it sends; and afterwards all is well."""
    send, name = SENDERS[source]
    other = sqlite3.connect(tmp_path / "outbox.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    busy = await receiver.take(send(payload(name)))
    other.execute("ROLLBACK")
    other.close()

    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "30")
    assert (await receiver.take(send(payload(name)))).status_code == 202


async def test_a_full_disk_is_a_503(receiver: Receiver) -> None:
    """The sender keeps it until somebody makes room."""
    pages = receiver.outbox._db.execute("PRAGMA page_count").fetchone()[0]
    receiver.outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    pushes = [github(payload("github-push") | {"after": f"{n:040x}"}, delivery=f"d-{n}") for n in range(40)]
    answers = [await receiver.take(push) for push in pushes]

    assert answers[-1].status_code == 503
    assert len(receiver.outbox.pending()) == sum(answer.status_code == 202 for answer in answers)


async def test_a_fault_of_ours_is_a_503_that_tells_nothing(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Even a mistake in our reading loses no delivery."""

    def fails(_hook: Hook, _call: object, body: Body) -> None:
        raise RuntimeError(body.start.decode())

    monkeypatch.setattr(SpeechHook, "read", fails)
    answer = await receiver.take(speech(b'{"transcript": "private"}'))

    assert answer.status_code == 503
    assert "private" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text


async def test_a_body_that_does_not_come_is_a_503(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow network is nobody's mistake, and a connection is not held for ever."""
    monkeypatch.setattr("deployments.receiver.bodies.PATIENCE_SECONDS", 0)

    async def nothing() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    headers = github(payload("github-push")).headers
    assert (await receiver.client.post("/hooks/github", content=nothing(), headers=headers)).status_code == 503


async def test_bodies_of_nobody_cannot_fill_the_memory(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is signed by its body must be read first: when too much is held, the largest goes, and small ones come through."""
    monkeypatch.setattr("deployments.receiver.app.Bodies", lambda: Bodies(1000))
    unproven = github(b"", FORGED).headers
    reading = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b" " * 900
        reading.set()
        await asyncio.Event().wait()

    with receiving(tmp_path, clock) as small:
        first = asyncio.create_task(small.client.post("/hooks/github", content=slowly(), headers=unproven))
        await reading.wait()
        second = await small.client.post("/hooks/github", content=b" " * 200, headers=unproven)
        third = await small.client.post("/hooks/github", content=b" " * 1001, headers=unproven)
        statuses = [(await first).status_code, second.status_code, third.status_code]

    assert statuses == [503, 401, 503]


async def test_health_is_about_the_process_and_readiness_about_the_outbox(receiver: Receiver, tmp_path: Path) -> None:
    """A busy disk takes it out of the balancer, and does not restart it."""
    other = sqlite3.connect(tmp_path / "outbox.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    busy = [(await receiver.client.get(path)).status_code for path in ("/healthz", "/readyz")]
    other.execute("ROLLBACK")
    other.close()

    assert busy == [200, 503]
    assert (await receiver.client.get("/readyz")).status_code == 200


async def test_figures_count_events_by_source_and_outcome(receiver: Receiver) -> None:
    """What an alarm is set on."""
    for secret in (SECRET, SECRET, FORGED):
        await receiver.take(github(payload("github-push"), secret))
    await receiver.take(github(b"{}"))

    outcomes = ("accepted", "duplicate", "refused", "misunderstood", "unavailable")
    figures = [await receiver.figure(f'{DELIVERIES}{{outcome="{one}",source="github"}}') for one in outcomes]
    assert figures == [1, 1, 1, 1, 0]
    assert await receiver.figure("speechops_receiver_pending") == 1
    assert await receiver.figure('speechops_receiver_answer_seconds_count{source="github"}') == 4


async def test_figures_are_shown_while_the_outbox_is_gone(receiver: Receiver) -> None:
    """Just then they are needed."""
    receiver.outbox.close()

    assert "speechops_receiver_pending NaN" in (await receiver.client.get("/metrics")).text


def test_the_start_says_which_hooks_are_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And how to open the others; it shows no secret."""
    asked: list[int] = []

    async def answer_nothing(server: object, sockets: list[object]) -> None:
        asked.append(len(sockets))

    monkeypatch.setattr("uvicorn.Server.serve", answer_nothing)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    serving.serve(ReceiverSettings(data=tmp_path, github_secret=f"{SECRET},{OLD_SECRET}"), "127.0.0.1", 0, no_sources)
    shown = capsys.readouterr()

    assert asked == [1]
    assert "/hooks/github        open, 2 secrets\n" in shown.out
    assert "/hooks/eventgrid     closed; set SPEECHOPS_EVENTGRID_SECRET to open it\n" in shown.out
    assert SECRET not in shown.out + shown.err


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://user:hidden@prefect:4200/api", "Flows are started on the Prefect server at http://prefect:4200/api\n"),
        ("", "Warning: no Prefect server; deliveries wait until PREFECT_API_URL names one.\n"),
    ],
)
def test_the_start_says_which_prefect_server_flows_are_started_on(
    url: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or that there is none; an address never shows its credentials."""
    monkeypatch.setattr(serving, "prefect_url", lambda: url)
    with serving._listening("127.0.0.1", 0) as listener:
        serving._greet(ReceiverSettings(), listener)
    shown = capsys.readouterr()

    assert told in shown.out + shown.err
    assert "hidden" not in shown.out + shown.err


def test_a_folder_that_cannot_be_used_is_a_mistake(tmp_path: Path) -> None:
    """One line, with what to do."""
    (tmp_path / "file").write_text("")
    (tmp_path / "outbox.sqlite3").write_bytes(b"something else " * 100)

    for folder in (tmp_path / "file", tmp_path):
        with pytest.raises(Mistake, match="Choose another folder with --data"):
            serving.opened_outbox(folder)


def test_an_address_that_is_taken_is_a_mistake(tmp_path: Path) -> None:
    """Found before any sender is told that all is well."""
    with serving._listening("127.0.0.1", 0) as taken, pytest.raises(Mistake, match="Choose another --port"):
        serving.serve(ReceiverSettings(data=tmp_path), "127.0.0.1", taken.getsockname()[1], no_sources)


def test_an_answer_is_not_held_back() -> None:
    """By Nagle's algorithm, 40 ms each: asyncio switches it off only for sockets that name their protocol."""
    with serving._listening("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_the_outbox_of_the_program_is_the_one_that_others_open(tmp_path: Path) -> None:
    """The reconciler finds it by the folder alone."""
    serving.opened_outbox(tmp_path / "new" / "folder").close()

    assert Outbox(tmp_path / "new" / "folder" / "outbox.sqlite3").pending() == []


async def test_an_answer_is_never_cached(receiver: Receiver) -> None:
    """By a proxy between."""
    for path in ("/healthz", "/readyz", "/metrics"):
        answer: httpx.Response = await receiver.client.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
