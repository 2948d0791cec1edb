"""A person agrees before a model goes live: what is asked, who may answer, and when an answer counts.

A request changes in one direction only: open, then approved, rejected, expired or stale; what was approved is used once.
Who answers is what they say of themselves: the Prefect server of the open-source edition does not know who clicks.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.ledger import State
from domain.mistakes import Mistake
from domain.naming import fingerprint
from domain.release_policy import ApprovalSettings, ReleaseSettings
from domain.ruling import ModelRef, Ruling
from domain.window import stricter

Status = Literal["open", "approved", "rejected", "expired", "stale", "used"]

REQUEST_ID: Final = re.compile(r"[0-9a-f]{16}")
_ADDRESSED: Final = re.compile(r"(.*)<([^<>]*)>")
_MOST_NAME, _MOST_REASON = 200, 1000
"""Characters."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hold(_Record):
    """Why a model that passed does not go live in this run: the name of the state in which it ends, and a message."""

    name: Literal["Rejected", "Expired", "Stale", "Planned", "Refused"]
    message: str


class Answer(_Record):
    """What a person says; the default agrees to nothing."""

    approve: bool = False
    by: str = ""
    """A name, a mail address, or both: `Ada Lovelace <ada@example.org>`."""
    reason: str = ""

    @classmethod
    def of(cls, approve: bool, by: str, reason: str) -> "Answer":
        """As it was typed: one line each, of a decent length."""
        return cls(approve=approve, by=plain(by)[:_MOST_NAME], reason=plain(reason)[:_MOST_REASON])


class Request(_Record):
    """The question whether a model may go live, bound to one flow run, one model and one verdict."""

    id: str
    track: str
    flow_run: str
    model: ModelRef
    verdict: str
    """Digest of the ruling."""
    summary: str
    benchmark_wer: float | None = None
    candidate_wer: float | None = None
    """As fractions."""
    revision: str
    benchmark: str
    """Path of the model that the verdict compared with."""
    testing_hash: str
    authors: tuple[str, ...] = ()
    """Who changed the data; empty when nobody can tell."""
    settings: ApprovalSettings
    asked_at: datetime
    expires_at: datetime
    status: Status = "open"
    turn: int = Field(default=0, ge=0)
    """How many answers did not count."""
    refusal: str = ""
    """Why the last one did not."""
    approved: bool | None = None
    by: str = ""
    reason: str = ""
    decided_at: datetime | None = None
    told: bool = False
    """Whether the ledger knows how it ended."""

    @property
    def is_over(self) -> bool:
        """Whether no answer can change it any more."""
        return self.status != "open"

    @property
    def outcome(self) -> str:
        """How it stands, in words.

        Only facts: who, when, and why.
        """
        who = f" by {self.by} at {self.decided_at:%Y-%m-%d %H:%M} UTC" if self.decided_at else ""
        why = f" ({self.reason})" if self.reason else ""
        ended = "rejected" if self.approved is False else "approved" if self.approved else self.status
        return f"{ended}{who}{why}"

    def is_about(self, model: str, verdict: str) -> bool:
        """Whether it is about this model (its path) and this verdict."""
        return (self.model.path, self.verdict) == (model, verdict)

    def settled(self, head: State, now: datetime) -> "Request":
        """The same, or closed when nobody may answer it any more: something else counts by now, or time is up."""
        if self.is_over:
            return self
        if _is_overtaken(self, head):
            return self.model_copy(update={"status": "stale"})
        return self.model_copy(update={"status": "expired"}) if now >= self.expires_at else self

    def answered(self, answer: Answer, now: datetime) -> "Request":
        """With the decision. Ask `refusal_of` before."""
        return self.model_copy(
            update={
                "status": "approved" if answer.approve else "rejected",
                "approved": answer.approve,
                "by": answer.by,
                "reason": answer.reason,
                "decided_at": now,
                "refusal": "",
            }
        )

    def asked_again(self, why: str) -> "Request":
        """Still open, after an answer that does not count."""
        return self.model_copy(update={"turn": self.turn + 1, "refusal": why})

    def is_answer(self, answer: Answer) -> bool:
        """Whether this very answer has decided it: whoever gives it twice is not told off."""
        return self.decided_at is not None and (self.approved, self.by) == (answer.approve, answer.by)


