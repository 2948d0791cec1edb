"""The figures of docs/significance.md: how often equal models are promoted, and how often better ones are not.

Prints the tables as Markdown and draws `docs/images/significance-*.png`. It takes 15 minutes on one core.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import matplotlib as mpl
import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from domain.significance import gain_over, smallest_over
from domain.significance.draws import resampled
from tests.domain.simulated_pairs import WER, Pair, Setting, is_promoted, promoted, simulate

IMAGES = Path(__file__).parent.parent / "docs" / "images"
NULLS = (
    Setting(20, 1_000, 0.0),
    Setting(20, 1_000, 0.15),
    Setting(20, 1_000, 0.30),
    Setting(20, 5_000, 0.15),
    Setting(100, 1_000, 0.15),
    Setting(100, 1_000, 0.30),
    Setting(20, 1_000, 0.30, unequal=True),
    Setting(40, 2_000, 0.30, unequal=True),
    Setting(12, 600, 0.30),
    Setting(10, 500, 0.30),
    *(Setting(speakers, 50 * speakers, 0.30) for speakers in (9, 8, 7, 6, 5)),
    Setting(8, 48, 0.15),
)
SPEAKERS = (5, 10, 20, 50, 100, 200)
EACH = 20
"""Utterances per speaker, about 100 seconds."""
GAINS = (0.0, 0.02, 0.04, 0.07, 0.1, 0.14, 0.18, 0.24, 0.3)
COLOURS = ("#9aa5b1", "#7b8fa8", "#4f83b5", "#2a6fb0", "#17558f", "#0b3a68")


def main(
    pairs: Annotated[int, typer.Option(min=100, help="Simulated pairs per row of the null table.")] = 4_000,
    power_pairs: Annotated[int, typer.Option(min=50, help="Simulated pairs per point of a power curve.")] = 400,
) -> None:
    """Everything, in the order of the page."""
    began = time.perf_counter()
    table = [_null_row(setting, pairs) for setting in NULLS]
    _print_table(("test set", *RULES), table)
    _print_table(("speakers", "0.15", "0.30"), [_smallest_row(speakers) for speakers in SPEAKERS])
    curves = {spread: [_curve(speakers, spread, power_pairs) for speakers in SPEAKERS] for spread in (0.15, 0.30)}
    for spread, lines in curves.items():
        rows = [[str(speakers), *map(_percent, line)] for speakers, line in zip(SPEAKERS, lines, strict=True)]
        _print_table((f"power, {spread:.2f}", *map(_percent, GAINS)), rows)
    _draw_power(curves)
    print(f"{time.perf_counter() - began:.0f} s")


def _mapsswe(pair: Pair) -> bool:
    matched = pair.matched()
    return matched.mean > 0 and matched.p < 0.05


def _plain_bootstrap(pair: Pair, *, speakers: bool) -> bool:
    """The lower end of the plain two-sided 95 % percentile interval lies above zero."""
    sums = pair.sums(speakers=speakers)
    drawn = resampled(sums.gains.astype(np.float64)[:, None], 1_000, 1)
    return float((drawn <= 0).mean()) < 0.025


RULES: dict[str, Callable[[Pair], bool]] = {
    "`new < old`": lambda pair: pair.gain > 0,
    "MAPSSWE": _mapsswe,
    "utterance bootstrap": lambda pair: pair.gain > 0 and _plain_bootstrap(pair, speakers=False),
    "speaker bootstrap, plain": lambda pair: pair.gain > 0 and _plain_bootstrap(pair, speakers=True),
    "ours, 90 % interval": lambda pair: is_promoted(pair, confidence=0.90, resamples=2_000),
    "**ours, 95 % interval**": lambda pair: is_promoted(pair, resamples=2_000),
}


def _null_row(setting: Setting, pairs: int) -> list[str]:
    random = np.random.default_rng(1)
    hits = dict.fromkeys(RULES, 0)
    for _ in range(pairs):
        pair = simulate(setting, random)
        for name, rule in RULES.items():
            hits[name] += rule(pair)
    unequal = ", unequal" if setting.unequal else ""
    name = f"{setting.speakers} speakers{unequal}, {setting.utterances:,} utterances, tau {setting.interaction:.2f}"
    return [name, *(f"{count / pairs:.1%}" for count in hits.values())]


def _smallest_row(speakers: int) -> list[str]:
    return [str(speakers), *(_smallest(Setting(speakers, EACH * speakers, spread)) for spread in (0.15, 0.30))]


def _smallest(setting: Setting, pairs: int = 200) -> str:
    """What the formula says, and how often a gain of that size is really found."""
    random = np.random.default_rng(2)
    found = [smallest_over(simulate(setting, random).sums()) for _ in range(pairs)]
    known = [gain for gain in found if gain is not None]
    if not known:
        return "none"
    gain = float(np.median(known))
    better = Setting(setting.speakers, setting.utterances, setting.interaction, better=gain / WER)
    shown = sum(_is_above_zero(simulate(better, random)) for _ in range(pairs))
    return f"{gain * 100:.2f} points, {gain / WER:.0%} ({shown / pairs:.0%})"


def _is_above_zero(pair: Pair) -> bool:
    gain = gain_over(pair.sums(), resamples=2_000)
    return gain.interval is not None and gain.interval[0] > 0


def _curve(speakers: int, spread: float, pairs: int) -> list[float]:
    settings = (Setting(speakers, EACH * speakers, spread, better) for better in GAINS)
    return [promoted(setting, pairs, seed=3, resamples=1_000) for setting in settings]


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|---|" + "--:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
    print()


def _draw_power(curves: dict[float, list[list[float]]]) -> None:
    mpl.rcParams.update({"font.size": 10, "font.family": "DejaVu Sans"})
    figure = Figure(figsize=(10, 4.2), layout="constrained", facecolor="white")
    for axes, (spread, lines) in zip(figure.subplots(1, 2, sharey=True), curves.items(), strict=True):
        _draw_panel(axes, spread, lines)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], title="speakers", frameon=False, loc="outside right center")
    IMAGES.mkdir(parents=True, exist_ok=True)
    figure.savefig(IMAGES / "significance-power.png", dpi=110, metadata={"Software": None})


def _draw_panel(axes: Axes, spread: float, lines: list[list[float]]) -> None:
    percent = [100 * gain for gain in GAINS]
    for speakers, line, colour in zip(SPEAKERS, lines, COLOURS, strict=True):
        axes.plot(percent, [100 * power for power in line], color=colour, marker="o", markersize=3, label=str(speakers))
    axes.axhline(80, color="#888888", linewidth=0.8, linestyle="--")
    axes.set_title(f"Speakers suit models {'mildly' if spread < 0.2 else 'strongly'} differently (tau {spread:.2f})")
    axes.set_xlabel("true gain: fewer errors, in per cent of them")
    axes.set_ylabel("promoted, in per cent")
    axes.set_ylim(0, 101)
    axes.set_xlim(0, max(percent))
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    typer.run(main)
