"""What is acknowledged lies in the file that is really there; while it cannot, senders come again and `/readyz` says so."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deployments.receiver.outbox import Outbox, OutboxUnavailable
from deployments.receiver.serving import opened_outbox
from domain.mistakes import Mistake
from tests.deployments.receiver.hook_kit import FakeClock, Receiver, github, payload, receiving

NAME = "outbox.sqlite3"


@pytest.fixture(autouse=True)
def _nothing_is_taken_for_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.receiver.health.KEPT_SECONDS", 0.0)


async def pushed(receiver: Receiver, number: int) -> int:
    """The status of another push."""
    push = github(payload("github-push") | {"after": f"{number:040x}"}, delivery=f"d-{number}")
    return (await receiver.take(push)).status_code


async def ready(receiver: Receiver) -> int:
    """The status of the probe."""
    return (await receiver.client.get("/readyz")).status_code


def stored(folder: Path) -> int:
    """How many deliveries another process finds in the file."""
    with closing(sqlite3.connect(folder / NAME)) as db:
        return int(db.execute("SELECT COUNT(*) FROM deliveries").fetchone()[0])


def taken_away(folder: Path) -> None:
    """All files of the outbox, as by somebody who tidies up."""
    (folder / "away").mkdir()
    for file in folder.glob(f"{NAME}*"):
        file.rename(folder / "away" / file.name)


async def test_nothing_is_acknowledged_into_a_file_that_was_deleted(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Linux would go on writing into it; the log says once what to do."""
    assert (await pushed(receiver, 1), await ready(receiver)) == (202, 200)
    for file in tmp_path.glob(f"{NAME}*"):
        file.unlink()

    assert [await pushed(receiver, number) for number in (2, 3)] == [503, 503]
    assert await ready(receiver) == 503
    assert not (tmp_path / NAME).exists()
    told = [one.getMessage() for one in caplog.records if "is gone" in one.getMessage()]
    assert len(told) == 1
    assert str(tmp_path / NAME) in told[0]


async def test_a_file_that_is_put_back_is_used_without_a_restart(receiver: Receiver, tmp_path: Path) -> None:
    """With all that it held."""
    await pushed(receiver, 1)
    taken_away(tmp_path)
    assert await pushed(receiver, 2) == 503
    for file in (tmp_path / "away").iterdir():
        file.rename(tmp_path / file.name)

    assert [await pushed(receiver, number) for number in (1, 2)] == [200, 202]
    assert (await ready(receiver), stored(tmp_path)) == (200, 2)


async def test_a_file_that_is_renamed_and_renamed_back_is_used(receiver: Receiver, tmp_path: Path) -> None:
    """Its write-ahead log stayed, and counts."""
    await pushed(receiver, 1)
    (tmp_path / NAME).rename(tmp_path / "away")
    assert await pushed(receiver, 2) == 503
    (tmp_path / "away").rename(tmp_path / NAME)

    assert [await pushed(receiver, number) for number in (1, 2)] == [200, 202]


async def test_another_file_in_its_place_is_used(receiver: Receiver, tmp_path: Path) -> None:
    """As by a backup that was played back: what is acknowledged from now on is in there."""
    await pushed(receiver, 1)
    Outbox(tmp_path / "other").close()
    (tmp_path / "other").replace(tmp_path / NAME)

    assert await pushed(receiver, 2) == 202
    assert stored(tmp_path) == 1


async def test_something_else_in_its_place_is_left_alone(receiver: Receiver, tmp_path: Path) -> None:
    """It is no outbox."""
    (tmp_path / "other").write_bytes(b"something else " * 100)
    (tmp_path / "other").replace(tmp_path / NAME)

    assert (await pushed(receiver, 1), await ready(receiver)) == (503, 503)
    assert (tmp_path / NAME).read_bytes().startswith(b"something else")


async def test_a_write_ahead_log_that_was_deleted_loses_nothing(receiver: Receiver, tmp_path: Path) -> None:
    """What was in it is written into the file, and a new one is begun."""
    await pushed(receiver, 1)
    (tmp_path / f"{NAME}-wal").unlink()

    assert await pushed(receiver, 2) == 202
    assert stored(tmp_path) == 2


async def test_a_folder_that_is_gone_is_unavailable(receiver: Receiver, tmp_path: Path) -> None:
    """It is not made: its disk may only be unmounted."""
    shutil.rmtree(tmp_path)

    assert (await pushed(receiver, 1), await ready(receiver)) == (503, 503)
    assert not tmp_path.exists()


