"""The charts of a report, drawn by matplotlib: SVG that follows the page's colours, and PNG for the UI and pull requests.

matplotlib takes most of a second to import, so pages import this module when they draw.
"""

import io
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from domain.report.calibration import Calibration
from domain.report.given import HistoryPoint
from domain.report.harmless import harmless
from domain.report.rates import EVERYTHING, Rates, Row

WIDTH = 400 / 72
"""Inches; 400 pixels on a page, so that a phone shows letters in their natural size."""

ROLES = ("benchmark", "candidate", "base model")
_FONT = 11
_MARKERS = {"benchmark": "s", "candidate": "o", "base model": "D"}
_LONGEST_LABEL = 22
_MOST_ROWS = 16
"""Rows of the forest plot; the table beside it has them all."""

_MOST_POINTS = 60
_UNWANTED = re.compile(
    r' (?:xmlns(?::xlink)?|version)="[^"]*"| (?:width|height)="[\d.]+pt"|font-family: [^;"]*|<style.*?</style>', re.S
)
"""What matplotlib writes for SVG files, and a page sets itself."""

_LOCK = threading.Lock()
"""matplotlib's SVG settings are global; two pages made at once must not meet there."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What a chart is drawn with: six-digit colours."""

    ink: str
    soft: str
    line: str
    page: str
    benchmark: str
    candidate: str
    base: str

    def of(self, role: str) -> str:
        """The colour of a model."""
        return {"benchmark": self.benchmark, "base model": self.base}.get(role, self.candidate)


LIGHT = Colours("#1f2933", "#5f6c7b", "#d5dce3", "#ffffff", "#8a5a00", "#1d6fa5", "#6b7682")
_VARIABLES = Colours("#010201", "#010202", "#010203", "#010204", "#010205", "#010206", "#010207")
"""Colours that nothing else has: in SVG each becomes the variable of its name, which light and dark pages set."""

_NAMES = {
    _VARIABLES.ink: "ink",
    _VARIABLES.soft: "soft",
    _VARIABLES.line: "line",
    _VARIABLES.page: "card",
    _VARIABLES.benchmark: "benchmark",
    _VARIABLES.candidate: "candidate",
    _VARIABLES.base: "base",
}

