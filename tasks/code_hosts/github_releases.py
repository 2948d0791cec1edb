"""GitHub releases: a tag at the commit that a model came from, and one file that tells programs where it answers.

Source: GitHub's REST API, version 2022-11-28: releases, release assets, commits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from tasks.code_hosts.calls import Calls, HostRefused


@dataclass(frozen=True, slots=True)
class CodeRelease:
    """What to publish. `commit` may be the first digits of an id; `label` tells one content of the file from another."""

    tag: str
    commit: str
    name: str
    text: str
    """Markdown."""
    file: str
    label: str
    content: Mapping[str, Any]


async def publish(calls: Calls, repository: str, release: CodeRelease) -> str:
    """Find the release by its tag or create it, then its file; the step as a whole may be repeated after any failure.

    Returns:
        The address at which people see it.
    """
    found = await _found(calls, repository, release.tag) or await _created(calls, repository, release)
    held = next((one for one in found.get("assets") or () if one["name"] == release.file), None)
    if held is None or held.get("state") != "uploaded" or held.get("label") != release.label:
        if held is not None:
            await calls.send("DELETE", f"repos/{repository}/releases/assets/{held['id']}")
        await _upload(calls, str(found["upload_url"]), release)
    return str(found.get("html_url") or "")


async def _found(calls: Calls, repository: str, tag: str) -> Any:
    try:
        return await calls.get(f"repos/{repository}/releases/tags/{quote(tag, safe='')}")
    except HostRefused as refused:
        if refused.status != 404:
            raise
        return None


async def _created(calls: Calls, repository: str, release: CodeRelease) -> Any:
    """At the commit by its full id: GitHub takes a short one for the name of a branch."""
    commit = (await calls.get(f"repos/{repository}/commits/{quote(release.commit, safe='')}"))["sha"]
    if not commit.startswith(release.commit):
        raise HostRefused(
            f"the repository has a branch or tag that is called {release.commit}, like the commit. Delete it."
        )
    new = {"tag_name": release.tag, "target_commitish": commit, "name": release.name, "body": release.text}
    return await calls.send("POST", f"repos/{repository}/releases", json=new)


async def _upload(calls: Calls, address: str, release: CodeRelease) -> None:
    """Send the file to the address that GitHub gives with a release, if our token may go there."""
    api, place = urlsplit(calls.api), urlsplit(address.partition("{")[0])
    ours = {api.netloc, f"uploads.{api.netloc.removeprefix('api.')}"}
    if place.scheme != api.scheme or place.netloc not in ours:
        raise HostRefused(f"{api.hostname} wants files to be sent elsewhere, where our token must not go.")
    uploads = replace(calls, api=f"{place.scheme}://{place.netloc}")
    params = {"name": release.file, "label": release.label}
    await uploads.send("POST", place.path.lstrip("/"), json=dict(release.content), params=params)
