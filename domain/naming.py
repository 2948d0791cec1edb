"""Identity is content: the same bytes and the same recipe always get the same name.

Azure knows no idempotency key and lets two entities share a name, but it can filter a list by `displayName`. So the
name carries the first 12 hex digits of a content hash and `customProperties` carry all 64, which are compared before
an entity is reused.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

_SHORT = 12


def fingerprint(*parts: str | int | Iterable[str] | None) -> str:
    """SHA-256 (64 hex digits) over parts in order; how parts are split changes it.

    >>> fingerprint("ab", "c") == fingerprint("a", "bc")
    False
    """
    plain = [part if part is None or isinstance(part, str | int) else list(part) for part in parts]
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Identity:
    """What an entity on the Speech service is called, and the full hash that proves it is the same one.

    >>> Identity("sharjah-acoustic-0123456789ab", "0123456789ab…").attempt(2).name
    'sharjah-acoustic-0123456789ab-a2'
    """

    name: str
    content_hash: str

    def attempt(self, number: int) -> "Identity":
        """The name of a further attempt: an entity that Failed is never reused."""
        return self if number == 1 else Identity(f"{self.name}-a{number}", self.content_hash)


def dataset_identity(track: str, kind: str, content_hash: str) -> Identity:
    """`<track>-<kind>-<12 hex>`, by the bytes of the data.

    >>> dataset_identity("sharjah", "Language", "0123456789abcdef").name
    'sharjah-language-0123456789ab'
    """
    return Identity(f"{track}-{kind.lower()}-{content_hash[:_SHORT]}", content_hash)


def model_identity(
    track: str, base_model: str, base_name: str, dataset_hashes: Iterable[str], weight_percent: int | None
) -> Identity:
    """`<track>-model-<base model's name>-<12 hex>`, by the recipe: base model, training data, weight.

    The order of the datasets does not matter.

    Args:
        track: the track's name.
        base_model: the base model's id, which is part of the hash.
        base_name: the base model's display name, which people read (such as `20250612`).
        dataset_hashes: the content hashes of the training datasets.
        weight_percent: Azure's `customModelWeightPercent`, or None for the service's own choice.
    """
    return model_identity_of(track, base_name, fingerprint(base_model, sorted(dataset_hashes), weight_percent))


def model_identity_of(track: str, base_name: str, recipe: str) -> Identity:
    """`<track>-model-<base model's name>-<12 hex>`, by the hash of a recipe that is known."""
    return Identity(f"{track}-model-{base_name}-{recipe[:_SHORT]}", recipe)


def evaluation_identity(track: str, model1: str, model2: str, dataset_hash: str, occasion: str = "") -> Identity:
    """`<track>-evaluation-<12 hex>`, by the two models (their ids, in order) and the testing data.

    An occasion makes it another evaluation of the same: the service may answer otherwise than it did.
    """
    pair = fingerprint(model1, model2, dataset_hash, *([occasion] if occasion else []))
    return Identity(f"{track}-evaluation-{pair[:_SHORT]}", pair)


def live_endpoint_name(track: str) -> str:
    """The name of the endpoint that clients use; its id never changes between releases."""
    return f"{track}-live"


def release_endpoint_identity(track: str, model: str, number: int) -> Identity:
    """`<track>-live-<12 hex>`: the endpoint that one release makes for itself, in mode `new-endpoint`.

    Args:
        track: the track's name.
        model: the path of the model that goes live.
        number: the release's; a model that goes live once more gets an endpoint once more.
    """
    made = fingerprint("live", track, model, number)
    return Identity(f"{live_endpoint_name(track)}-{made[:_SHORT]}", made)


def staging_endpoint_identity(track: str, model: str) -> Identity:
    """The name of the short-lived endpoint on which `model` (its id) is tried before it goes live."""
    tried = fingerprint("staging", track, model)
    return Identity(f"{track}-staging-{tried[:_SHORT]}", tried)