Draw = Callable[[Axes, Colours], None]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, how high it is in inches, and what it shows, in words for those who cannot see it."""

    name: str
    title: str
    height: float
    label: str
    draw: Draw


def forest(rates: Rates) -> Chart:
    """WER with its interval for every model, one row per slice."""
    rows = rates.rows[:_MOST_ROWS]
    said = "; ".join(f"{_row_name(row)}: {', '.join(_told(row))}" for row in rows)
    return Chart(
        "forest",
        "Word error rate with 95% interval",
        1.1 + 0.42 * len(rows),
        f"Word error rate in per cent with 95% interval. {said}",
        lambda axes, colours: _forest(axes, rows, colours),
    )


def _told(row: Row) -> list[str]:
    return [f"{rate.role} {rate.wer:.1%}" for rate in row.rates if rate.wer is not None]


def _row_name(row: Row) -> str:
    return "all recordings" if row.label == EVERYTHING else f"{row.label} {row.value}"


def _forest(axes: Axes, rows: Sequence[Row], colours: Colours) -> None:
    for place, row in enumerate(rows):
        for nth, rate in enumerate(row.rates):
            if rate.wer is None:
                continue
            height = place + (nth - (len(row.rates) - 1) / 2) * 0.24
            colour, marker = colours.of(rate.role), _MARKERS.get(rate.role, "o")
            if rate.interval:
                axes.plot([100 * end for end in rate.interval], [height, height], color=colour, linewidth=2, zorder=2)
            axes.plot(
                100 * rate.wer, height, marker, color=colour, markersize=6, markeredgecolor=colours.page, zorder=3
            )
    axes.set_ylim(len(rows) - 0.5, -0.5)
    _legend(axes, [rate.role for rate in rows[0].rates], colours)
    axes.set_xlim(left=0)
    axes.set_yticks(range(len(rows)), [_label(_row_name(row)) for row in rows], parse_math=False)
    axes.set_xlabel("WER, %")
    axes.grid(axis="x", color=colours.line, linewidth=0.8)
    if len(rows) > 1:
        axes.axhline(0.5, color=colours.line, linewidth=0.8)


def _legend(axes: Axes, roles: Sequence[str], colours: Colours) -> None:
    for role in roles:
        axes.plot([], [], _MARKERS.get(role, "o"), color=colours.of(role), markersize=6, label=role)
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=_FONT, labelcolor=colours.ink,
        handletextpad=0.1, columnspacing=1.2,
    )  # fmt: skip


def history(points: Sequence[HistoryPoint]) -> Chart:
    """The WER of the track over time, with a line wherever the testing data changed."""
    shown = tuple(sorted(points, key=lambda point: point.at)[-_MOST_POINTS:])
    said = "; ".join(f"{point.at:%Y-%m-%d} {point.wer:.1%} {point.kind}" for point in shown)
    return Chart(
        "history",
        "Word error rate over time",
        2.3,
        f"Word error rate over time. {said}",
        lambda axes, colours: _history(axes, shown, colours),
    )


def _history(axes: Axes, points: Sequence[HistoryPoint], colours: Colours) -> None:
    start = 0
    for place in range(1, len(points) + 1):
        if place == len(points) or points[place].testing_hash != points[start].testing_hash:
            piece = range(start, place)
            axes.plot(piece, [100 * points[one].wer for one in piece], "-", color=colours.candidate, linewidth=1.5)
            if place < len(points):
                axes.axvline(place - 0.5, color=colours.soft, linewidth=0.9, linestyle=(0, (3, 3)))
            start = place
    for place, point in enumerate(points):
        live = point.kind == "release"
        fill = colours.candidate if live else colours.page
        axes.plot(place, 100 * point.wer, "o", color=colours.candidate, markerfacecolor=fill, markersize=6, zorder=3)
    dated = sorted({0, len(points) // 2, len(points) - 1})
    axes.set_xticks(dated, [f"{points[one].at:%Y-%m-%d}" for one in dated])
    axes.set_xlim(-0.6, len(points) - 0.4)
    axes.set_ylim(0, max(point.wer for point in points) * 115 or 1)
    axes.set_ylabel("WER, %")
    axes.grid(axis="y", color=colours.line, linewidth=0.8)


def reliability(curves: Sequence[tuple[str, Calibration]]) -> Chart:
    """How often words are right against how sure the service was of them; the diagonal is perfect."""
    said = "; ".join(f"{role}: expected calibration error {found.ece:.1%}" for role, found in curves)
    return Chart(
        "reliability",
        "Is confidence deserved?",
        3.6,
        f"Share of right words over confidence. {said}",
        lambda axes, colours: _reliability(axes, curves, colours),
    )


def _reliability(axes: Axes, curves: Sequence[tuple[str, Calibration]], colours: Colours) -> None:
    axes.plot([0, 100], [0, 100], color=colours.soft, linewidth=0.9, linestyle=(0, (3, 3)))
    for role, found in curves:
        sure, right = [100 * one.confidence for one in found.bins], [100 * one.right for one in found.bins]
        axes.plot(sure, right, _MARKERS.get(role, "o") + "-", color=colours.of(role), linewidth=1.5, markersize=5)
    _legend(axes, [role for role, _ in curves], colours)
    axes.set_xlim(-2, 102)
    axes.set_ylim(-2, 102)
    axes.set_xlabel("confidence, %")
    axes.set_ylabel("right words, %")
    axes.grid(color=colours.line, linewidth=0.8)


def svg(chart: Chart) -> str:
    """The chart as an SVG element for a page: its colours are the page's variables, its ids are its own."""
    figure = Figure(figsize=(WIDTH, chart.height), facecolor="none")
    _drawn(figure.add_subplot(), chart, _VARIABLES)
    out = io.StringIO()
    with _LOCK, mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": chart.name}):
        _fit(figure)
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return _for_a_page(out.getvalue(), chart)


def png(charts: Sequence[Chart], scale: int = 2) -> bytes:
    """The charts below each other as one picture, in light colours."""
    height = sum(chart.height for chart in charts)
    figure = Figure(figsize=(WIDTH, height), facecolor=LIGHT.page)
    grid = figure.subplots(len(charts), 1, squeeze=False, height_ratios=[chart.height for chart in charts])
    for axes, chart in zip(grid[:, 0], charts, strict=True):
        _drawn(axes, chart, LIGHT)
        axes.set_title(chart.title, fontsize=_FONT + 1, color=LIGHT.ink, pad=26 if axes.get_legend() else 8)
    out = io.BytesIO()
    with _LOCK:
        _fit(figure)
        figure.savefig(out, format="png", dpi=72 * scale, metadata={"Software": None})
    return out.getvalue()


def _fit(figure: Figure) -> None:
    figure.set_layout_engine("constrained")


def _drawn(axes: Axes, chart: Chart, colours: Colours) -> None:
    axes.set_facecolor("none")
    chart.draw(axes, colours)
    axes.tick_params(colors=colours.soft, labelcolor=colours.ink, labelsize=_FONT, length=0, pad=5)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=colours.soft, fontsize=_FONT)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(colours.line)


def _for_a_page(drawn: str, chart: Chart) -> str:
    body = _UNWANTED.sub("", drawn[drawn.index("<svg") :]).replace("xlink:href", "href")
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{chart.name}-", body)
    for colour, name in _NAMES.items():
        body = body.replace(colour, f"var(--{name})")
    alternative = f'<svg role="img" aria-label="{escape(harmless(chart.label, 1500))}"'
    return body.replace("<svg", alternative, 1)


def _label(text: str) -> str:
    """A label that every font has: other characters become a box, for matplotlib would warn of each."""
    short = text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
    return "".join(one if ord(one) in _characters() else "□" for one in harmless(short))


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap())
