"""What is understood of each sender's payloads, which follow the published schemas."""

import hashlib
import json
import threading
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from deployments.receiver.deliveries import Blob, Job, Push
from deployments.receiver.github import GitHubHook
from deployments.receiver.hook import MEGABYTE, Heard
from tests.deployments.receiver.hook_kit import (
    FORGED,
    SECRET,
    Receiver,
    Sent,
    azure_devops,
    event_grid,
    github,
    gitlab,
    payload,
    speech,
)

BEFORE = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
AFTER = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c"
NOTHING = "0" * 40


async def test_a_push_to_github(receiver: Receiver) -> None:
    """Which ref moved from where to where; no list of files, which is cut off in large pushes."""
    await receiver.take(github(payload("github-push")))
    (delivery,) = receiver.outbox.pending()

    assert delivery.sender_id == "d-1"
    assert delivery.subject == Push(
        repository="example-org/speech-data",
        address="https://github.com/example-org/speech-data.git",
        ref="refs/heads/main",
        before=BEFORE,
        after=AFTER,
        default_branch="main",
    )


@pytest.mark.parametrize(
    ("name", "ref", "before", "after"),
    [
        ("github-push-deleted", "refs/heads/old-idea", BEFORE, NOTHING),
        ("github-push-tag", "refs/tags/baseline/2026-05", NOTHING, AFTER),
    ],
)
async def test_tags_and_deleted_branches_are_kept_for_the_planner(
    name: str, ref: str, before: str, after: str, receiver: Receiver
) -> None:
    """It decides what they mean, not the receiver."""
    await receiver.take(github(payload(name)))
    (delivery,) = receiver.outbox.pending()

    assert isinstance(delivery.subject, Push)
    assert (delivery.subject.ref, delivery.subject.before, delivery.subject.after) == (ref, before, after)


async def test_github_sends_a_form_unless_told_otherwise(receiver: Receiver) -> None:
    """Its default content type is understood, too; the signature is over the form."""
    assert (await receiver.take(as_form(payload("github-push")))).status_code == 202


FILES = {"commits": [{"added": [f"data/kal/testing/audio/{number:06d}.wav" for number in range(40_000)]}]}


def as_form(value: dict[str, object]) -> Sent:
    """As GitHub sends it unless told otherwise."""
    sent = github(urlencode({"payload": json.dumps(value, ensure_ascii=False)}).encode())
    return Sent(sent.path, sent.body, sent.headers | {"Content-Type": "application/x-www-form-urlencoded"})


async def test_a_form_may_hold_any_language(receiver: Receiver) -> None:
    """A commit's message, or a person's name."""
    told = payload("github-push") | {"head_commit": {"message": "Größere Aufnahmen, 新しい録音"}}

    assert (await receiver.take(as_form(told))).status_code == 202


@pytest.mark.parametrize("send", [github, as_form, gitlab])
async def test_a_push_of_very_many_files_is_read_by_its_beginning(
    send: Callable[[object], Sent], receiver: Receiver
) -> None:
    """Megabytes of file names; they are signed, and neither kept nor parsed."""
    sent = send(payload("gitlab-push" if send is gitlab else "github-push") | FILES)
    answer = await receiver.take(sent)
    (delivery,) = receiver.outbox.pending()

    assert len(sent.body) > MEGABYTE
    assert answer.status_code == 202
    assert isinstance(delivery.subject, Push)
    assert (delivery.subject.before, delivery.subject.after, delivery.subject.default_branch) == (BEFORE, AFTER, "main")
    assert delivery.raw_hash == hashlib.sha256(sent.body).hexdigest()


async def test_the_signature_is_over_all_of_a_large_body(receiver: Receiver) -> None:
    """Also over what is not kept."""
    sent = github(payload("github-push") | FILES)

    assert (await receiver.take(Sent(sent.path, sent.body + b" ", sent.headers))).status_code == 401


async def test_what_may_have_been_cut_off_is_not_guessed(receiver: Receiver) -> None:
    """A repository behind the files, or an event of a pull request whose labels may follow."""
    late = {"files": FILES["commits"], **payload("github-push")}
    pull = payload("github-pull-request") | FILES
    answers = [await receiver.take(github(late)), await receiver.take(github(pull, event="pull_request"))]

    assert [answer.status_code for answer in answers] == [400, 400]


