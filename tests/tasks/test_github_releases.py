"""GitHub releases: made once, at the right commit, with the file that programs read, whatever gets lost on the way."""

from dataclasses import replace
from typing import Any

import pytest

from domain.mistakes import Mistake
from tasks.code_hosts import CodeRelease
from tests.tasks.code_host_kit import HEAD, TOKEN, FakeGitHubReleases, FakeHost
from tests.tasks.test_code_hosts import client

RELEASE = CodeRelease(
    tag="taxi-v1.2.0", commit=HEAD[:12], name="taxi 1.2.0", text="WER 9.1% before, 6.2% now",
    file="release-endpoints.json", label="release 4", content={"track": "taxi", "endpoint": "e-1"},
)  # fmt: skip


def ours(fake: FakeHost) -> Any:
    """Our side."""
    return client("https://github.com/acme/speech.git", fake)


async def test_a_release_has_a_tag_at_the_commit_and_the_file() -> None:
    """People find the release by its tag, programs the endpoint in the file."""
    fake = FakeGitHubReleases()

    seen = await ours(fake).publish_release(RELEASE)

    (made,) = fake.releases
    assert (seen, fake.authorization) == (made["html_url"], f"Bearer {TOKEN}")
    assert (made["tag_name"], made["target_commitish"], made["body"]) == ("taxi-v1.2.0", HEAD, RELEASE.text)
    assert [(one["name"], one["got"]) for one in made["assets"]] == [("release-endpoints.json", RELEASE.content)]


@pytest.mark.parametrize("lost", ["POST /repos/acme/speech/releases", "/assets", "/tags/"])
async def test_a_lost_answer_makes_no_second_release(lost: str) -> None:
    """Every step looks first."""
    fake = FakeGitHubReleases()
    fake.torn = [lost]

    await ours(fake).publish_release(RELEASE)
    await ours(fake).publish_release(RELEASE)

    assert len(fake.releases) == 1
    assert len(fake.releases[0]["assets"]) == 1


@pytest.mark.parametrize("left", ["nothing", "a torn upload", "the file of an earlier release"])
async def test_what_a_crash_left_out_is_made_up_for(left: str) -> None:
    """The process died between the release and its file, or the file is of the same model's earlier life."""
    fake = FakeGitHubReleases()
    await ours(fake).publish_release(replace(RELEASE, content={}, label="release 2"))
    (asset,) = fake.releases[0]["assets"]
    if left == "nothing":
        fake.releases[0]["assets"].clear()
    elif left == "a torn upload":
        asset |= {"state": "starter", "label": RELEASE.label}

    await ours(fake).publish_release(RELEASE)

    assert [one["got"] for one in fake.releases[0]["assets"]] == [RELEASE.content]


@pytest.mark.parametrize("elsewhere", ["https://evil.example.org", "http://uploads.github.com"])
async def test_the_token_goes_nowhere_else(elsewhere: str) -> None:
    """Whatever address an answer names for files."""
    fake = FakeGitHubReleases(elsewhere)

    with pytest.raises(Mistake, match="our token must not go"):
        await ours(fake).publish_release(RELEASE)

    assert not any("/assets" in target for _, target in fake.seen)


async def test_a_token_without_the_right_is_told() -> None:
    """GitHub says 404 for what a token may not see."""
    fake = FakeGitHubReleases()

    with pytest.raises(Mistake, match="404"):
        await ours(fake).publish_release(replace(RELEASE, commit="f" * 12))

    assert fake.releases == []


async def test_a_branch_that_is_called_like_the_commit_gets_no_release() -> None:
    """Whoever may push could move the tag elsewhere."""
    fake = FakeGitHubReleases()
    fake.commit = "e" * 40

    with pytest.raises(Mistake, match="called aaaaaaaaaaaa"):
        await ours(fake).publish_release(RELEASE)

    assert fake.releases == []
