"""Web hooks acknowledged by the receiver, 20 senders at once: beside the same receiver that stores nothing, and one that
waits for the disk once per delivery instead of once for all that wait.

The processor's time is the server's own, per delivery; it is what remains comparable on a busy machine.
"""

import asyncio
import hashlib
import hmac
import json
import multiprocessing
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from processes import free_port

from deployments.receiver import group_commit
from deployments.receiver.app import create_app
from deployments.receiver.outbox import Outbox, Stored, Told
from deployments.receiver.settings import ReceiverSettings

SECRET = "a-secret-for-benchmarks"  # noqa: S105
ROUNDS = 3


class Forgetful(Outbox):
    """The peer: accepts everything and keeps nothing."""

    def store_all(self, requests: Sequence[Told]) -> list[Stored | Exception]:
        """Nothing is written."""
        return [Stored([], 0) for _ in requests]


def main(
    deliveries: Annotated[int, typer.Option(min=100)] = 5000, senders: Annotated[int, typer.Option(min=1)] = 20
) -> None:
    """Print one table; the rounds of the three take turns, and each shows its best."""
    print(f"{deliveries} deliveries, {senders} senders at once, best of {ROUNDS}")
    kinds = {"stores nothing (peer)": (Forgetful, 100), "ours": (Outbox, 100), "one transaction each": (Outbox, 1)}
    best: dict[str, tuple[float, ...]] = {}
    for _ in range(ROUNDS):
        for name, (kind, together) in kinds.items():
            figures = measured(kind, together, deliveries, senders)
            best[name] = min(best.get(name, figures), figures)
    for name, (p99, p50, cpu, per_second) in best.items():
        times = f"p50 {p50 * 1e3:5.1f} ms  p99 {p99 * 1e3:6.1f} ms"
        print(f"{name:22} {times}  {per_second:5.0f}/s  {cpu * 1e3:5.2f} ms of processor each")
    peer, ours = best["stores nothing (peer)"], best["ours"]
    print(
        f"ratio                  {ours[0] / peer[0]:.2f} × the peer's p99, {ours[2] / peer[2]:.2f} × its processor time"
    )


def measured(kind: type[Outbox], together: int, deliveries: int, senders: int) -> tuple[float, ...]:
    """The 99th percentile and the median in seconds, the server's seconds of processor per delivery, deliveries per second."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="speechops-benchmark-") as folder:
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(kind, together, port, folder))
        server.start()
        try:
            return asyncio.run(sent(port, server.pid or 0, deliveries, senders))
        finally:
            server.terminate()
            server.join()


def serve(kind: type[Outbox], together: int, port: int, folder: str) -> None:
    """A receiver."""
    group_commit.MOST_TOGETHER = together
    app = create_app(ReceiverSettings(data=Path(folder), github_secret=SECRET), kind(Path(folder) / "outbox.sqlite3"))
    uvicorn.run(app, port=port, log_level="critical", access_log=False)


def request(number: int) -> bytes:
    """A push to GitHub."""
    repository = {"full_name": "o/r", "clone_url": "https://h/o/r.git", "default_branch": "main"}
    told = {"ref": "refs/heads/main", "before": "0" * 40, "after": f"{number + 1:040x}", "repository": repository}
    body = json.dumps(told | {"commits": [{"message": "x" * 500}] * 10}).encode()
    signature = hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()
    lines = ["POST /hooks/github HTTP/1.1", "Host: receiver", f"Content-Length: {len(body)}", "X-GitHub-Event: push"]
    lines += [f"X-GitHub-Delivery: {number}", f"X-Hub-Signature-256: sha256={signature}", "", ""]
    return "\r\n".join(lines).encode() + body


async def sent(port: int, pid: int, deliveries: int, senders: int) -> tuple[float, ...]:
    """The figures of one run; the first tenth only warms the server up."""
    requests = [request(number) for number in range(deliveries)]
    await listening(port)
    await run(port, requests[: deliveries // 10], senders)
    began, cpu = time.perf_counter(), processor(pid)
    times = sorted(await run(port, requests[deliveries // 10 :], senders))
    lasted, cpu = time.perf_counter() - began, processor(pid) - cpu
    return times[len(times) * 99 // 100], times[len(times) // 2], cpu / len(times), len(times) / lasted


async def run(port: int, requests: list[bytes], senders: int) -> list[float]:
    """The seconds that each waited for its answer."""
    waiting, times = iter(requests), []

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for one in waiting:
            began = time.perf_counter()
            writer.write(one)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
            times.append(time.perf_counter() - began)
            if head.split()[1] not in (b"200", b"202"):
                raise SystemExit(head.decode())
        writer.close()

    await asyncio.gather(*(send() for _ in range(senders)))
    return times


async def listening(port: int) -> None:
    """Wait until the server does."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return


def processor(pid: int) -> float:
    """Seconds of processor that a process has used."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])) / 100


if __name__ == "__main__":
    typer.run(main)
