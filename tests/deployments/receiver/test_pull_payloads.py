"""What is understood of pull requests. The payloads follow the published schemas and examples: GitHub's octokit/webhooks
(`pull_request`, `issue_comment`), GitLab's "Webhook events", Microsoft's "Service hook events"."""

from typing import Any

import pytest

from deployments.receiver.deliveries import PullRequest
from tests.deployments.receiver.hook_kit import (
    FORGED,
    FakeClock,
    Receiver,
    azure_devops,
    github,
    gitlab,
    payload,
    receiving,
)

HEAD = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c"
LABEL = "speechops: train"
GITHUB = {"repository": "example-org/speech-data", "address": "https://github.com/example-org/speech-data.git"}
GITLAB = {"repository": "ada/speech-data", "address": "https://gitlab.example.org/ada/speech-data.git"}


def pull(number: int, wanted: str, head: str = HEAD, **place: str) -> PullRequest:
    """What should be stored."""
    return PullRequest(number=number, head=head, wanted=wanted, **place)


async def heard(receiver: Receiver, *sent: Any) -> list[Any]:
    """What is stored of what was sent."""
    for one in sent:
        assert (await receiver.take(one)).status_code < 300
    return [delivery.subject for delivery in receiver.outbox.pending()]


def comment(receiver_payload: Any, text: str, **changes: Any) -> Any:
    """Another comment."""
    receiver_payload["comment"] |= {"body": text, **changes}
    return github(receiver_payload, event="issue_comment")


async def test_a_push_to_a_pull_request_of_github_is_checked(receiver: Receiver) -> None:
    """The commit is told; what is in it is read later."""
    assert await heard(receiver, github(payload("github-pull-request"), event="pull_request")) == [
        pull(2, "checks", **GITHUB)
    ]


async def test_a_label_that_was_set_earlier_counts_for_our_own_branches_alone(receiver: Receiver) -> None:
    """Whoever pushes to a fork after the label would choose what is trained."""
    ours, fork = payload("github-pull-request"), payload("github-pull-request")
    for told in (ours, fork):
        told["pull_request"]["labels"] = [{"name": LABEL}]
    fork["pull_request"]["head"]["repo"] = {"id": 1}
    gone = payload("github-pull-request")
    gone["pull_request"] |= {"number": 3, "labels": [{"name": LABEL}]}
    gone["pull_request"]["head"]["repo"] = None

    sent = [github(told, event="pull_request", delivery=f"d-{at}") for at, told in enumerate((ours, fork, gone))]

    assert await heard(receiver, *sent) == [
        pull(2, "model", **GITHUB), pull(2, "checks", **GITHUB), pull(3, "checks", **GITHUB)
    ]  # fmt: skip


async def test_a_label_asks_for_the_model_of_the_commit_that_it_was_set_on(receiver: Receiver) -> None:
    """From a fork, too: only people of the repository can set labels."""
    assert await heard(receiver, github(payload("github-pull-request-labeled"), event="pull_request")) == [
        pull(2, "model", **GITHUB)
    ]


async def test_operators_choose_the_label(tmp_path: Any, clock: FakeClock) -> None:
    """Every repository has words of its own."""
    with receiving(tmp_path, clock, train_label="train it") as receiver:
        other = payload("github-pull-request-labeled")
        other["label"]["name"] = "train it"
        sent = [github(told, event="pull_request") for told in (payload("github-pull-request-labeled"), other)]

        assert len(await heard(receiver, *sent)) == 1


@pytest.mark.parametrize("action", ["closed", "edited", "unlabeled", "review_requested"])
async def test_other_news_of_pull_requests_are_ignored(action: str, receiver: Receiver) -> None:
    """No data change by them."""
    answer = await receiver.take(github(payload("github-pull-request") | {"action": action}, event="pull_request"))

    assert answer.json() == {"accepted": 0, "duplicates": 0, "ignored": 1}


async def test_a_command_of_a_member_is_heard(receiver: Receiver) -> None:
    """With the commit that they name, or for the newest; each comment counts for itself."""
    first = comment(payload("github-issue-comment"), "/speechops train")
    named = comment(payload("github-issue-comment"), f"/speechops train {HEAD[:12]}\r\n", id=2)
    again = comment(payload("github-issue-comment"), "/speechops check", id=3)
    named.headers["X-GitHub-Delivery"], again.headers["X-GitHub-Delivery"] = "d-2", "d-3"

    assert await heard(receiver, first, named, again) == [
        pull(2, "model", "", **GITHUB), pull(2, "model", HEAD[:12], **GITHUB), pull(2, "checks", "", **GITHUB)
    ]  # fmt: skip


