"""What goes wrong with a store, sorted by what the caller does next.

```
StoreTrouble
├── StoreUnavailable    may pass: network, a busy or failing service                        (also a ConnectionError)
│   └── StoreLocked     the lock was held for longer than anybody should; it was waited for
└── StoreUnusable       a person has to mend it: full, read-only, rights, names             (also a Mistake)
```
Each message says what was tried, in which store, why it failed, and what to do.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from domain.mistakes import Mistake


class StoreTrouble(Exception):
    """A store cannot do what was asked; nothing was written in part."""


class StoreUnavailable(StoreTrouble, ConnectionError):
    """The store does not answer, or is busy: another try may help."""


class StoreLocked(StoreUnavailable):
    """Another process holds the store's lock; whoever tries again at once only waits once more."""


class StoreUnusable(StoreTrouble, Mistake):
    """The store works only after a person has mended something."""


_RIGHTS: Final = "Give the user of this process the right to read and write that folder and everything below it"
_SPACE: Final = "Free some space, or move the store to a larger disk"
_PLACE: Final = "Move what is in the way, or correct the folder in the store's block"
_REMEDIES: Final = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EROFS: "Mount the file system for writing, or correct the folder in the store's block",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENOENT: "Somebody removed the folder meanwhile: bring it back, or correct the folder in the store's block",
    errno.ENOTDIR: _PLACE,
    errno.EEXIST: _PLACE,
    errno.EISDIR: _PLACE,
    errno.ELOOP: "Replace the link by a folder, or correct the folder in the store's block",
    errno.ENAMETOOLONG: "Use shorter names, of tracks and files, or a shorter path for the store",
    errno.EFBIG: "Raise the limit of a file's size (`ulimit -f`), or move the store to another file system",
}
"""What a person does about errors that stay."""

_PASSING: Final = "Look at the disk, or the server, that holds the folder; what was interrupted can be run again"


@contextmanager
def told(store: object, doing: str, key: str) -> Iterator[None]:
    """Translate the errors of the operating system.

    Args:
        store: what to call the store in messages.
        doing: what is tried, such as `write`.
        key: with which key, or prefix of keys.

    Raises:
        StoreUnusable: a person has to mend it.
        StoreUnavailable: another try may help.
    """
    try:
        yield
    except StoreTrouble:
        raise
    except OSError as error:
        raise _explained(error, f"cannot {doing} '{key}' in the store {store}") from None


def _explained(error: OSError, what: str) -> StoreTrouble:
    number = error.errno or 0
    cause = os.strerror(number) if number else type(error).__name__
    if remedy := _REMEDIES.get(number):
        return StoreUnusable(f"{what} ({cause}). {remedy}; then run again.")
    return StoreUnavailable(f"{what} ({cause}). {_PASSING}.")
