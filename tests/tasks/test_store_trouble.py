"""Full disks, lost rights, stopped processes: one clear error from the store itself, nothing half done, and a retry works."""

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest

import tasks.folder_files
from domain.ledger import News, broken_link
from tasks import evidence
from tasks.approvals import Approvals
from tasks.cursors import Cursors
from tasks.folder_files import DRAFTS
from tasks.ledger import Ledger
from tasks.store import LocalFolder
from tasks.store_errors import StoreLocked, StoreTrouble, StoreUnavailable, StoreUnusable
from tests.domain.approval_kit import request
from tests.tasks.test_cursors import no_sleep

PROJECT = Path(__file__).parents[2]
NEWS = News(kind="testing-update", flow_run="run", revision="abc")
TO_MEND = (errno.ENOSPC, errno.EROFS, errno.EACCES)
PASSING = (errno.EIO,)


class Faults:
    """Makes every step of a write fail: folders, files, bytes, sync, rename."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number, self.first, self.steps = errno.ENOSPC, 0, 0
        for name in ("mkdir", "open", "fsync", "replace"):
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))
        monkeypatch.setattr(tasks.folder_files, "copy_from", self._half)

    def start(self, number: int, first: int) -> None:
        """From the `first` step on, everything fails."""
        self.number, self.first, self.steps = number, first, 0

    def stop(self) -> bool:
        """Whether anything failed."""
        failed, self.first = 0 < self.first <= self.steps, 0
        return failed

    def _step(self) -> None:
        if self.first:
            self.steps += 1
            if self.steps >= self.first:
                raise OSError(self.number, os.strerror(self.number))

    def _failing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self._step()
            return real(*arguments, **options)

        return call

    def _half(self, source: BinaryIO, target: BinaryIO) -> None:
        data = source.read()
        target.write(data[: len(data) // 2])
        self._step()
        target.write(data[len(data) // 2 :])


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """None yet."""
    return Faults(monkeypatch)


async def append(store: LocalFolder) -> None:
    """To the ledger."""
    await Ledger(store, "a", sleep=no_sleep).append(NEWS)


async def keep(store: LocalFolder) -> None:
    """Evidence."""
    digest = await evidence.keep(store, {"verdict.json": b"{}", "report.html": b"<p>"})
    await evidence.index(store, "identity", digest)


async def ask(store: LocalFolder) -> None:
    """For an approval."""
    await Approvals(store, "a", sleep=no_sleep).open(request(datetime(2026, 11, 20, tzinfo=UTC)))


async def aim(store: LocalFolder) -> None:
    """A cursor."""
    await Cursors(store, "maps", "", sleep=no_sleep).aim("abc")


@pytest.mark.parametrize("work", [append, keep, ask, aim])
async def test_whatever_step_of_a_write_fails_nothing_is_half_done(
    tmp_path: Path, faults: Faults, work: Callable[[LocalFolder], Awaitable[None]]
) -> None:
    """The store says what failed, what is there can be read and is a true history, and the same work again succeeds."""
    for number in (*TO_MEND, *PASSING):
        for first in range(1, 100):
            store = LocalFolder(tmp_path / f"{number}-{first}")
            await append(store)
            faults.start(number, first)
            kind = StoreUnusable if number in TO_MEND else StoreUnavailable
            error: Exception | None = None
            try:
                await work(store)
            except StoreTrouble as trouble:
                error = trouble
            if not faults.stop():
                break
            if error is not None:  # the note of who holds the lock is not worth one
                assert isinstance(error, kind)
                assert all(word in str(error) for word in (str(store), os.strerror(number), "run again"))
            await check(store)
            await work(store)
            assert list((store.folder / DRAFTS).iterdir()) == []
        assert first > 8


async def check(store: LocalFolder) -> None:
    """All that can be read is whole."""
    history = await Ledger(store, "a").history()
    assert broken_link(history) is None
    assert len(history) >= 1
    for key in await store.keys(""):
        stored = await store.read(key)
        assert stored is not None
        if key.endswith(".json"):
            json.loads(stored.data)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def remount(disk: Path, how: str) -> None:
    """With other options."""
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


async def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    """And then has room again."""
    store = LocalFolder(small_disk / "store")
    await append(store)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(bytes(1024 * 1024))

    with pytest.raises(
        StoreUnusable, match=r"cannot write 'tracks/a/state.json' .*No space left on device.*Free some space"
    ):
        await append(store)
    (small_disk.parent / "big").write_bytes(bytes(1024 * 1024))
    with pytest.raises(StoreUnusable, match="No space left on device"):
        await store.upload("snapshots/1.zip", small_disk.parent / "big")
    filler.unlink()
    await append(store)

    assert [entry.number for entry in await Ledger(store, "a").history()] == [1, 2]
    assert not await store.exists("snapshots/1.zip")


async def test_a_disk_that_became_read_only(small_disk: Path) -> None:
    """As Linux does after errors: what is there can be read."""
    store = LocalFolder(small_disk / "store")
    await append(store)
    remount(small_disk, "ro")

    with pytest.raises(StoreUnusable, match=r"Read-only file system.*Mount the file system for writing"):
        await append(store)
    with pytest.raises(StoreUnusable, match="Read-only file system"):
        await store.delete("tracks/a/state.json")

    assert len(await Ledger(store, "a").history()) == 1


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """As `ulimit -f` sets it; the process is not killed, and its command line shows one sentence."""
    program = (
        "import asyncio, resource, sys; from pathlib import Path; from tasks.store import LocalFolder\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))\n"
        "asyncio.run(LocalFolder(Path(sys.argv[1])).write('tracks/a/state.json', bytes(4096)))"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, cwd=PROJECT)

    assert "StoreUnusable: cannot write 'tracks/a/state.json'" in done.stderr
    assert "File too large" in done.stderr
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize("key", ["tracks/a/state.json", "tracks/" + "x" * 300])
async def test_every_call_tells_what_is_in_the_way(tmp_path: Path, key: str) -> None:
    """A file where a folder should be, or a name that is too long: "cannot tell" is not "nothing is there"."""
    store = LocalFolder(tmp_path)
    await store.write("tracks/other" if "xxx" in key else "tracks", b"")
    source = tmp_path / "source"
    source.touch()

    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: store.read(key),
        lambda: store.write(key, b""),
        lambda: store.exists(key),
        lambda: store.delete(key),
        lambda: store.upload(key, source),
        lambda: store.keys(f"{key}/"),
        lambda: store.folders(f"{key}/"),
        lambda: store.local_copy(key).__aenter__(),
    ]
    for call in calls:
        with pytest.raises(StoreUnusable, match=r"Not a directory|File exists|File name too long") as told:
            await call()
        assert str(tmp_path) in str(told.value)


async def test_a_folder_that_cannot_be_listed_is_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a lost right would look like a new store."""
    store = LocalFolder(tmp_path)
    await store.write("tracks/a/state.json", b"")
    real = os.scandir

    def refuse(path: Any) -> Any:
        if "tracks" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for call in (store.keys(""), store.keys("tracks/"), store.folders("tracks/")):
        with pytest.raises(StoreUnusable, match="Permission denied"):
            await call


