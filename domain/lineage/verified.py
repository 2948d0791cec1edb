"""What `speechops verify` found: whether history, evidence and data are what they were."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.ledger import Entry, State, broken_link
from domain.lineage.history import LIVE_KINDS
from domain.ruling import ModelRef, Ruling

FORGET = "forget"
"""The kind of entry that tells that a speaker's data were removed."""

_RESTORE = "Bring the store back from a backup; do not trust this track until then."


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Check(_Record):
    """One thing that was looked at."""

    track: str
    what: str
    """Such as `history`, or the store's key of a file."""
    state: Literal["ok", "broken", "forgotten"]
    detail: str
    what_to_do: str = ""


class Verified(_Record):
    """The answer of `speechops verify`."""

    checks: tuple[Check, ...]

    @property
    def is_broken(self) -> bool:
        """Whether anything is not what it was."""
        return any(one.state == "broken" for one in self.checks)


def chain_check(state: State, entries: list[Entry], written: Entry | None, numbers: list[int]) -> Check:
    """Whether each entry follows from the one before, up to the head.

    Args:
        state: the head.
        entries: the history, oldest first, with the head's last entry at its end.
        written: what lies in the history where the head's last entry belongs; None when a crash left it out.
        numbers: of the entries that lie there.
    """
    track, count = state.track, state.last.number if state.last else 0
    if (broken := broken_link(entries)) is not None:
        return _broken(track, "history", f"entry {broken} does not follow from the one before")
    if len(entries) != count:
        return _broken(track, "history", f"it ends with entry {len(entries)}, but the head tells of {count}")
    if written is not None and state.last is not None and written.digest != state.last.digest:
        return _broken(track, "history", f"entry {count} is not the one that the head knows")
    if numbers and max(numbers) > count:
        return _broken(
            track, "history", f"there is an entry {max(numbers)}, but the head ends with {count}: it is too old"
        )
    return Check(track=track, what="history", state="ok", detail=f"{count} entries, each follows from the one before")


def head_checks(state: State, entries: list[Entry], rulings: dict[str, Ruling]) -> list[Check]:
    """Whether the head says what the history says: no hash covers the head itself, so it is worked out anew."""
    problems = [*_release_problems(state, entries, rulings), *_benchmark_problems(state, rulings)]
    if problems:
        return [_broken(state.track, "head", one) for one in problems]
    return [
        Check(
            track=state.track, what="head", state="ok", detail=f"generation {state.generation} agrees with the history"
        )
    ]


def _release_problems(state: State, entries: list[Entry], rulings: dict[str, Ruling]) -> list[str]:
    live = [one for one in entries if one.kind in LIVE_KINDS]
    release = state.release
    if release is None:
        return ["the history tells of a release, the head of none"] if live else []
    if not live:
        return ["the head tells of a release, the history of none"]
    problems = []
    if live[-1].facts.get("ruling") != release.evidence or len(live) != release.number:
        problems.append(f"release {release.number} is not the last that the history tells of")
    ruling = rulings.get(release.evidence)
    if ruling and ruling.subject.candidate.path != release.model:
        problems.append(f"the verdict of release {release.number} is about another model")
    return problems


def _benchmark_problems(state: State, rulings: dict[str, Ruling]) -> list[str]:
    benchmark = state.benchmark
    measured = [one for one in rulings.values() if benchmark and one.measurement == benchmark.evidence]
    if benchmark is None or not measured:  # of another version, or forgotten
        return []
    rates = {(ref.path, rate) for one in measured for ref, rate in _rates(one)}
    same = (benchmark.model, benchmark.wer) in rates
    return [] if same else ["the benchmark's model or WER is not what its evidence says"]


def _rates(ruling: Ruling) -> list[tuple[ModelRef, float | None]]:
    subject, verdict = ruling.subject, ruling.verdict
    return [(subject.benchmark, verdict.benchmark_wer), (subject.candidate, verdict.candidate_wer)]


def _broken(track: str, what: str, detail: str) -> Check:
    return Check(track=track, what=what, state="broken", detail=detail, what_to_do=_RESTORE)
