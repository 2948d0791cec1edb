"""The charts of a report."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from domain.report.calibration import Calibration
from domain.report.drawing import FONT, Chart, Colours, label, png, svg
from domain.report.given import HistoryPoint
from domain.report.rates import EVERYTHING, Rates, Row

__all__ = ["forest", "history", "png", "reliability", "svg"]

_MARKERS = {"benchmark": "s", "candidate": "o", "base model": "D"}
_MOST_ROWS = 16
"""Rows of the forest plot; the table beside it has them all."""

_MOST_POINTS = 60


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
    axes.set_yticks(range(len(rows)), [label(_row_name(row)) for row in rows], parse_math=False)
    axes.set_xlabel("WER, %")
    axes.grid(axis="x", color=colours.line, linewidth=0.8)
    if len(rows) > 1:
        axes.axhline(0.5, color=colours.line, linewidth=0.8)


def _legend(axes: Axes, roles: Sequence[str], colours: Colours) -> None:
    for role in roles:
        axes.plot([], [], _MARKERS.get(role, "o"), color=colours.of(role), markersize=6, label=role)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False, fontsize=FONT, labelcolor=colours.ink,
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
