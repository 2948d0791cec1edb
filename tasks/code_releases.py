"""A GitHub release for each model that goes live, when the track wants it and its data come from GitHub."""

import re
from typing import Any

from prefect import task
from prefect.logging import get_run_logger

from domain.ledger import Release
from domain.mistakes import Mistake
from domain.report import escaped, percent
from domain.ruling import Ruling
from speech_client import TransientError
from tasks.blocks import find_block, load_speech, load_store
from tasks.code_hosts import CodeRelease, GitHub
from tasks.git_block import GitData
from tasks.ledger import Ledger
from tasks.retrying import FRESH
from tasks.store import Store
from tasks.vault import read_ruling

FILE = "release-endpoints.json"
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@task(
    name="publish-github-release",
    description="Tell the data's repository what is live, if the track wants that.",
    **FRESH,
)
async def publish_github_release(speech: str, store: str, track: str) -> str:
    """Make a GitHub release of what is live: tag `<track>-v<version>`, with `release-endpoints.json`. It fails no release.

    It is found by its tag, so that the next run makes up for what is missing. A rollback goes back to a version that has its
    own already, and makes none.

    Returns:
        Where people see it; empty when there is none, and then the log says why.
    """
    try:
        return await _published(speech, await load_store(store), track)
    except Exception as error:
        why = str(error) if isinstance(error, Mistake | TransientError) else f"{type(error).__name__}."
        get_run_logger().warning(
            "What is live of '%s' is not on GitHub as a release: %s The token needs the right to write contents. The next "
            "training-update tries again.", track, why,
        )  # fmt: skip
        return ""


async def _published(speech: str, store: Store, track: str) -> str:
    live = (await Ledger(store, track).state()).release
    if live is None or live.kind == "rollback" or not live.version:
        return ""
    ruling = await read_ruling(store, live.evidence)
    return await _publish(speech, live, ruling) if ruling.subject.track.release.github_release else ""


async def _publish(speech: str, live: Release, ruling: Ruling) -> str:
    host, subject = await _github(ruling.subject.source), ruling.subject
    if not _COMMIT.fullmatch(subject.revision):
        raise Mistake(f"its data are at '{subject.revision}', which is no commit.")
    async with (await load_speech(speech)).client() as client:
        address = client.recognition_address(live.endpoint, locale=subject.track.locale)
    release = CodeRelease(
        tag=f"{subject.track.name}-v{live.version}",
        commit=subject.revision,
        name=f"{subject.track.name} {live.version}",
        text=_text(live, ruling),
        file=FILE,
        label=f"release {live.number}",
        content=endpoints_file(live, ruling, address),
    )
    seen = await host.publish_release(release)
    get_run_logger().info("Release %s is on GitHub: %s", release.tag, seen)
    return seen


async def _github(source: str) -> GitHub:
    block = await find_block(GitData, source) if source else None
    host = block.code_host() if block and block.has_token else None
    if not isinstance(host, GitHub):
        raise Mistake("its data do not come from a GitHub repository with a token in its Git Data block.")
    return host


def endpoints_file(live: Release, ruling: Ruling, address: str) -> dict[str, Any]:
    """What programs read of a release: where the model answers, and how good it is."""
    return {
        "track": ruling.subject.track.name,
        "locale": ruling.subject.track.locale,
        "version": live.version,
        "release": live.number,
        "model": live.model_name,
        "endpoint": live.endpoint.rpartition("/")[2],
        "address": address,
        "verdict": live.evidence,
        "wer": live.wer,
        "releasedAt": live.released_at.isoformat(),
    }


def _text(live: Release, ruling: Ruling) -> str:
    verdict = ruling.verdict
    return "\n".join(
        [
            f"Model {escaped(live.model_name)} is live.",
            "",
            f"- WER {percent(verdict.benchmark_wer)} before, {percent(verdict.candidate_wer)} now, on {verdict.words:,} words",
            f"- verdict {verdict.outcome.value}, `{live.evidence}`",
            f"- data at {escaped(live.revision)}",
        ]
    )