async def test_files_and_folders_are_the_owners_alone(tmp_path: Path) -> None:
    """Transcripts and recordings are in there; whatever the umask says."""
    source = tmp_path / "source"
    source.touch(0o644)
    before = os.umask(0)
    try:
        store = LocalFolder(tmp_path / "deep" / "store")
        await append(store)
        await store.upload("snapshots/1.zip", source)
    finally:
        os.umask(before)

    made = [tmp_path / "deep", *(tmp_path / "deep").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o600}


def dead_process() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        return process.pid


async def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """By the next that writes; not what a living one is about to write."""
    drafts, host = tmp_path / DRAFTS, socket.gethostname()
    drafts.mkdir()
    names = {"dead": f"{host}.{dead_process()}.0", "alive": f"{host}.{os.getpid()}.0", "other": "else.where.1.0"}
    for name in names.values():
        (drafts / name).touch()
        os.utime(drafts / name, (time.time() - 3600, time.time() - 3600))
    (drafts / f"{host}.x.0").touch()

    await LocalFolder(tmp_path).write("key", b"")

    assert {path.name for path in drafts.iterdir()} == {names["alive"], names["other"], f"{host}.x.0"}


HOLDER = """
import sys, time
from pathlib import Path
from tasks.folder_lock import locked
with locked(Path(sys.argv[1]), 60):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds the store's lock."""
    words = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def stop(process: "subprocess.Popen[str]") -> None:
    """As Ctrl-Z does."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)


async def never(seconds: float) -> None:
    """Nobody waits again for what was waited for."""
    raise AssertionError(seconds)


async def test_a_lock_that_a_stopped_process_holds_has_a_deadline(
    tmp_path: Path, holder: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever waits is told who holds it, since when, and what to do; when the holder dies, the lock is free."""
    monkeypatch.setattr("tasks.folder_lock._TELL_AFTER_SECONDS", 0.1)
    stop(holder)
    store = LocalFolder(tmp_path, lock_seconds=0.3)

    with pytest.raises(StoreLocked, match=rf"process {holder.pid} on .* since 20\d\d-.* is stopped.*kill -CONT"):
        await store.write("key", b"")
    assert f"held by process {holder.pid}" in caplog.text
    with pytest.raises(StoreLocked):
        await Ledger(store, "a", sleep=never).append(NEWS)
    assert await store.read("key") is None

    holder.kill()
    await LocalFolder(tmp_path).write("key", b"")


async def test_a_lock_that_is_free_in_time_is_waited_for(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    """Nothing fails because another process is slow."""
    writing = asyncio.ensure_future(LocalFolder(tmp_path).write("key", b""))
    await asyncio.sleep(0)
    holder.kill()

    assert await writing
