"""A large Acoustic dataset uploaded in blocks and imported, beside one plain streaming PUT of the same bytes by httpx.

Memory is the peak above idle of the client's process, and of the server's with its workers.
"""

import asyncio
import multiprocessing
import tempfile
import time
import wave
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import httpx
import typer
import uvicorn
from processes import KEY, MB, Sampled, alone, emulator, free_port

from speech_client import KeyCredential, NewDataset, SpeechClient
from speech_client.pacing import Pace

RATE = 16_000


def main(
    megabytes: Annotated[int, typer.Option(min=1, help="Size of the archive.")] = 1024,
    seconds: Annotated[int, typer.Option(min=1, help="Length of each recording in it.")] = 60,
) -> None:
    """Print one table."""
    with tempfile.TemporaryDirectory(prefix="speechops-benchmark-") as folder:
        archive, small = Path(folder) / "data.zip", Path(folder) / "small.zip"
        pack(small, 1, seconds)
        pack(archive, max(1, megabytes * MB // (seconds * RATE * 2)), seconds)
        size = archive.stat().st_size / MB
        print(f"{size:.0f} MB, recordings of {seconds} s")
        with emulator("--workers", "1") as (url, pid):
            alone(ours, url, small, False)  # so that the worker is there and counts as idle
            with Sampled(pid) as server:
                (sent, imported), client = alone(ours, url, archive, False)
            row("ours, in blocks", sent, client, server.above_idle)
            print(f"{'':22} {imported:6.1f} s until it was imported")
            (paced, _), client = alone(ours, url, archive, True)
            row("ours, at Azure's pace", paced, client, None)
        plain, client = alone(peer, archive)
        row("httpx, one PUT", plain, client, None)
        print(f"ratio                  {plain / sent:6.2f} × the peer's speed")


def row(name: str, seconds: float, client: float, server: float | None) -> None:
    """Print one line."""
    memory = "" if server is None else f"  server {server:6.0f} MB"
    print(f"{name:22} {seconds:6.1f} s  client {client:6.0f} MB{memory}")


def pack(path: Path, recordings: int, seconds: int) -> None:
    """Write an archive of recordings that differ, with their transcript."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(recordings):
            with archive.open(f"{number}.wav", "w") as entry, wave.open(entry, "wb") as sound:
                sound.setnchannels(1)
                sound.setsampwidth(2)
                sound.setframerate(RATE)
                sound.writeframes(number.to_bytes(2, "little") * RATE * seconds)
        archive.writestr("trans.txt", "".join(f"{number}.wav\tgood morning\n" for number in range(recordings)))


async def ours(url: str, path: Path, paced: bool) -> tuple[float, float]:
    """Seconds until the blocks are committed, and until the dataset is imported."""
    pace = None if paced else Pace(per_second=1e6, burst=10**6)
    async with SpeechClient(url, KeyCredential(KEY), pace=pace) as speech:
        new = NewDataset(display_name=path.name, locale="en-US", kind="Acoustic")
        created, began = await speech.datasets.create(new), time.perf_counter()
        dataset = await speech.datasets.upload(created, path)
        sent = time.perf_counter() - began
        await speech.wait_until_final(dataset)
        return sent, time.perf_counter() - began


async def peer(path: Path) -> float:
    """Seconds for one streaming PUT to a server that writes what it gets to disk."""
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port, str(path) + ".copy"))
    server.start()
    try:
        return await put(port, path)
    finally:
        server.terminate()
        server.join()


async def put(port: int, path: Path) -> float:
    """Seconds for the PUT."""

    async def chunks() -> AsyncIterator[bytes]:
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, MB):
                yield chunk

    async with httpx.AsyncClient(trust_env=False, timeout=120) as http:
        while True:
            try:
                await http.put(f"http://127.0.0.1:{port}/", content=b"")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        began = time.perf_counter()
        (await http.put(f"http://127.0.0.1:{port}/", content=chunks())).raise_for_status()
        return time.perf_counter() - began


def serve(port: int, target: str) -> None:
    """The peer's server."""

    async def app(scope: dict, receive: object, send: object) -> None:
        if scope["type"] != "http":
            return
        with Path(target).open("wb") as file:  # noqa: ASYNC230
            while (message := await receive())["type"] == "http.request":
                file.write(message.get("body", b""))
                if not message.get("more_body"):
                    break
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    uvicorn.run(app, port=port, log_level="critical", lifespan="off")


if __name__ == "__main__":
    typer.run(main)
