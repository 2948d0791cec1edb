"""Who is let in: with today's secret or yesterday's, and nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deployments.receiver.app import hooks_of
from deployments.receiver.settings import ReceiverSettings
from domain.mistakes import Mistake
from tests.deployments.receiver.hook_kit import (
    FORGED,
    OLD_SECRET,
    OPEN,
    SECRET,
    SENDERS,
    FakeClock,
    Receiver,
    Sent,
    payload,
    receiving,
    speech,
)

every_source = pytest.mark.parametrize("source", SENDERS)


def sent(source: str, secret: str = SECRET) -> Sent:
    """The source's own payload, sent with a secret."""
    send, name = SENDERS[source]
    return send(payload(name), secret)


def without_proof(source: str) -> Sent:
    """The same without signature, token, password or parameter."""
    whole = sent(source)
    return Sent(whole.path.partition("?")[0], whole.body, {"X-GitHub-Event": "push"})


@every_source
@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
async def test_a_delivery_with_either_secret_is_stored(source: str, secret: str, receiver: Receiver) -> None:
    """The secret can be changed at the sender without a gap."""
    answer = await receiver.take(sent(source, secret))

    assert answer.status_code == 202
    assert {delivery.source for delivery in receiver.outbox.pending()} == {source}


@every_source
@pytest.mark.parametrize("secret", [FORGED, "", SECRET[:-1], SECRET + "x", f"{SECRET},{OLD_SECRET}"])
async def test_a_forged_delivery_is_refused(source: str, secret: str, receiver: Receiver) -> None:
    """Whoever guesses, or sends the whole list, gets nothing."""
    answer = await receiver.take(sent(source, secret))

    assert answer.status_code == 401
    assert receiver.outbox.pending() == []


@every_source
async def test_an_unsigned_delivery_is_refused(source: str, receiver: Receiver) -> None:
    """Nothing is taken on trust."""
    assert (await receiver.take(without_proof(source))).status_code == 401
    assert receiver.outbox.pending() == []


@every_source
async def test_a_changed_body_is_refused_where_bodies_are_signed(source: str, receiver: Receiver) -> None:
    """One byte more is another body."""
    whole = sent(source)
    answer = await receiver.take(Sent(whole.path, whole.body + b" ", whole.headers))

    assert answer.status_code == (401 if source in ("github", "speech") else 202)


@every_source
@pytest.mark.parametrize("secret", ["", SECRET])
async def test_a_hook_without_a_secret_is_closed(source: str, secret: str, tmp_path: Path, clock: FakeClock) -> None:
    """Even for who sends the secret of another hook, or an empty one."""
    closed = dict.fromkeys(OPEN, "")
    with receiving(tmp_path, clock, **closed) as receiver:
        assert (await receiver.take(sent(source, secret))).status_code == 401
        assert receiver.outbox.pending() == []


@every_source
async def test_a_secret_of_one_hook_opens_no_other(source: str, tmp_path: Path, clock: FakeClock) -> None:
    """A leaked one is one hook's trouble."""
    apart = {name: f"{SECRET}-for-{name}" for name in OPEN}
    with receiving(tmp_path, clock, **apart) as receiver:
        answers = [(await receiver.take(sent(source, secret))).status_code for secret in apart.values()]

    assert sorted(answers) == [202, 401, 401, 401, 401]


@every_source
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'"text"', b"[" * 5000, b'{"id": NaN}']
)
async def test_garbage_from_the_right_sender_is_a_400(source: str, body: bytes, receiver: Receiver) -> None:
    """The operator sees at the sender that something else was meant to be sent here."""
    assert (await receiver.take(SENDERS[source][0](body))).status_code == 400
    assert receiver.outbox.pending() == []


@every_source
async def test_a_body_that_is_too_large_is_a_413(source: str, receiver: Receiver) -> None:
    """Nobody fills the memory."""
    hook = next(hook for hook in hooks_of(ReceiverSettings()) if hook.source == source)
    answer = await receiver.take(SENDERS[source][0](b" " * (hook.most_bytes + 1)))

    assert answer.status_code == 413


@every_source
async def test_a_body_of_nobody_is_not_even_read(source: str, receiver: Receiver) -> None:
    """It is refused by its headers, before its first byte."""
    read = []

    async def pieces() -> AsyncIterator[bytes]:
        read.append(source)
        yield b" "

    whole = without_proof(source)
    answer = await receiver.client.post(whole.path, content=pieces(), headers=whole.headers)

    assert answer.status_code == 401
    assert read == []


@pytest.mark.parametrize("path", ["/hooks/bitbucket", "/hooks", "/docs", "/openapi.json"])
async def test_there_are_no_other_ways_in(path: str, receiver: Receiver) -> None:
    """An unknown sender is told so."""
    assert (await receiver.client.post(path, content=b"{}")).status_code == 404


async def test_a_challenge_is_answered_with_its_token_when_it_is_signed(receiver: Receiver) -> None:
    """The Speech service enables the web hook; anybody else's text is not echoed."""
    signed = speech(b"", event="Challenge").headers | {
        "X-MicrosoftSpeechServices-Signature": speech(b"token_1").headers["X-MicrosoftSpeechServices-Signature"]
    }
    answer = await receiver.client.post("/hooks/speech?validationToken=token_1", headers=signed)
    other = await receiver.client.post("/hooks/speech?validationToken=token_2", headers=signed)

    assert (answer.status_code, answer.text) == (200, "token_1")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert other.status_code == 401


async def test_no_answer_holds_a_secret(receiver: Receiver) -> None:
    """Nor does any log line or figure."""
    told = [await receiver.take(sent(source, secret)) for source in SENDERS for secret in (SECRET, FORGED)]
    shown = "".join(answer.text + str(answer.headers) for answer in told) + (await receiver.client.get("/metrics")).text

    assert SECRET not in shown
    assert FORGED not in shown


async def test_no_log_line_holds_a_secret(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a good one nor a wrong one, which may be a typing mistake away from a good one."""
    with caplog.at_level("DEBUG"):
        for source in SENDERS:
            for secret in (SECRET, FORGED):
                await receiver.take(sent(source, secret))

    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith("deployments"))
    assert "stored as" in logged
    assert "turned away with 401" in logged
    assert SECRET not in logged
    assert FORGED not in logged


def test_a_short_secret_is_a_clear_mistake_that_does_not_quote_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comma inside a secret would cut it into two that can be guessed."""
    monkeypatch.setenv("SPEECHOPS_GITHUB_SECRET", "correct-horse,pony")

    with pytest.raises(Mistake, match=r"^SPEECHOPS_GITHUB_SECRET: a secret has fewer than 12 characters") as mistake:
        ReceiverSettings.read()
    assert "pony" not in str(mistake.value)


def test_secrets_are_read_by_commas_and_lines_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a Kubernetes secret or a shell has them."""
    monkeypatch.setenv("SPEECHOPS_GITHUB_SECRET", f" {SECRET} ,\n{OLD_SECRET}\r\n")
    settings = ReceiverSettings.read()

    assert [secret.get_secret_value() for secret in settings.github_secret] == [SECRET, OLD_SECRET]
    assert SECRET not in repr(settings)
