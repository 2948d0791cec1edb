"""A stranger's data are checked in a process with limits: what needs more is not judged, and leaves nothing behind."""

import asyncio
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger

from domain.limits import MEGABYTE, LimitExceeded, Limits
from domain.mistakes import Mistake
from tasks import confined, pull_checks
from tasks.confined import Done, exceeded, run
from tasks.git_block import GitData
from tasks.git_source import GitSource
from tasks.pull_checks import check_apart
from tests.tasks.git_kit import SETTINGS, commit, git, repository, track, write
from tests.tasks.git_server_kit import needs_lfs, serving

LIMITS = Limits(seconds=60, memory=1_000 * MEGABYTE, disk=10 * MEGABYTE, files=100)
TRACK = {"track.toml": SETTINGS, "training/plain_text.txt": b"turn left\n"}


@pytest.fixture(autouse=True)
def no_logs() -> Iterator[None]:
    """There is no run whose log it could be."""
    with disable_run_logger():
        yield


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


def program(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Another program in the place of the check."""
    monkeypatch.setattr(pull_checks, "_PROGRAM", (sys.executable, "-c", code))


async def test_tracks_are_checked_in_another_process(tmp_path: Path, scratch: Path) -> None:
    """Each with its own problems, and nothing is left of it."""
    write(tmp_path, {f"data/good/{path}": content for path, content in TRACK.items()})
    write(tmp_path, {"data/bad/track.toml": b"x = 1\n"})

    good, bad = await check_apart(tmp_path / "data", ("good", "bad"), LIMITS)

    assert (good.problems, good.not_judged) == ((), "")
    assert [problem.file for problem in bad.problems] == ["bad/track.toml"]
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("while True: pass", "its time"),
        ("x = bytearray(10**10)", "its memory"),
        (
            "import os\nfor n in range(100): open(os.environ['TMPDIR'] + '/x', 'ab').write(bytes(10**6))",
            "its space on disk",
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "its time or its memory"),
        ("raise ValueError", "the check itself failed"),
        ("print('{}')", "the check itself failed"),
    ],
)
async def test_a_check_that_needs_more_is_not_judged(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    """Whichever limit it is; never is it taken for sound."""
    program(monkeypatch, code)

    (found,) = await check_apart(tmp_path, ("taxi",), replace(LIMITS, seconds=1, disk=5 * MEGABYTE))

    assert told in found.not_judged
    assert list(scratch.iterdir()) == []


async def test_what_was_judged_before_the_limit_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tracks are not judged, whatever the process says of them at its end."""
    program(monkeypatch, 'import os\nprint(\'{"track": "a"}\\n{"track": "b"\', flush=True)\nos.kill(os.getpid(), 9)')

    found = await check_apart(tmp_path, ("a", "b"), LIMITS)

    assert [bool(one.not_judged) for one in found] == [False, True]


async def test_a_check_knows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stranger's file might make it tell must not be worth anything."""
    monkeypatch.setenv("PREFECT_API_KEY", "canary")
    monkeypatch.setenv("SPEECH_KEY", "canary")
    program(monkeypatch, "import os, json\nprint(json.dumps({'track': 'a', 'not_judged': str(dict(os.environ))}))")

    (found,) = await check_apart(tmp_path, ("a",), LIMITS)

    assert "PATH" in found.not_judged
    assert "canary" not in found.not_judged


async def test_a_cancelled_check_ends_with_all_that_it_started(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process of it stays, and no folder."""
    note = tmp_path / "pid"
    program(
        monkeypatch,
        "import subprocess, sys\n"
        f"child = subprocess.Popen(['sleep', '600']); open({str(note)!r} + 'x', 'w').write(str(child.pid))\n"
        f"import os; os.rename({str(note)!r} + 'x', {str(note)!r}); child.wait()",
    )
    running = asyncio.create_task(check_apart(tmp_path, ("a",), LIMITS))
    while not note.exists():  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not is_alive(int(note.read_text()))
    assert list(scratch.iterdir()) == []


async def test_a_check_ends_when_its_run_is_killed(tmp_path: Path) -> None:
    """Nobody is left to read what it finds."""
    write(tmp_path, {"data/taxi/track.toml": SETTINGS})
    os.mkfifo(tmp_path / "data/taxi/testing.zip")  # a check that waits for ever
    request = f'{{"data": "{tmp_path}/data", "tracks": ["taxi"], "most_bytes": 1}}\n'
    env = {**os.environ, "TMPDIR": str(tmp_path)}

    done = await run([*pull_checks._PROGRAM], env, request.encode(), 60, LIMITS)  # its input ends at once

    assert done.code == 1


def is_alive(pid: int) -> bool:
    """Whether a process is there that is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_zip_that_unpacks_to_more_is_not_judged(tmp_path: Path) -> None:
    """Each is within what the format allows, together they are not."""
    write(tmp_path, {"data/taxi/track.toml": SETTINGS, "data/taxi/training/.keep": b""})
    for number in range(3):
        with zipfile.ZipFile(tmp_path / f"data/taxi/training/{number}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.wav", bytes(5 * MEGABYTE))

    (found,) = asyncio.run(check_apart(tmp_path / "data", ("taxi",), LIMITS))

    assert "15 MB" in found.not_judged


@pytest.mark.parametrize(
    ("done", "limit"),
    [
        (Done(0, b"", b"Out of memory"), ""),
        (Done(1, b"", b"fatal: not found"), ""),
        (Done(1, b"", b"remote: Out of memory"), ""),
        (Done(128, b"", b"error: index-pack died of signal 25"), "its space on disk"),
        (Done(128, b"", b"fatal: Out of memory, malloc failed"), "its memory"),
        (Done(None, b"", b""), "its time"),
    ],
)
def test_which_limit_ended_a_program_is_told(done: Done, limit: str) -> None:
    """A program that ended well needed no more."""
    assert exceeded(done) == limit


# What git may use.


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository that lets clients leave out the files."""
    folder = repository(tmp_path / "work")
    git(folder, "config", "uploadpack.allowFilter", "true")
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    return folder


def strangers(address: Path | str, limits: Limits = LIMITS) -> GitSource:
    """The source of a block, for commits of a stranger."""
    return GitData(address=str(address)).source("maps").limited(limits)


async def test_a_file_under_many_names_is_refused_before_it_is_written(work: Path, scratch: Path) -> None:
    """It is small on its way, and large on disk; a size of all names together is what counts."""
    head = commit(
        work, track("taxi", {"track.toml": SETTINGS} | {f"testing/{n}.wav": bytes(MEGABYTE) for n in range(24)})
    )

    with pytest.raises(LimitExceeded, match="24 MB"):
        async with strangers(work).opened_for_check(head, ["taxi"]):
            pytest.fail("it was written")

    assert list(scratch.iterdir()) == []


async def test_too_many_files_are_refused_before_one_is_fetched(work: Path, tmp_path: Path) -> None:
    """The listing alone tells."""
    head = commit(
        work, track("taxi", {"track.toml": SETTINGS} | {f"testing/{n}.wav": os.urandom(999) for n in range(100)})
    )

    with serving(tmp_path) as server:
        with pytest.raises(LimitExceeded, match="101 files"):
            async with strangers(f"{server.address}/work").opened_for_check(head, ["taxi"]):
                pytest.fail("it was written")
        assert server.sent < 30_000


async def test_a_transfer_ends_at_the_limit(work: Path, scratch: Path) -> None:
    """What does not shrink cannot be sent whole before somebody looks at its size."""
    head = commit(work, track("taxi", {"track.toml": SETTINGS, "testing/a.wav": os.urandom(2 * MEGABYTE)}))

    with pytest.raises(LimitExceeded, match="its space on disk"):
        async with strangers(work, replace(LIMITS, disk=MEGABYTE)).opened_for_check(head, ["taxi"]):
            pytest.fail("it was written")

    assert list(scratch.iterdir()) == []


async def test_trees_that_unfold_without_end_are_given_up(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten trees with ten times the same tree are ten thousand million files."""
    monkeypatch.setattr(confined, "MOST_OUTPUT", MEGABYTE)
    monkeypatch.setattr("tasks.repository.MOST_OUTPUT", MEGABYTE)
    blob = git(work, "hash-object", "-w", "--stdin", stdin=b"x")
    tree = git(work, "mktree", stdin="".join(f"100644 blob {blob}\t{n}\n" for n in range(10)).encode())
    for _ in range(9):
        tree = git(work, "mktree", stdin="".join(f"040000 tree {tree}\t{n}\n" for n in range(10)).encode())
    data = git(work, "mktree", stdin=f"040000 tree {tree}\ttaxi\n".encode())
    top = git(work, "mktree", stdin=f"040000 tree {data}\tdata\n".encode())
    head = git(work, "commit-tree", top, "-m", "m")
    git(work, "update-ref", "refs/heads/main", head)

    with pytest.raises(LimitExceeded, match="its space on disk"):
        async with strangers(work).opened_for_check(head, ["taxi"]):
            pytest.fail("it was written")


async def test_a_refused_track_is_not_written_and_others_are(work: Path) -> None:
    """Each track is told what is wrong with it."""
    write(work, track("bus"))
    (work / "data/taxi").mkdir(parents=True)
    (work / "data/taxi/track.toml").symlink_to("/etc/passwd")
    head = commit(work, {})

    async with strangers(work).opened_for_check(head, ["taxi", "bus"]) as there:
        assert [path.name for path in there.data.iterdir()] == ["bus"]
        assert [problem.file for problem in there.problems] == ["taxi/track.toml"]


async def test_what_a_local_command_refuses_is_refused_for_good(work: Path) -> None:
    """Another try, six minutes long, would end alike; a full disk may pass."""
    head = commit(work, track("taxi"))
    remote = strangers(work).remote

    with pytest.raises(Mistake, match="git rev-parse"):
        await remote.ask(work, "rev-parse", "--verify", f"{head[:-1]}z")
    assert isinstance(remote._refusal("checkout", "fatal: No space left on device"), ConnectionError)
    assert isinstance(remote._refusal("checkout", "error: invalid path 'data/.GIT'"), Mistake)
    assert isinstance(remote._refusal("fetch", "fatal: the remote end hung up unexpectedly"), ConnectionError)


@needs_lfs
@pytest.mark.parametrize("by_server", [True, False])
async def test_a_lost_file_of_git_lfs_is_lost_for_good(work: Path, tmp_path: Path, by_server: bool) -> None:
    """Whoever keeps the repository."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 5\n"
    head = commit(work, track("taxi", {"testing/a.wav": pointer}))

    with serving(tmp_path) as server, pytest.raises(Mistake, match="lacks a file of Git LFS"):
        async with strangers(f"{server.address}/work" if by_server else work).opened_for_check(head, ["taxi"]):
            pytest.fail("it was written")


@needs_lfs
async def test_the_size_that_a_pointer_tells_counts(work: Path) -> None:
    """Nothing is asked of Git LFS then."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 99000000\n"
    head = commit(work, track("taxi", {"testing/a.wav": pointer}))

    with pytest.raises(LimitExceeded, match="99 MB"):
        async with strangers(work).opened_for_check(head, ["taxi"]):
            pytest.fail("it was written")
