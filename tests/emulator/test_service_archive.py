"""Hostile archives: refused whole, or read without harm."""

import io
import struct
import zipfile
from pathlib import Path

import pytest

from emulator import archive
from emulator.archive import HostileArchive, UnreadableEntry, opened
from tests.emulator.service_kit import zipped


def kept(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "upload.zip"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["../a.wav", "a/../../b.wav", "/etc/passwd", "C:\\a.wav", "c:a.wav", "folder\\a.wav"])
def test_names_that_leave_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    """Whoever makes such a name does not mean well."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        made.writestr(info, b"x")
    with pytest.raises(HostileArchive, match="outside"), opened(kept(tmp_path, target.getvalue())):
        pass


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    """It would point to the emulator's own files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        info = zipfile.ZipInfo("link.wav")
        info.external_attr = 0o120777 << 16
        made.writestr(info, "/etc/passwd")
    with pytest.raises(HostileArchive, match="outside"), opened(kept(tmp_path, target.getvalue())):
        pass


def test_two_names_that_differ_in_case_are_refused(tmp_path: Path) -> None:
    """One would hide the other on some systems."""
    with pytest.raises(HostileArchive, match="one name"), opened(kept(tmp_path, zipped({"a.wav": b"", "A.WAV": b""}))):
        pass


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """By the sizes in the directory."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros.wav", bytes(50 * 1024**2))
    with pytest.raises(HostileArchive, match="100 times"), opened(kept(tmp_path, target.getvalue())):
        pass


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of a hundred thousand empty files is no dataset."""
    monkeypatch.setattr(archive, "MAX_ENTRIES", 3)
    with (
        pytest.raises(HostileArchive, match="more than 3 entries"),
        opened(kept(tmp_path, zipped(dict.fromkeys("abcd", b"")))),
    ):
        pass


def test_an_entry_that_lies_about_its_size_is_never_read_beyond_the_limit(tmp_path: Path) -> None:
    """The directory says 10 bytes, the data are more."""
    content = bytearray(zipped({"a.wav": bytes(range(256)) * 64}))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 10)
    with opened(kept(tmp_path, bytes(content))) as read, pytest.raises(UnreadableEntry):
        read.read("a.wav")


def test_a_damaged_entry_is_its_own_problem(tmp_path: Path) -> None:
    """The others can be read."""
    content = bytearray(zipped({"bad.wav": b"x" * 100 + bytes(range(100)), "good.wav": b"fine"}))
    content[45] ^= 0xFF
    with opened(kept(tmp_path, bytes(content))) as read:
        assert read.read("good.wav") == b"fine"
        with pytest.raises(UnreadableEntry):
            read.read("bad.wav")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", zipped({"a": b"b" * 99})[:-30]])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    """Truncated files too."""
    with pytest.raises(HostileArchive, match="not a readable zip"), opened(kept(tmp_path, content)):
        pass


def test_an_archive_can_be_empty(tmp_path: Path) -> None:
    """The import says then that it found no transcript."""
    with opened(kept(tmp_path, zipped({}))) as read:
        assert not read.entries


def test_what_macos_adds_is_not_seen(tmp_path: Path) -> None:
    """Its shadow files have names like the real ones."""
    files = {"a.wav": b"1", "__MACOSX/._a.wav": b"2", ".DS_Store": b"3", "folder/": b""}
    with opened(kept(tmp_path, zipped(files))) as read:
        assert set(read.entries) == {"a.wav"}
