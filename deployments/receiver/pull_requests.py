"""Pull requests, as every code host tells of them: which of its news matter, and what is wanted.

A model costs money, and what it learns comes from the pull request. So a push alone gets one only when its author may write to
the repository and the label is set; for a fork, somebody must set the label, or name the commit in a comment, after having
seen that commit: `head` then says which one was meant.
"""

import re
from typing import NamedTuple

from pydantic import ValidationError

from deployments.receiver.deliveries import News, PullRequest, Wanted, without_credentials
from deployments.receiver.hook import misfit

TRAIN_LABEL = "speechops: train"
"""Asks for a temporary model."""

_COMMAND = re.compile(r"\s*/speechops (train|check)(?: +([0-9a-f]{7,64}))?\s*")


class Command(NamedTuple):
    """What a person asked for in a comment; `head` is the commit that they named, or its beginning."""

    wanted: Wanted
    head: str


def command_of(text: str) -> Command | None:
    """The command that a comment is; None for all that people say to each other.

    >>> command_of("/speechops train 0badc0de")
    Command(wanted='model', head='0badc0de')
    >>> command_of("I would /speechops train this")
    """
    found = _COMMAND.fullmatch(text)
    return Command("model" if found[1] == "train" else "checks", found[2] or "") if found else None


def wanted_by_push(labels: list[str], label: str, *, from_fork: bool) -> Wanted:
    """What a new commit gets: a label that was set earlier does not count for what a fork pushes later."""
    return "model" if label in labels and not from_fork else "checks"


def pull_news(
    name: str, repository: str, address: str, number: int, head: str, wanted: Wanted, comment: str = ""
) -> News:
    """The news of a pull request. A commit counts once for each thing that is wanted; each comment counts for itself.

    Raises:
        Misunderstood: a field is not what it should be.
    """
    try:
        pull = PullRequest(
            repository=repository, address=without_credentials(address), number=number, head=head, wanted=wanted
        )
    except ValidationError as error:
        raise misfit(error) from None
    content = f"pull:{pull.address} {number} {head} {wanted} {comment}"
    return News(name, [*([f"id:{name}"] if name else []), content], pull)
