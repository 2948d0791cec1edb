"""The chart of a track's page: its WER over time, with releases, rollbacks and changed testing data."""

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes

from domain.lineage.history import LIVE_KINDS, Mark
from domain.report.drawing import FONT, Chart, Colours, label, svg

__all__ = ["svg", "timeline"]

_MOST: Final = 60
_CLOSE: Final = 3
"""Marks between two labels; nearer ones would lie over each other when there are many."""
_SHAPES: Final = {"release": "^", "rollback": "v", "measured": "o", "refused": "x"}


def timeline(marks: Sequence[Mark]) -> Chart:
    """The WER that clients had, what was refused, and when what went live; a line wherever the testing data changed."""
    shown = tuple(marks[-_MOST:])
    said = "; ".join(f"{one.at:%Y-%m-%d} {one.wer:.1%} {one.kind} {one.label}".rstrip() for one in shown)
    return Chart(
        "timeline",
        "Word error rate over time",
        2.9,
        f"Word error rate over time. {said}",
        lambda axes, colours: _timeline(axes, shown, colours),
    )


def _timeline(axes: Axes, marks: Sequence[Mark], colours: Colours) -> None:
    for start, end in _pieces(marks):
        live = [place for place in range(start, end) if marks[place].kind != "refused"]
        axes.plot(live, [100 * marks[one].wer for one in live], "-", color=colours.candidate, linewidth=1.5, zorder=2)
        if end < len(marks):
            axes.axvline(end - 0.5, color=colours.soft, linewidth=0.9, linestyle=(0, (3, 3)))
    for place, mark in enumerate(marks):
        _point(axes, place, mark, colours)
    _labels(axes, marks, colours)
    _frame(axes, marks, colours)


def _pieces(marks: Sequence[Mark]) -> list[tuple[int, int]]:
    """Where the testing data stay the same; what does not tell them belongs to what is before it."""
    pieces, start, testing = [], 0, marks[0].testing
    for place, mark in enumerate(marks):
        if mark.testing and testing and mark.testing != testing:
            pieces.append((start, place))
            start = place
        testing = mark.testing or testing
    return [*pieces, (start, len(marks))]


def _point(axes: Axes, place: int, mark: Mark, colours: Colours) -> None:
    live = mark.kind in LIVE_KINDS
    colour = _colour(mark.kind, colours)
    axes.plot(
        place, 100 * mark.wer, _SHAPES.get(mark.kind, "o"), color=colour, markersize=9 if live else 6, zorder=4 if live else 3,
        markerfacecolor=colour if live else colours.page, markeredgecolor=colour, clip_on=False,
    )  # fmt: skip


def _colour(kind: str, colours: Colours) -> str:
    return {"refused": colours.soft, "rollback": colours.benchmark}.get(kind, colours.candidate)


def _labels(axes: Axes, marks: Sequence[Mark], colours: Colours) -> None:
    """The versions of the newest releases, as many as there is room for."""
    room = 0 if len(marks) <= 12 else _CLOSE
    free = len(marks) + room
    for place in reversed(range(len(marks))):
        mark = marks[place]
        if mark.kind in LIVE_KINDS and mark.label and place + room <= free:
            axes.annotate(
                label(mark.label), (place, 100 * mark.wer), xytext=(0, 8), textcoords="offset points", ha="center",
                color=colours.ink, fontsize=FONT - 1, parse_math=False,
            )  # fmt: skip
            free = place


def _frame(axes: Axes, marks: Sequence[Mark], colours: Colours) -> None:
    dated = sorted({0, len(marks) // 2, len(marks) - 1})
    axes.set_xticks(dated, [f"{marks[one].at:%Y-%m-%d}" for one in dated])
    axes.set_xlim(-0.6, len(marks) - 0.4)
    axes.set_ylim(0, max(mark.wer for mark in marks) * 125 or 1)
    axes.set_ylabel("WER, %")
    axes.grid(axis="y", color=colours.line, linewidth=0.8)
    kinds = [kind for kind in _SHAPES if any(mark.kind == kind for mark in marks)]
    for kind in kinds:
        colour = _colour(kind, colours)
        fill = colour if kind in LIVE_KINDS else colours.page
        axes.plot([], [], _SHAPES[kind], color=colour, markerfacecolor=fill, markersize=7, label=kind)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, frameon=False, fontsize=FONT, labelcolor=colours.ink,
        handletextpad=0.1, columnspacing=1.0,
    )  # fmt: skip
