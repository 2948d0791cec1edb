"""What tests of web hooks share: an active hook, something that happens, and the end of all deliveries."""

import asyncio
from typing import Any

from tests.emulator.receiver import Receiver
from tests.emulator.service_kit import Caller, path_of

SECRET = "canary-of-a-secret"
NOUNS = ("dataset", "model", "evaluation", "transcription", "endpoint")
ALL = {f"{noun}{stage}": True for noun in NOUNS for stage in ("Creation", "Processing", "Completion", "Deletion")}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


async def registered(speech: Caller, receiver: Receiver, *events: str, secret: str | None = None) -> dict[str, Any]:
    """An active hook; its challenge is taken."""
    properties = {} if secret is None else {"properties": {"secret": secret}}
    body = {"displayName": "my hook", "webUrl": receiver.url, "events": dict.fromkeys(events, True), **properties}
    hook = await speech.final(await speech.post("/webhooks", **body))
    assert hook["status"] == "Succeeded", hook
    assert (await receiver.next()).event == "Challenge"
    return hook


async def new_dataset(speech: Caller) -> dict[str, Any]:
    """The quickest way to a `datasetCreation`: a dataset without data."""
    return await speech.post("/datasets", displayName="x", locale="en-US", kind="Language")


async def idle(speech: Caller) -> dict[str, int]:
    """The counters once nothing is left to be sent."""
    while True:
        state = (await speech.http.get("/_emulator/state")).json()
        if not state["notifications"]["waiting"]:
            return {name: state["counters"][f"notifications_{name}"] for name in ("delivered", "dropped", "failed")}
        await asyncio.sleep(0.01)


async def patch(speech: Caller, hook: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The hook (or another entity) after a change of these properties."""
    answer = await speech.call("PATCH", path_of(hook), json=changes, headers=MERGE_PATCH)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed
