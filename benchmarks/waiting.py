"""A thousand jobs waited for in one process, beside the usual loop of one GET per job at Retry-After.

The service is a stand-in on loopback (the emulator has at most 500 datasets, as Azure has): its jobs end evenly over the
time. Memory is the peak of the client's process above idle; the delay is from a job's end until its wait is over.
"""

import asyncio
import json
import multiprocessing
import re
import time
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qs

import httpx
import typer
import uvicorn
from processes import KEY, alone, free_port

from speech_client import Dataset, KeyCredential, SpeechClient
from speech_client.client import LIMITS
from speech_client.pacing import Pace


def main(
    jobs: Annotated[int, typer.Option(min=1)] = 1000,
    seconds: Annotated[int, typer.Option(min=1, help="Over which they end.")] = 120,
    retry_after: Annotated[int, typer.Option(min=1)] = 15,
) -> None:
    """Print one table."""
    print(f"{jobs} jobs that end over {seconds} s, Retry-After {retry_after} s")
    for name, wait in (("one watcher (ours)", ours), ("one GET per job", peer)):
        requests, lasted, delays, memory = measured(wait, jobs, seconds, retry_after)
        middle, worst = delays[len(delays) // 2], delays[-1]
        print(f"{name:20} {memory:5.0f} MB  {requests / lasted * 60:7.0f} requests/min", end="  ")
        print(f"noticed after {middle:4.1f} s, at most {worst:4.1f} s")


def measured(wait: Any, jobs: int, seconds: int, retry_after: int) -> tuple[int, float, list[float], float]:
    """Requests, seconds, the delays in order, and memory in MB."""
    port, began = free_port(), time.time() + 3  # both processes are there by then
    arguments = (port, began, jobs, seconds, retry_after)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=arguments)
    server.start()
    try:
        (requests, delays), memory = alone(waited, wait, *arguments)
    finally:
        server.terminate()
        server.join()
    return requests, time.time() - began, sorted(delays), memory


def body(port: int, number: int, end: float) -> dict[str, Any]:
    """A dataset as the service shows it now."""
    is_over = end <= time.time()
    return {
        "self": f"http://127.0.0.1:{port}/speechtotext/datasets/{number:08d}?api-version=2024-11-15",
        "displayName": f"d{number}",
        "locale": "en-US",
        "kind": "Language",
        "customProperties": {"contentHash": "0" * 64},
        "status": "Succeeded" if is_over else "Running",
        "lastActionDateTime": datetime.fromtimestamp(end if is_over else 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def serve(port: int, began: float, jobs: int, seconds: int, retry_after: int) -> None:
    """The stand-in: GET of one dataset, and the two lists that the watcher reads."""

    def found(number: int) -> dict[str, Any]:
        return body(port, number, began + number * seconds / jobs)

    def listed(query: dict[str, str]) -> dict[str, Any]:
        since = re.search(r"lastActionDateTime ge (\S+?)\)*$", query["filter"])
        wanted = "Succeeded" if since else "Running"
        every = [one for one in map(found, range(jobs)) if one["status"] == wanted]
        chosen = [one for one in every if not since or one["lastActionDateTime"] >= since[1]]
        start, top = int(query.get("skip", 0)), int(query["top"])
        link = httpx.URL(f"http://127.0.0.1:{port}/speechtotext/datasets", params={**query, "skip": start + top})
        following = {"@nextLink": str(link)} if len(chosen) > start + top else {}
        return {"values": chosen[start : start + top], **following}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        name = scope["path"].rpartition("/")[2]
        query = {key: value[0] for key, value in parse_qs(scope["query_string"].decode()).items()}
        content = json.dumps(listed(query) if name == "datasets" else found(int(name))).encode()
        headers = [(b"retry-after", str(retry_after).encode())] if b"Running" in content else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    uvicorn.run(app, port=port, log_level="critical", lifespan="off")


class Counting(httpx.AsyncHTTPTransport):
    """Counts requests."""

    requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        return await super().handle_async_request(request)


async def waited(
    wait: Any, port: int, began: float, jobs: int, seconds: int, retry_after: int
) -> tuple[int, list[float]]:
    """Requests, and how late each end was noticed."""
    ends = [began + number * seconds / jobs for number in range(jobs)]
    datasets = [Dataset.model_validate(body(port, number, began + 10**6)) for number in range(jobs)]
    count = Counting(limits=LIMITS)  # as our client has them
    await asyncio.sleep(began - time.time())
    noticed = await wait(f"http://127.0.0.1:{port}", count, datasets, retry_after)
    return count.requests, [at - end for at, end in zip(noticed, ends, strict=True)]


async def ours(url: str, count: Counting, datasets: list[Dataset], _: int) -> list[float]:
    """One client, all waits side by side."""
    async with SpeechClient(url, KeyCredential(KEY), transport=count) as speech:

        async def wait(dataset: Dataset) -> float:
            await speech.wait_until_final(dataset)
            return time.time()

        return await asyncio.gather(*map(wait, datasets))


async def peer(url: str, count: Counting, datasets: list[Dataset], retry_after: int) -> list[float]:
    """The loop that everybody writes; it knows no quota."""
    pace = Pace(per_second=1e6, burst=10**6)
    async with SpeechClient(url, KeyCredential(KEY), transport=count, pace=pace) as speech:

        async def wait(dataset: Dataset) -> float:
            while not (await speech.datasets.get(dataset)).is_final:  # noqa: ASYNC110
                await asyncio.sleep(retry_after)
            return time.time()

        return await asyncio.gather(*map(wait, datasets))


if __name__ == "__main__":
    typer.run(main)
