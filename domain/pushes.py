"""Which pushes matter: one of a branch that is watched, or a tag that asks for a new test."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

_BRANCH = "refs/heads/"
_TAG = "refs/tags/"


@dataclass(frozen=True, slots=True)
class PushRules:
    """Patterns of names: `*` stands for anything. A tag that matches asks for a new test, whatever changed."""

    branches: tuple[str, ...] = ("main",)
    retest_tags: tuple[str, ...] = ("baseline/*",)


@dataclass(frozen=True, slots=True)
class Push:
    """What a git server tells of a push: the full name of the ref, and its commit before and after.

    A commit of zeros only means that there is none: the ref is new, or deleted. The server's lists of commits and files
    are no part of this, because they are cut off (GitHub: after 2,048 commits).
    """

    ref: str
    before: str
    after: str

    @property
    def tag(self) -> str:
        """The tag's name; empty when this is none.

        >>> Push("refs/tags/baseline/taxi", "0", "1").tag
        'baseline/taxi'
        """
        return self.ref.removeprefix(_TAG) if self.ref.startswith(_TAG) else ""

    @property
    def branch(self) -> str:
        """The branch's name; empty when this is none."""
        return self.ref.removeprefix(_BRANCH) if self.ref.startswith(_BRANCH) else ""


def is_no_commit(commit: str) -> bool:
    """Whether these are git's zeros.

    >>> is_no_commit("0" * 40), is_no_commit("0badc0de")
    (True, False)
    """
    return commit.strip("0") == ""


def why_ignored(push: Push, rules: PushRules) -> str:
    """Why a push starts nothing, for people; empty when it has to be looked at.

    >>> why_ignored(Push("refs/heads/topic", "1", "2"), PushRules())
    "branch 'topic' is not watched (watched: main)"
    """
    kind, name, patterns = _asked(push, rules)
    if not kind:
        return "neither a branch nor a tag was pushed"
    if is_no_commit(push.after):
        return f"{kind} {name!a} was deleted"
    if not any(fnmatchcase(name, pattern) for pattern in patterns):
        return f"{kind} {name!a} is not watched (watched: {', '.join(patterns) or 'none'})"
    return ""


def _asked(push: Push, rules: PushRules) -> tuple[str, str, tuple[str, ...]]:
    if push.tag:
        return "tag", push.tag, rules.retest_tags
    return ("branch", push.branch, rules.branches) if push.branch else ("", "", ())