def request_id(flow_run: str, model: str, verdict: str) -> str:
    """The id of the request of a flow run for a model (its path) and a verdict (its digest)."""
    return fingerprint("approval", flow_run, model, verdict)[:16]


def binding(ruling: Ruling, now_set: ReleaseSettings) -> ReleaseSettings:
    """The settings that count: those the verdict was reached under; what was set since can only be stricter."""
    then = ruling.subject.track.release
    approval = then.approval if then.approval.required else now_set.approval
    return then.model_copy(update={"approval": approval, "window": stricter(then.window, now_set.window)})


def refusal_of(request: Request, answer: Answer) -> str | None:
    """Why this person's answer does not count; None when it does. Anybody who gives a name may reject."""
    settings, names = request.settings, names_of(answer.by)
    if not names:
        return "the answer names nobody: give your name or mail address"
    if not answer.approve:
        return None
    if settings.approvers and not names & names_of(*settings.approvers):
        return f"'{answer.by}' is none of the track's approvers ({', '.join(settings.approvers)})"
    if not settings.allow_author and names & names_of(*request.authors):
        return f"'{answer.by}' changed the data that the model was trained from: somebody else has to approve it"
    return None


def check_open(request: Request) -> None:
    """Refuse an answer that comes too late.

    Raises:
        Mistake: it was answered before, has expired, or has been overtaken.
    """
    late = {
        "expired": f"it could be answered until {request.expires_at:%Y-%m-%d %H:%M} UTC. Run training-update again",
        "stale": "another benchmark, or other testing data, count by now. Run training-update again",
    }
    if request.is_over:
        raise Mistake(
            f"the request {request.id} for '{request.model.name}' is closed: {late.get(request.status, request.outcome)}."
        )


def check_usable(request: Request | None, model: str, verdict: str, *, begun: bool = False) -> None:
    """Refuse a release without an approval that fits.

    Args:
        request: what the store has.
        model: path of the model that is about to go live.
        verdict: digest of its ruling.
        begun: whether this very release was begun before, and so used it.

    Raises:
        Mistake: there is none, it is about something else, was not given, or was used before.
    """
    remedy = "Run training-update again: it asks."
    if request is None or not request.is_about(model, verdict):
        raise Mistake(f"the track asks for an approval, and there is none for this model and this verdict. {remedy}")
    if not request.approved:
        raise Mistake(f"'{request.model.name}' must not go live: its approval is {request.outcome}. {remedy}")
    if request.status != "approved" and not begun:
        raise Mistake(f"the approval {request.id} was used before, and each is good for one release. {remedy}")


def names_of(*people: str) -> frozenset[str]:
    """The names and mail addresses that stand for these people, made comparable.

    >>> sorted(names_of("Ada  Lovelace <Ada@Example.org>"))
    ['ada lovelace', 'ada@example.org']
    """
    return frozenset(name for name in _names(people) if name)


def plain(text: str) -> str:
    """Text that somebody typed: one line, nothing invisible in it.

    >>> plain(" Ada\\u200b\\n Lovelace ")
    'Ada Lovelace'
    """
    shown = (" " if one.isspace() else one for one in unicodedata.normalize("NFKC", text))
    return " ".join("".join(one for one in shown if unicodedata.category(one)[0] != "C").split())


def _names(people: Iterable[str]) -> Iterable[str]:
    for person in map(plain, people):
        found = _ADDRESSED.fullmatch(person)
        yield from (part.strip().casefold() for part in (found.groups() if found else (person,)))


def _is_overtaken(request: Request, head: State) -> bool:
    measured = head.benchmark
    return measured is not None and (measured.model, measured.testing_hash) != (request.benchmark, request.testing_hash)
