"""The story of the demo: seven commits, what each is for, and what came of it."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deployments.demo_repository import DemoRepository
from domain.ruling import Report

_KEY = re.compile(r"[0-9a-f]{64}/report\.html")
TESTING, TRAINING, PUSH = "testing-update", "training-update", "git push"


@dataclass(frozen=True, slots=True)
class Step:
    """A commit to the track, and the flow that the demo starts for it; after `PUSH`, the demo starts nothing.

    `name` is what the closing table calls it.
    """

    name: str
    title: str
    flow: str
    commit: Callable[[DemoRepository], str]


STEPS = (
    Step("base model", "How well does the base model do?", TESTING, lambda repository: repository.start()),
    Step("names learnt", "Teach it the names of places and services", TRAINING, lambda repository: repository.train()),
    Step("one more name", "Correct one more name, which few recordings have", TRAINING,
         lambda repository: repository.update("fakkan", "How Fakkan is said")),
    Step("dinosaurs", "Train on something that does not help", TRAINING,
         lambda repository: repository.update("dinosaurs", "Add texts about dinosaurs")),
    Step("copied text", "Train on the very sentences that are tested", TRAINING,
         lambda repository: repository.leak()),
    Step("second track", "Push a second track: recordings to test with, and a few sentences to learn from", PUSH,
         lambda repository: repository.grow()),
    Step("more sentences", "Push more sentences and names for it", PUSH, lambda repository: repository.grow_on()),
)  # fmt: skip
LIVE = 1
"""The step whose model goes live."""
EXPECTED = (None, "PASS", "INCONCLUSIVE", "FAIL", "BLOCKED", "PASS", "PASS")
"""What each step must come to; None for a measurement."""


@dataclass(frozen=True, slots=True)
class Played:
    """A step that is over: its report, or why its data were refused, and its page."""

    step: Step
    flow_run: str
    report: Report | None
    refusal: str = ""
    page: Path | None = None

    @property
    def outcome(self) -> str | None:
        """The verdict of a training update, BLOCKED without one; None for a measurement."""
        if self.report is None:
            return "BLOCKED"
        return None if self.report.candidate_wer is None else self.report.decision.ruling.verdict.outcome.value


def copied_page(store: Path, folder: Path, number: int, step: Step, told: str) -> Path | None:
    """Copy the report that `told` names to a name that people can find; None when it names none.

    Args:
        store: folder of the store.
        folder: where the copy goes.
        number: of the step, from 1.
        step: which one.
        told: the page's key in the store, or a message that ends with its address.
    """
    found = _KEY.search(told)
    source = store / "evidence" / found[0] if found else None
    if source is None or not source.is_file():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(source, folder / f"{number}-{step.name.replace(' ', '-')}.html"))
