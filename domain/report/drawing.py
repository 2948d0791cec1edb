"""Drawing with matplotlib: SVG that follows a page's colours, and PNG in light ones, both the same for the same input.

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

from domain.report.harmless import harmless

WIDTH = 400 / 72
"""Inches; 400 pixels on a page, so that a phone shows letters in their natural size."""

FONT = 11
_LONGEST_LABEL = 22
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


LIGHT = Colours("#1f2933", "#5f6c7b", "#d5dce3", "#ffffff", "#8a5a00", "#1d6fa5", "#5c6873")
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
        axes.set_title(chart.title, fontsize=FONT + 1, color=LIGHT.ink, pad=26 if axes.get_legend() else 8)
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
    axes.tick_params(colors=colours.soft, labelcolor=colours.ink, labelsize=FONT, length=0, pad=5)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=colours.soft, fontsize=FONT)
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


def label(text: str) -> str:
    """A label that every font has: other characters become a box, for matplotlib would warn of each."""
    short = text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
    return "".join(one if ord(one) in _characters() else "□" for one in harmless(short))


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap())
