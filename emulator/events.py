"""What web hooks can be told of: the kinds of `WebHookEvents`, and which of them a change of an entity is."""

from dataclasses import dataclass

from emulator.entities import Noun, Status

RAISED_BY = (Noun.DATASETS, Noun.MODELS, Noun.EVALUATIONS, Noun.TRANSCRIPTIONS, Noun.ENDPOINTS)
"""Nouns whose entities raise events; web hooks themselves do not."""
STAGES = ("Creation", "Processing", "Completion", "Deletion")

PING, CHALLENGE = "ping", "challenge"
ENTITY_KINDS = frozenset(noun.singular + stage for noun in RAISED_BY for stage in STAGES)
SENT = ENTITY_KINDS | {PING}
KINDS = SENT | {CHALLENGE}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an entity."""

    kind: str
    """A name of `WebHookEvents`, such as `modelCompletion`."""
    path: str
    """Of the entity, without host and api-version."""


def kinds_of(noun: Noun, before: Status | None, after: Status | None) -> list[str]:
    """The kinds of events that a change of status is; None is no entity (yet, or any more).

    >>> kinds_of(Noun.MODELS, None, Status.NOT_STARTED), kinds_of(Noun.ENDPOINTS, Status.RUNNING, Status.FAILED)
    (['modelCreation'], ['endpointCompletion'])
    """
    if noun not in RAISED_BY or before == after:
        return []
    stages = ["Creation"] if before is None else []
    if after is None:
        stages.append("Deletion")
    elif after.is_final:
        stages.append("Completion")
    elif after is Status.RUNNING:
        stages.append("Processing")
    return [noun.singular + stage for stage in stages]
