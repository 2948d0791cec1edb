"""The figures in docs/reliability.md, written from what the plans told."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.chaos.plans import KINDS, Plan

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: begin, written by make chaos -->", "<!-- figures: end -->"


@dataclass
class Row:
    """One kind of fault on one world.

    Attributes:
        plans: how many were played.
        fired: in how many of them the fault came before the run was over.
        violations: how many plans ended with something that did not hold.
        seconds: from the fault to the end of all, for each that fired.
    """

    plans: int = 0
    fired: int = 0
    violations: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, told: Mapping[str, object]) -> None:
        """One more result."""
        self.plans += 1
        self.fired += bool(told["fired"])
        self.violations += bool(told["violations"])
        if isinstance(told["seconds"], float):
            self.seconds.append(told["seconds"])

    def __str__(self) -> str:
        times = f"{median(self.seconds):.0f} / {max(self.seconds):.0f}" if self.seconds else "–"
        return f"{self.plans} | {self.fired} | {self.violations} | {times}"


def table(results: Iterable[tuple[Plan, Mapping[str, object]]]) -> str:
    """Markdown: one line for each kind of fault, SQLite beside PostgreSQL."""
    rows: dict[tuple[str, str], Row] = {}
    for plan, told in results:
        for key in ((plan.fault, plan.world), ("**all**", plan.world)):
            rows.setdefault(key, Row()).add(told)
    worlds = ("sqlite", "postgres")
    head = "| fault | SQLite: plans | came | violations | s | PostgreSQL: plans | came | violations | s |"
    lines = [head, "|---|" + "---:|" * 8]
    for fault in (*KINDS, "**all**"):
        if any((fault, world) in rows for world in worlds):
            lines.append(f"| {fault} | " + " | ".join(str(rows.get((fault, world), Row())) for world in worlds) + " |")
    return "\n".join(lines)


def provenance() -> str:
    """When, of what, on what."""
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
    now = datetime.now(UTC)
    cores = f"{os.cpu_count()} cores"
    return f"{now:%Y-%m-%d}, commit {commit.stdout.strip()}, {cores}, {platform.system()}, Python {platform.python_version()}."


def write(results: Iterable[tuple[Plan, Mapping[str, object]]], page: Path = PAGE) -> None:
    """Put the figures between the page's marks."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{provenance()}\n\n{table(results)}\n{END}{after}", "utf-8")