@pytest.mark.parametrize("who", ["NONE", "CONTRIBUTOR", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN", ""])
async def test_a_command_of_a_stranger_is_ignored(who: str, receiver: Receiver) -> None:
    """Training costs money, and models learn what they are given."""
    assert (
        await heard(receiver, comment(payload("github-issue-comment"), "/speechops train", author_association=who))
        == []
    )


@pytest.mark.parametrize(
    "text", ["Do not /speechops train", "/speechops trains", "/speechops train; ls", "> /speechops train"]
)
async def test_talk_about_commands_is_no_command(text: str, receiver: Receiver) -> None:
    """Nor is a quotation."""
    assert await heard(receiver, comment(payload("github-issue-comment"), text)) == []


async def test_a_comment_on_an_issue_or_an_edited_one_is_ignored(receiver: Receiver) -> None:
    """An issue has no data, and whoever edits a comment is not always its author."""
    issue, edited = payload("github-issue-comment"), payload("github-issue-comment") | {"action": "edited"}
    del issue["issue"]["pull_request"]

    assert await heard(receiver, *(github(told, event="issue_comment") for told in (issue, edited))) == []


async def test_a_forged_pull_request_is_refused(receiver: Receiver) -> None:
    """Before anything is read of it."""
    answer = await receiver.take(github(payload("github-pull-request-labeled"), FORGED, event="pull_request"))

    assert answer.status_code == 401
    assert receiver.outbox.pending() == []


async def test_the_same_commit_counts_once_however_often_it_is_told(receiver: Receiver) -> None:
    """By the organisation's hook as well, or as reopened."""
    told = payload("github-pull-request")
    sent = [
        github(told | {"action": action}, event="pull_request", delivery=action)
        for action in ("synchronize", "reopened")
    ]

    assert len(await heard(receiver, *sent)) == 1


async def test_a_payload_without_its_fields_is_told_by_name(receiver: Receiver) -> None:
    """Nothing of it is quoted."""
    broken = payload("github-pull-request")
    broken["pull_request"]["head"]["sha"] = "../../etc"
    answer = await receiver.take(github(broken, event="pull_request"))

    assert (answer.status_code, answer.json()["detail"]) == (400, "these fields are missing or wrong: head")


async def test_a_push_to_a_merge_request_of_gitlab_is_checked(receiver: Receiver) -> None:
    """An update without a push (a new title) is not."""
    told, title = payload("gitlab-merge-request"), payload("gitlab-merge-request")
    del title["object_attributes"]["oldrev"]

    assert await heard(receiver, gitlab(told), gitlab(title)) == [pull(7, "checks", **GITLAB)]


async def test_a_new_label_at_gitlab_asks_for_a_model(receiver: Receiver) -> None:
    """For the commit on which it was set; the next push of a fork gets checks."""
    labeled = payload("gitlab-merge-request-labeled")
    pushed = payload("gitlab-merge-request-labeled")
    pushed["object_attributes"]["oldrev"] = "1" * 40
    pushed["changes"] = {}

    assert await heard(receiver, gitlab(labeled), gitlab(pushed)) == [
        pull(7, "model", **GITLAB),
        pull(7, "checks", **GITLAB),
    ]


async def test_a_pull_request_of_azure_devops_is_checked_once_per_commit(receiver: Receiver) -> None:
    """A vote is an update, too."""
    vote = payload("azure-devops-pull-request") | {"id": "another"}
    over = payload("azure-devops-pull-request") | {"id": "a third"}
    over["resource"]["status"] = "completed"
    over["resource"]["lastMergeSourceCommit"]["commitId"] = "1" * 40

    (one,) = await heard(receiver, *map(azure_devops, (payload("azure-devops-pull-request"), vote, over)))

    assert (one.number, one.head, one.wanted, one.repository) == (1, HEAD, "checks", "Voice/speech-data")
    assert one.address == "https://dev.azure.com/fabrikam/Voice/_git/speech-data"
