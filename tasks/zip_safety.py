"""Whether a ready zip may be opened: hostile and broken archives are refused before anything is read from them.

Nothing is ever extracted to a path; members are streamed. So what matters is what a member claims about itself.
"""

import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from domain.corpus import canonical_name
from domain.problems import Problem

MOST_ENTRIES = 20_000
MOST_BYTES = 2_000_000_000
"""Azure's limit for an archive is 2 GB."""

MOST_BYTES_EACH = 256 * 1024 * 1024
"""Two hours of 16 kHz audio, Azure's longest recording, are 230 MB."""

MOST_RATIO = 100
_SMALL = 1024 * 1024  # digital silence shrinks a thousandfold; a bomb needs size as well
_LOCAL_HEADER = 30
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BAD_NAME = "a name with ':', a backslash or a character that cannot be shown"
_MAKE_IT_AGAIN = "Make the zip again from the files themselves, for instance with `zip -j testing.zip folder/*`."


def refusals(archive: zipfile.ZipFile, label: str) -> Iterator[Problem]:
    """Why an archive cannot be trusted; nothing when it can.

    Args:
        archive: opened for reading; only its directory is looked at.
        label: what to call it in problems.
    """
    members = archive.infolist()
    if len(members) > MOST_ENTRIES:
        yield Problem(label, None, f"the zip has {len(members):,} entries, more than {MOST_ENTRIES:,}", "Divide it.")
        return
    total = sum(member.file_size for member in members)
    if total > MOST_BYTES:
        yield Problem(label, None, f"the zip unpacks to {total:,} bytes, more than {MOST_BYTES:,}", "Divide it.")
    for member in members:
        for reason in _faults(member):
            yield Problem(label, None, f"the entry {_shown(member)} {reason}", _MAKE_IT_AGAIN)
    if _overlap(members):
        yield Problem(label, None, "entries of the zip overlap", _MAKE_IT_AGAIN)
    yield from clashes((member.filename for member in members), label)


def clashes(names: Iterable[str], label: str) -> Iterator[Problem]:
    """Names that differ in nothing but case, or in nothing at all: on some systems one file would replace the other."""
    counted = Counter(canonical_name(name).casefold() for name in names)
    for name, count in counted.items():
        if count > 1:
            yield Problem(label, None, f"{count} files are named '{name}', whatever their case", "Rename them.")


def has_bad_name(name: str) -> bool:
    """Whether readers of zips, terminals and systems disagree about a file's name; what is not UTF-8 is among it."""
    return not name.isprintable() or ":" in name or "\\" in name


def _faults(member: zipfile.ZipInfo) -> Iterator[str]:
    if _escapes(member.orig_filename):
        yield "would be written outside its folder"
    elif has_bad_name(member.orig_filename):
        yield f"has {BAD_NAME}"
    if stat.S_ISLNK(member.external_attr >> 16):
        yield "is a symbolic link"
    if member.flag_bits & _ENCRYPTED:
        yield "is encrypted"
    if member.compress_type not in _METHODS:
        yield "is compressed in another way than `deflate`"
    if member.file_size > MOST_BYTES_EACH:
        yield f"unpacks to {member.file_size:,} bytes, more than {MOST_BYTES_EACH:,}"
    if member.file_size > max(_SMALL, member.compress_size * MOST_RATIO):
        yield f"unpacks to more than {MOST_RATIO} times its size"


def _escapes(name: str) -> bool:
    absolute = name.startswith("/") or name[1:2] == ":"
    return absolute or "\\" in name or ".." in name.split("/")


def _overlap(members: Iterable[zipfile.ZipInfo]) -> bool:
    ordered = sorted(members, key=lambda member: member.header_offset)
    return any(_least_end(one) > following.header_offset for one, following in pairwise(ordered))


def _least_end(member: zipfile.ZipInfo) -> int:
    name = member.orig_filename.encode("utf-8" if member.flag_bits & _UTF8_NAME else "cp437")
    return member.header_offset + _LOCAL_HEADER + len(name) + member.compress_size


def _shown(member: zipfile.ZipInfo) -> str:
    return ascii(member.orig_filename[:80])