async def test_a_file_that_is_taken_away_while_it_is_written_acknowledges_nothing(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction was well, but went nowhere."""
    monkeypatch.setattr(receiver.outbox, "_forget", lambda _before: taken_away(tmp_path))

    assert await pushed(receiver, 1) == 503


async def test_while_it_is_read_only_senders_come_again(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And are taken as soon as it can be written."""
    receiver.outbox._db.execute("PRAGMA query_only = ON")
    assert (await pushed(receiver, 1), await ready(receiver)) == (503, 503)
    receiver.outbox._db.execute("PRAGMA query_only = OFF")

    assert (await pushed(receiver, 1), await ready(receiver)) == (202, 200)
    assert f"Make {tmp_path} writable" in caplog.text
    assert "works again" in caplog.text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with half a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a disk of its own can be mounted here by nobody")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def test_a_disk_that_runs_full_loses_nothing_that_was_acknowledged(
    small_disk: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Then there is room again, and all goes on."""
    with receiving(small_disk, clock) as receiver:
        room = os.statvfs(small_disk)
        (small_disk / "ballast").write_bytes(b" " * (room.f_bavail * room.f_bsize - 40_000))
        statuses = [await pushed(receiver, number) for number in range(60)]
        was_ready = await ready(receiver)
        (small_disk / "ballast").unlink()
        statuses.append(await pushed(receiver, 100))

        assert statuses[-2:] == [503, 202]
        assert (was_ready, await ready(receiver)) == (503, 200)
        assert stored(small_disk) == statuses.count(202)
    assert f"Make room on the disk of {small_disk}" in caplog.text


def test_a_read_only_disk_is_a_mistake_at_the_start(small_disk: Path) -> None:
    """Found before any sender is told that all is well."""
    opened_outbox(small_disk).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    with pytest.raises(Mistake, match="Choose another folder"):
        opened_outbox(small_disk)


_HOLDER = "import sqlite3,sys; db = sqlite3.connect(sys.argv[1]); db.execute('BEGIN IMMEDIATE'); print('held', flush=True); input()"


def test_a_lock_of_a_stopped_process_has_a_deadline_and_names_it(tmp_path: Path, clock: FakeClock) -> None:
    """So that somebody can let it go on, or end it."""
    command = [sys.executable, "-c", _HOLDER, str(tmp_path / NAME)]
    with closing(Outbox(tmp_path / NAME, clock, patience=0)) as outbox:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout
            holder.stdout.readline()
            holder.send_signal(signal.SIGSTOP)
            with pytest.raises(OutboxUnavailable, match=f"locked by (another process|process {holder.pid})"):
                outbox.check()
            holder.kill()
        outbox.check()


def test_nobody_else_may_read_the_outbox(tmp_path: Path) -> None:
    """Neither a new one nor one that an earlier version made."""
    with closing(opened_outbox(tmp_path / "new")) as outbox:
        outbox.check()
        modes = [file.stat().st_mode & 0o777 for file in ((tmp_path / "new"), *(tmp_path / "new").iterdir())]
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / NAME).touch(0o644)
    opened_outbox(tmp_path / "old").close()

    assert modes == [0o700, *[0o600] * (len(modes) - 1)]
    assert (tmp_path / "old" / NAME).stat().st_mode & 0o777 == 0o600


async def test_a_storm_of_probes_is_one_look(tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty at once take one thread and one write."""
    looks, goes = [], threading.Event()
    monkeypatch.setattr(Outbox, "check", lambda _outbox: looks.append(goes.wait(60)))
    with receiving(tmp_path, clock) as receiver:
        probes = [asyncio.create_task(ready(receiver)) for _ in range(50)]
        while not any(probe.done() for probe in probes):
            await asyncio.sleep(0.01)
            goes.set()
        statuses = await asyncio.gather(*probes)

    assert set(statuses) == {200}
    assert len(looks) < 5


async def test_a_disk_that_hangs_is_not_ready_and_the_process_is_alive(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe gets its answer all the same, and so does who asks for figures."""
    goes = threading.Event()
    monkeypatch.setattr(Outbox, "check", lambda _outbox: goes.wait(60))
    monkeypatch.setattr(Outbox, "count_pending", lambda _outbox: goes.wait(60))
    monkeypatch.setattr("deployments.receiver.health.PATIENCE_SECONDS", 0.05)
    with receiving(tmp_path, clock) as receiver:
        asked = [
            (await receiver.client.get(path)).status_code for path in ("/readyz", "/metrics", "/readyz", "/healthz")
        ]
        goes.set()

    assert asked == [503, 503, 503, 200]


async def test_a_delivery_that_meets_trouble_makes_the_probe_look_again(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found a moment ago counts no more."""
    monkeypatch.setattr("deployments.receiver.health.KEPT_SECONDS", 600.0)
    assert await ready(receiver) == 200
    (tmp_path / NAME).unlink()

    assert (await pushed(receiver, 1), await ready(receiver)) == (503, 503)
