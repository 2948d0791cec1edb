"""The table of `speechops orphans`."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.orphaned import Orphans
from domain.orphans import Orphan


def show_orphans(found: Orphans, console: Console) -> None:
    """Print what nobody uses, what it costs, and how to get rid of it."""
    if not found.orphans:
        console.print("Nothing is left over: every track uses what it has.")
        return
    table = Table(box=box.SIMPLE)
    for name, style in (("kind", ""), ("name", "bold"), ("track", ""), ("days", ""), ("why", ""), ("a month", "")):
        table.add_column(name, style=style, justify="right" if name in ("days", "a month") else "left", overflow="fold")
    for one in found.orphans:
        table.add_row(*(Text(cell) for cell in _cells(one)))
    console.print(table)
    console.print(_summary(found), soft_wrap=True)


def _cells(one: Orphan) -> tuple[str, ...]:
    age = "" if one.age_days is None else f"{one.age_days:g}"
    cost = f"{one.monthly_cost:.2f}" if one.monthly_cost else "-"
    why = f"deleted: {one.why}" if one.deleted else one.why
    return one.kind, one.name, one.track, age, why, cost


def _summary(found: Orphans) -> str:
    left = [one for one in found.orphans if not one.deleted]
    gone = len(found.orphans) - len(left)
    told = [f"{gone} deleted"] if gone else []
    told += [
        f"{len(left)} left, {found.monthly_cost:.2f} a month ({found.hosting_price:g} per endpoint and hour, a guess: see the price list)"
    ]
    removable = any(one.deletable for one in left)
    told += ["--delete removes what is safe to remove"] if removable and not gone else []
    told += (
        ["what another store may use is left to you, in Speech Studio"]
        if any(not one.deletable for one in left)
        else []
    )
    return "; ".join(told) + "."
