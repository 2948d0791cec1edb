"""What a delivery asks for: an errand for each data source that it is about, or none, and why.

The payload's address is only compared with the sources' own; nothing is ever fetched from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deployments.receiver.deliveries import Blob, Delivery, Job, PullRequest, Push
from domain import pushes
from domain.pushes import why_ignored
from tasks.data_source import DataSource

DATA_UPDATE = "data-update"
PULL_REQUEST = "pull-request"
"""The flows that are started; their deployments are called `<flow>/speechops`."""


@dataclass(slots=True)
class Errand:
    """What one delivery asks of one data source, and how far that is.

    Attributes:
        source: name of the data source; empty for a job of the Speech service.
        since: from when on an automation could have acted: when the delivery came, then when its event was emitted.
        looked: the number of the last look at its flow runs.
        outcome: what was done in the end; empty as long as it waits.
    """

    delivery: Delivery
    source: str = ""
    since: datetime = field(init=False)
    emitted: bool = field(default=False, init=False)
    looked: int = field(default=0, init=False)
    outcome: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.since = self.delivery.received_at

    @property
    def flow(self) -> str:
        """The flow that is to be run."""
        return PULL_REQUEST if isinstance(self.delivery.subject, PullRequest) else DATA_UPDATE

    @property
    def asked(self) -> dict[str, Any]:
        """What the event and the flow are told, besides the source."""
        told: dict[str, Any] = {"delivery": self.delivery.id}
        match self.delivery.subject:
            case PullRequest() as pull:
                return {"number": pull.number, "wanted": pull.wanted, "head": pull.head, **told}
            case Job() as job:
                return {"entity": job.entity, "event": job.event, **told}
            case Push() as push:
                return {"ref": push.ref, **told}
            case _:
                return {"ref": "", **told}

    @property
    def is_blob(self) -> bool:
        """Whether the errands of one source that wait together need only one run."""
        return isinstance(self.delivery.subject, Blob)

    @property
    def is_job(self) -> bool:
        """Whether it is done as soon as its event is emitted: no flow has to run."""
        return isinstance(self.delivery.subject, Job)


def errands_of(delivery: Delivery, sources: Sequence[DataSource]) -> tuple[list[Errand], str]:
    """The errands of a delivery, and why there is none; a reason that is empty means that no source knows of it."""
    match delivery.subject:
        case Push() as push:
            return _of_push(delivery, push, [source for source in sources if source.is_repository(push.address)])
        case PullRequest() as pull:
            return [Errand(delivery, source.name) for source in sources if source.is_repository(pull.address)], ""
        case Blob() as blob:
            holds = [one.name for one in sources if one.holds_blob(blob.account, blob.container, blob.blob)]
            return [Errand(delivery, name) for name in holds], ""
        case Job():
            return [Errand(delivery)], ""
        case _:
            return [], "nothing to do"


def _of_push(delivery: Delivery, push: Push, readers: Sequence[DataSource]) -> tuple[list[Errand], str]:
    told = pushes.Push(push.ref, push.before, push.after)
    reasons = {source.name: why_ignored(told, source.rules) for source in readers}
    errands = [Errand(delivery, name) for name, reason in reasons.items() if not reason]
    return errands, "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)
