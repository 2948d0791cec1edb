"""The vault: a verdict's whole input, kept by content, so that the same verdict can be reached again years later.

```
evidence/<comparison>/inputs.json     everything but the big parts: labels, lengths, phrases, leaks, the service's figures
evidence/<comparison>/parts.json      where the big parts are: by name, the bundle and the file in it
evidence/<comparison>/<part>.json     those parts that no other bundle holds
evidence/<ruling>/ruling.json         the verdict, the policy, and the digest of the comparison
evidence/<ruling>/versions.json       the code that decided
```
A digest covers all that it points to: whoever trusts the digest of a ruling can trust the rest.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, RootModel, TypeAdapter, ValidationError

from domain.comparison import Comparison, Confidences, Measured
from domain.mistakes import Mistake
from domain.ruling import Ruling
from domain.wer import Scorecard
from tasks import evidence
from tasks.store import Store
from tasks.versions import Versions, versions_now

RULING = "ruling.json"
_INPUTS, _PARTS, _VERSIONS = "inputs.json", "parts.json", "versions.json"
_EMPTY = Scorecard(utterances=(), normaliser="")


class _Inputs(RootModel[Comparison]):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")


class _Heard(RootModel[Confidences]):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    bundle: str
    """Digest of the bundle that holds it; empty for the bundle that this stands in."""
    file: str


_WHERE: TypeAdapter[dict[str, _Part]] = TypeAdapter(dict[str, _Part])


async def keep_comparison(store: Store, comparison: Comparison, beside: Iterable[str] = ()) -> str:
    """Keep all that a verdict rests on, and return its digest; the same comparison gets the same one again.

    Args:
        store: where to.
        comparison: what the gate judges.
        beside: digests of bundles that may hold the scorecards already, such as the measurement; what they hold
            byte by byte is pointed to, not stored again.
    """
    known = await _known(store, beside)
    own: dict[str, bytes] = {}
    where: dict[str, _Part] = {}
    for name, data in _parts_of(comparison):
        digest = hashlib.sha256(data).hexdigest()
        if digest not in known:
            known[digest] = _Part(bundle="", file=f"{name}.json")
            own[f"{name}.json"] = data
        where[name] = known[digest]
    inputs = _document(_Inputs(_without_parts(comparison)))
    return await evidence.keep(store, own | {_INPUTS: inputs, _PARTS: _WHERE.dump_json(where, indent=2)})


async def read_comparison(store: Store, digest: str) -> Comparison:
    """The comparison that `keep_comparison` kept, equal in every field.

    Raises:
        Mistake: it, or a bundle that it points to, is not there or has been changed.
    """
    with _readable(digest):
        bare = _Inputs.model_validate_json(await evidence.recall(store, digest, _INPUTS)).root
        where = _WHERE.validate_json(await evidence.recall(store, digest, _PARTS))
        parts = {name: await evidence.recall(store, part.bundle or digest, part.file) for name, part in where.items()}
        return _with_parts(bare, parts)


async def keep_ruling(store: Store, ruling: Ruling) -> str:
    """Keep a ruling, with the versions of the code that came to it, and return its digest."""
    now = versions_now(ruling.verdict.normaliser)
    return await evidence.keep(store, {RULING: ruling_document(ruling), _VERSIONS: _document(now)})


async def read_ruling(store: Store, digest: str) -> Ruling:
    """A ruling from the evidence.

    Raises:
        Mistake: there is none, it has been changed, or this version of speechops cannot read it.
    """
    with _readable(digest):
        return Ruling.model_validate_json(await evidence.recall(store, digest, RULING))


async def read_versions(store: Store, digest: str) -> Versions | None:
    """The code that came to a ruling; None for one that was made before they were kept.

    Raises:
        Mistake: they have been changed.
    """
    if _VERSIONS not in await evidence.files(store, digest):
        return None
    with _readable(digest):
        return Versions.model_validate_json(await evidence.recall(store, digest, _VERSIONS))


def ruling_document(ruling: Ruling) -> bytes:
    """The ruling as it is stored: equal bytes for equal rulings."""
    return _document(ruling)


def _document(record: BaseModel) -> bytes:
    return record.model_dump_json(indent=2).encode()


async def _known(store: Store, bundles: Iterable[str]) -> dict[str, _Part]:
    known: dict[str, _Part] = {}
    for bundle in bundles:
        for file, digest in (await evidence.files(store, bundle)).items():
            known.setdefault(digest, _Part(bundle=bundle, file=file))
    return known


def _parts_of(comparison: Comparison) -> Iterator[tuple[str, bytes]]:
    sides = {"benchmark": comparison.benchmark, "candidate": comparison.candidate, "base": comparison.base}
    for side, measured in sides.items():
        if measured is None:
            continue
        yield side, measured.scorecard.to_json()
        if measured.confidences:
            yield f"{side}-confidences", _Heard(measured.confidences).model_dump_json().encode()


def _without_parts(comparison: Comparison) -> Comparison:
    return _each_side(comparison, lambda _, measured: replace(measured, scorecard=_EMPTY, confidences={}))


def _with_parts(bare: Comparison, parts: Mapping[str, bytes]) -> Comparison:
    def filled(side: str, measured: Measured) -> Measured:
        confidences = _Heard.model_validate_json(parts.get(f"{side}-confidences", b"{}")).root
        return replace(measured, scorecard=Scorecard.from_json(parts[side]), confidences=confidences)

    return _each_side(bare, filled)


def _each_side(comparison: Comparison, change: Callable[[str, Measured], Measured]) -> Comparison:
    return replace(
        comparison,
        benchmark=change("benchmark", comparison.benchmark),
        candidate=change("candidate", comparison.candidate),
        base=comparison.base and change("base", comparison.base),
    )


@contextmanager
def _readable(digest: str) -> Iterator[None]:
    """What was stored soundly but does not fit our types was written by another version."""
    try:
        yield
    except (KeyError, ValidationError):
        raise Mistake(
            f"the evidence {digest[:12]}… is sound, but this version of speechops cannot read it. "
            "Use the version that wrote it."
        ) from None
