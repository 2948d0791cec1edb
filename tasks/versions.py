"""The code that came to a verdict: when a replay differs, this tells why."""

import hashlib
import platform
import unicodedata
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

import domain
from domain.naming import fingerprint

_LIBRARIES = ("jiwer", "num2words", "numpy", "pydantic", "rapidfuzz")
"""Those whose figures or texts go into a verdict."""


class Versions(BaseModel):
    """What decided, in versions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    speechops: str
    code: str
    """SHA-256 over the source of the package `domain`, which holds every rule."""
    normaliser: str
    """Fingerprint."""
    python: str
    unicode: str
    libraries: dict[str, str]


def versions_now(normaliser: str) -> Versions:
    """The versions of the code that runs now; `normaliser` is the fingerprint of the one that made the words."""
    return Versions(
        speechops=version("speechops"),
        code=_code(),
        normaliser=normaliser,
        python=platform.python_version(),
        unicode=unicodedata.unidata_version,
        libraries={name: version(name) for name in _LIBRARIES},
    )


def changed_versions(then: Versions, now: Versions) -> tuple[str, ...]:
    """What is another version now, for people.

    >>> one = versions_now("n")
    >>> changed_versions(one, one.model_copy(update={"python": "4.0.0"}))[0].endswith("now 4.0.0")
    True
    """
    old, new = _flat(then), _flat(now)
    return tuple(
        f"{name} was {old.get(name, 'absent')}, now {new.get(name, 'absent')}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _flat(versions: Versions) -> dict[str, str]:
    record = versions.model_dump()
    plain = {**record.pop("libraries"), **record}
    return {name: value[:12] for name, value in plain.items()}


@cache
def _code() -> str:
    folder = Path(next(iter(domain.__path__)))
    sources = sorted(folder.rglob("*.py"))
    return fingerprint(
        *(f"{path.relative_to(folder).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in sources)
    )
