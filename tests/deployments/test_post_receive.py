"""A bare repository's hook tells the receiver of a push, as a real `git push` runs it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from pydantic import SecretStr

from deployments import post_receive
from deployments.post_receive import Teller, pushes_from
from deployments.receiver.app import create_app
from deployments.receiver.deliveries import Push
from deployments.receiver.outbox import Outbox
from deployments.receiver.settings import ReceiverSettings
from domain.mistakes import Mistake
from tests.deployments.receiver.hook_kit import FORGED, SECRET
from tests.emulator.service_kit import free_port
from tests.tasks.git_kit import ZEROS, commit, git, repository, track

PROJECT = Path(__file__).parents[2]


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, Outbox]]:
    """A receiver on a real port; its address and its outbox."""
    outbox = Outbox(folder / "outbox.sqlite3")
    app = create_app(ReceiverSettings(data=folder, github_secret=SECRET), outbox)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}", outbox
    finally:
        server.should_exit = True
        thread.join()
        outbox.close()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of an empty bare repository."""
    bare = repository(tmp_path / "data.git", "--bare")
    clone = repository(tmp_path / "clone")
    git(clone, "remote", "add", "origin", str(bare))
    return clone


def install_hook(bare: Path, receiver: str, secret: str = SECRET) -> None:
    """The line of the documentation, in the repository's post-receive hook."""
    hook = bare / "hooks" / "post-receive"
    hook.write_text(
        f"#!/bin/sh\nSPEECHOPS_GITHUB_SECRET={secret} PYTHONPATH={PROJECT} "
        f"exec {sys.executable} -m deployments.cli post-receive --receiver {receiver} --name team/data\n"
    )
    hook.chmod(0o755)


def push(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Push, with all that the hook said."""
    env = {**os.environ, "COLUMNS": "1000"}
    return subprocess.run(
        ["git", "-C", clone, "push", "origin", *words], capture_output=True, text=True, env=env, check=False
    )


def test_a_push_reaches_the_receiver(tmp_path: Path, clone: Path) -> None:
    """Every ref that moved, with its commits before and after, signed, and the person who pushes reads it."""
    first = commit(clone, track("taxi"))
    second = commit(clone, {"README": b"hello"})
    git(clone, "tag", "baseline/taxi")

    with served(tmp_path) as (address, outbox):
        install_hook(tmp_path / "data.git", address)
        begun = push(clone, f"{first}:refs/heads/main")
        pushed = push(clone, "main", "baseline/taxi")
        subjects = [delivery.subject for delivery in outbox.pending()]

    assert "the receiver knows of the push to refs/heads/main" in begun.stderr
    assert (begun.returncode, pushed.returncode) == (0, 0)
    told = {(push.ref, push.before, push.after) for push in subjects if isinstance(push, Push)}
    assert told == {
        ("refs/heads/main", ZEROS, first),
        ("refs/heads/main", first, second),
        ("refs/tags/baseline/taxi", ZEROS, second),
    }
    assert {(push.repository, push.address) for push in subjects if isinstance(push, Push)} == {
        ("team/data", (tmp_path / "data.git").resolve().as_uri())
    }


def test_a_wrong_secret_is_told_to_who_pushes_and_stops_no_push(tmp_path: Path, clone: Path) -> None:
    """The commits are there; the message says what the receiver refused."""
    pushed = commit(clone, track("taxi"))

    with served(tmp_path) as (address, outbox):
        install_hook(tmp_path / "data.git", address, FORGED)
        done = push(clone, "main")
        assert outbox.pending() == []

    assert done.returncode == 0
    assert git(tmp_path / "data.git", "rev-parse", "main") == pushed
    assert "refused the push of refs/heads/main: unsigned, forged" in done.stderr
    assert FORGED not in done.stderr


def test_a_receiver_that_is_away_is_waited_for_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some seconds of patience for a restart; after that, what to do."""
    tried: list[str] = []
    monkeypatch.setattr(post_receive._post.retry, "sleep", lambda seconds: tried.append("again"))
    monkeypatch.setattr(post_receive._post.retry, "stop", lambda state: state.attempt_number > 3)
    teller = Teller(f"http://127.0.0.1:{free_port()}", SecretStr(SECRET), "team/data", "file:///data.git")

    with pytest.raises(Mistake, match=r"did not take the push of refs/heads/main \(ConnectError\)\. Start it, or run"):
        teller.tell(Push(repository="r", address="file:///r", ref="refs/heads/main", before=ZEROS, after="1" * 40))

    assert len(tried) == 3


@pytest.mark.parametrize("line", ["", "hello\n", f"{ZEROS} {ZEROS} main; rm -rf\n", f"{ZEROS} x refs/heads/main\n"])
def test_what_git_would_not_say_is_refused(tmp_path: Path, line: str) -> None:
    """Called by hand, it says where it belongs."""
    bare = repository(tmp_path / "data.git", "--bare")

    with pytest.raises(Mistake, match="hooks/post-receive"):
        list(pushes_from([line], bare))


def test_without_a_secret_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No unsigned payload is ever sent."""
    monkeypatch.setenv("SPEECHOPS_GITHUB_SECRET", " , ")

    with pytest.raises(Mistake, match="SPEECHOPS_GITHUB_SECRET is not set"):
        post_receive.secret_from_environment()