async def test_a_large_body_is_read_in_a_thread(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody else waits for it; a small one is read at once."""
    threads = []

    def noted(_hook: GitHubHook, _call: object, _body: object) -> Heard:
        threads.append(threading.current_thread() is threading.main_thread())
        return Heard(ignored=1)

    monkeypatch.setattr(GitHubHook, "read", noted)
    for told in (payload("github-push"), payload("github-push") | FILES):
        await receiver.take(github(told))

    assert threads == [True, False]


@pytest.mark.parametrize("header", [{"Content-Encoding": "gzip"}, {"Content-Type": "multipart/form-data"}])
async def test_what_is_packed_or_no_json_is_refused(header: dict[str, str], receiver: Receiver) -> None:
    """A few bytes that become gigabytes are never unpacked."""
    sent = github(payload("github-push"))

    assert (await receiver.take(Sent(sent.path, sent.body, sent.headers | header))).status_code == 415


async def test_a_batch_has_no_more_events_than_event_grid_sends(receiver: Receiver) -> None:
    """Each costs work."""
    ignored = {"id": "i-1", "type": "Microsoft.Storage.BlobDeleted"}
    answers = [await receiver.take(event_grid([ignored] * number)) for number in (5000, 5001)]

    assert [answer.status_code for answer in answers] == [200, 400]


async def test_a_ping_is_answered_and_starts_nothing(receiver: Receiver) -> None:
    """The operator sees a green tick at GitHub."""
    answer = await receiver.take(github(payload("github-ping"), event="ping"))

    assert answer.status_code == 202
    assert receiver.outbox.pending() == []


@pytest.mark.parametrize("event", ["issues", "pull_request_review", "", "workflow_run"])
async def test_other_events_of_github_are_ignored(event: str, receiver: Receiver) -> None:
    """A hook that sends everything does no harm."""
    answer = await receiver.take(github(payload("github-push"), event=event))

    assert answer.json() == {"accepted": 0, "duplicates": 0, "ignored": 1}


@pytest.mark.parametrize("more", [{}, {"organization": {"login": "example-org"}}])
async def test_a_push_to_github_under_another_id_counts_once(more: dict[str, object], receiver: Receiver) -> None:
    """Replayed by somebody who saw it (the id is not signed), or told by the organisation's hook, too."""
    await receiver.take(github(payload("github-push"), delivery="d-1"))
    again = await receiver.take(github(payload("github-push") | more, delivery="d-2"))

    assert again.json() == {"accepted": 0, "duplicates": 1, "ignored": 0}


async def test_the_same_push_done_again_at_github_counts_again(receiver: Receiver) -> None:
    """Pushed, taken back, pushed again: the time of the push tells them apart."""
    again = payload("github-push")
    again["repository"]["pushed_at"] += 60
    for number, told in enumerate((payload("github-push"), again)):
        await receiver.take(github(told, delivery=f"d-{number}"))

    assert len(receiver.outbox.pending()) == 2


async def test_a_push_to_gitlab(receiver: Receiver) -> None:
    """The same story with other words."""
    await receiver.take(gitlab(payload("gitlab-push")))
    (delivery,) = receiver.outbox.pending()

    assert delivery.sender_id == "e-1"
    assert delivery.subject == Push(
        repository="ada/speech-data",
        address="https://gitlab.example.org/ada/speech-data.git",
        ref="refs/heads/main",
        before=BEFORE,
        after=AFTER,
        default_branch="main",
    )


async def test_a_tag_at_gitlab_counts_and_an_issue_does_not(receiver: Receiver) -> None:
    """Tags may ask for a test of the live model."""
    await receiver.take(gitlab(payload("gitlab-tag-push")))
    answer = await receiver.take(gitlab(payload("gitlab-issue"), event="e-2"))

    assert [delivery.subject.ref for delivery in receiver.outbox.pending()] == ["refs/tags/baseline/2026-05"]  # type: ignore[union-attr]
    assert answer.status_code == 200


async def test_gitlab_sends_a_retry_under_the_same_key(receiver: Receiver) -> None:
    """GitLab 17.4 and later: it counts once."""
    first = await receiver.take(gitlab(payload("gitlab-push"), event="e-1", Idempotency_Key="k-1"))
    retried = await receiver.take(gitlab(payload("gitlab-push"), event="e-2", Idempotency_Key="k-1"))

    assert (first.status_code, retried.status_code) == (202, 200)
    assert len(receiver.outbox.pending()) == 1


async def test_the_same_push_done_again_at_gitlab_counts_again(receiver: Receiver) -> None:
    """Pushed, taken back, pushed again: GitLab's payloads have no time, so the first and the last are equal."""
    for key in ("k-1", "k-2"):
        await receiver.take(gitlab(payload("gitlab-push"), Idempotency_Key=key))

    assert len(receiver.outbox.pending()) == 2


async def test_hooks_of_gitlab_that_set_off_one_another_share_their_uuid(receiver: Receiver) -> None:
    """They are not the same event."""
    await receiver.take(gitlab(payload("gitlab-push"), event="e-1"))
    await receiver.take(gitlab(payload("gitlab-tag-push"), event="e-1"))

    assert len(receiver.outbox.pending()) == 2


async def test_a_push_to_azure_devops_is_one_delivery_per_ref(receiver: Receiver) -> None:
    """Its one event can move several; the user in the address is not kept."""
    await receiver.take(azure_devops(payload("azure-devops-push")))
    pushes = [delivery.subject for delivery in receiver.outbox.pending()]

    assert pushes[0] == Push(
        repository="Voice/speech-data",
        address="https://dev.azure.com/fabrikam/Voice/_git/speech-data",
        ref="refs/heads/main",
        before=BEFORE,
        after=AFTER,
        default_branch="main",
    )
    assert [push.ref for push in pushes] == ["refs/heads/main", "refs/tags/baseline/2026-05"]  # type: ignore[union-attr]


async def test_two_subscriptions_of_azure_devops_tell_one_event_once(receiver: Receiver) -> None:
    """The event's id is the same, the notification's is not."""
    for number in (3, 4):
        await receiver.take(azure_devops(payload("azure-devops-push") | {"notificationId": number}))

    assert len(receiver.outbox.pending()) == 2  # its two refs


async def test_azure_devops_without_details_is_told_what_is_missing(receiver: Receiver) -> None:
    """Somebody chose `Resource details to send: none`."""
    answer = await receiver.take(azure_devops(payload("azure-devops-push") | {"resource": None}))

    assert answer.status_code == 400
    assert "resource" in answer.json()["detail"]


async def test_other_events_of_azure_devops_are_ignored(receiver: Receiver) -> None:
    """Work items are none of our business."""
    answer = await receiver.take(azure_devops({"eventType": "workitem.created", "id": "i-1"}))

    assert answer.json()["ignored"] == 1


@pytest.mark.parametrize("name", ["eventgrid-blob-created", "cloudevents-blob-created"])
async def test_a_blob_in_either_schema(name: str, receiver: Receiver) -> None:
    """Names are as they are in storage, not as in an address."""
    await receiver.take(event_grid(payload(name)))
    (delivery,) = receiver.outbox.pending()

    assert delivery.subject == Blob(
        account="mystorageaccount",
        container="speech-data",
        blob="en-us/testing/new one.wav",
        etag="0x8D4BCC2E4835CD0",
    )


async def test_one_blob_told_in_both_schemas_counts_once(receiver: Receiver) -> None:
    """Two subscriptions of one account."""
    await receiver.take(event_grid(payload("eventgrid-blob-created")))
    await receiver.take(event_grid(payload("cloudevents-blob-created")))

    assert len(receiver.outbox.pending()) == 1


async def test_one_write_under_two_event_ids_counts_once(receiver: Receiver) -> None:
    """By its content: every write of a blob has an ETag of its own."""
    for event_id in ("i-1", "i-2"):
        await receiver.take(event_grid(payload("cloudevents-blob-created") | {"id": event_id}))

    assert len(receiver.outbox.pending()) == 1


async def test_a_file_in_a_data_lake_counts_once_it_is_written(receiver: Receiver) -> None:
    """Of a batch with CreateFile, FlushWithClose, SftpCreate and SftpCommit two are final."""
    answer = await receiver.take(event_grid(payload("cloudevents-adls-batch")))

    assert answer.json() == {"accepted": 2, "duplicates": 0, "ignored": 2}


async def test_deleted_blobs_are_ignored(receiver: Receiver) -> None:
    """A deletion is seen when the next upload is."""
    assert (await receiver.take(event_grid(payload("eventgrid-blob-deleted")))).json()["ignored"] == 1


async def test_one_bad_event_does_not_spoil_its_batch(receiver: Receiver) -> None:
    """The good ones are stored; the status makes Event Grid put the batch where dead letters go."""
    answer = await receiver.take(event_grid([*payload("cloudevents-adls-batch"), {"id": "x"}, 7]))

    assert answer.status_code == 400
    assert len(receiver.outbox.pending()) == 2


async def test_event_grid_validates_the_address(receiver: Receiver) -> None:
    """With a 200 and the code, or no event is ever sent."""
    answer = await receiver.take(event_grid(payload("eventgrid-validation")))

    assert answer.status_code == 200
    assert answer.json() == {"validationResponse": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}


async def test_a_validation_code_that_is_markup_is_not_echoed(receiver: Receiver) -> None:
    """Whatever the sender knows."""
    hostile = payload("eventgrid-validation")
    hostile[0]["data"]["validationCode"] = "<script>"

    assert (await receiver.take(event_grid(hostile))).status_code == 400


async def test_cloud_events_ask_before_they_send(receiver: Receiver) -> None:
    """By OPTIONS at the same address, secret included."""
    asking = {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}
    answer = await receiver.client.options(f"/hooks/eventgrid?secret={SECRET}", headers=asking)

    assert answer.status_code == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert answer.headers["WebHook-Allowed-Rate"] == "*"


@pytest.mark.parametrize(
    ("secret", "origin", "status"), [(FORGED, "eventgrid.azure.net", 401), (SECRET, "<script>", 400), (SECRET, "", 400)]
)
async def test_nobody_else_may_ask(secret: str, origin: str, status: int, receiver: Receiver) -> None:
    """Nor ask for nobody."""
    asking = {"WebHook-Request-Origin": origin}
    answer = await receiver.client.options(f"/hooks/eventgrid?secret={secret}", headers=asking)

    assert answer.status_code == status
    assert "WebHook-Allowed-Origin" not in answer.headers


async def test_a_finished_job_of_the_speech_service(receiver: Receiver) -> None:
    """As a path, so that no address decides where we ask."""
    await receiver.take(speech(payload("speech-model-completion")))
    (delivery,) = receiver.outbox.pending()

    assert delivery.subject == Job(entity="models/3c30e17a-2f54-44a6-8bbd-4a1e5a3f1c52", event="ModelCompletion")


async def test_events_of_the_speech_service_that_we_do_not_know_are_ignored(receiver: Receiver) -> None:
    """The event is not signed: whoever has one body cannot fill the outbox by inventing names."""
    answers = [
        await receiver.take(speech(payload("speech-model-completion"), event=name))
        for name in ("Invented1", "Invented2")
    ]

    assert [answer.json()["ignored"] for answer in answers] == [1, 1]
    assert receiver.outbox.pending() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ref", "--upload-pack=touch /tmp/x"),
        ("ref", "refs/heads/a b"),
        ("ref", "main"),
        ("after", "HEAD"),
        ("after", AFTER[:-1]),
        ("before", None),
        ("before", AFTER.upper()),
    ],
)
async def test_a_push_that_git_could_misread_is_not_kept(field: str, value: object, receiver: Receiver) -> None:
    """Only full names of refs, only whole object ids."""
    for send, name in ((github, "github-push"), (gitlab, "gitlab-push")):
        assert (await receiver.take(send(payload(name) | {field: value}))).status_code == 400
    assert receiver.outbox.pending() == []


@pytest.mark.parametrize("address", ["ext::sh -c x", "http://[", "/etc", "--help", "", "javascript:1"])
async def test_an_address_to_clone_from_is_one_of_a_server(address: str, receiver: Receiver) -> None:
    """Git runs programs for some others."""
    hostile = payload("github-push")
    hostile["repository"]["clone_url"] = address

    assert (await receiver.take(github(hostile))).status_code == 400


async def test_no_credentials_of_an_address_are_stored(receiver: Receiver) -> None:
    """Some servers put a token there."""
    told = payload("github-push")
    told["repository"]["clone_url"] = "https://user:very-secret@github.com/o/r.git?sig=very-secret"
    await receiver.take(github(told))

    assert "very-secret" not in receiver.outbox.pending()[0].model_dump_json()
