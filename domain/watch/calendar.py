"""What to say about models that end."""

from collections.abc import Iterable, Sequence

from domain.watch.commands import Commands
from domain.watch.expiry import Ending, called, nearest
from domain.watch.findings import Finding, Severity


def calendar_findings(rows: Iterable[Ending], thresholds: Sequence[int], commands: Commands) -> tuple[Finding, ...]:
    """Models that have ended, are gone, or end within so many days; each threshold is told once."""
    found = (_gone(row, commands) if row.gone else _ending(row, thresholds, commands) for row in rows)
    return tuple(finding for finding in found if finding)


def _ending(row: Ending, thresholds: Sequence[int], commands: Commands) -> Finding | None:
    reached = None if row.days is None else -1 if row.is_over else nearest(row.days, thresholds)
    if reached is None or row.at is None or (row.is_over and row.use == "adaptation"):
        return None
    when = "ended" if row.is_over else f"ends in {row.days} day{'' if row.days == 1 else 's'}"
    return Finding(
        kind="expired" if row.is_over else "expires",
        key=f"ends:{row.path}:{row.use}:{reached}",
        severity=_severity(row, reached, min(thresholds, default=0)),
        title=f"{commands.track}: {row.what} {when}",
        detail=f"'{row.model}' ({', '.join(row.roles)}): {row.use} {when}, on {row.at:%Y-%m-%d}. {_meaning(row)}",
        what_to_do=_remedy(row, commands),
        facts=row.model_dump(mode="json"),
    )


def _gone(row: Ending, commands: Commands) -> Finding | None:
    if row.use != "transcription":
        return None
    return Finding(
        kind="model-gone",
        key=f"gone:{row.path}",
        severity="critical" if "live" in row.roles else "warning",
        title=f"{commands.track}: {called(row.roles)} is gone from the Speech service",
        detail=f"'{row.model}' ({', '.join(row.roles)}) was deleted. {_meaning(row)}",
        what_to_do=_remedy(row, commands),
        facts=row.model_dump(mode="json"),
    )


def _severity(row: Ending, reached: int, last: int) -> Severity:
    if row.use == "adaptation":
        return "info"
    return "critical" if "live" in row.roles and reached <= last else "warning"


def _meaning(row: Ending) -> str:
    if row.use == "adaptation":
        return "From then on no model is trained from it; the next training takes the newest one."
    if "live" in row.roles:
        return "Once it has ended, Azure answers with the newest base model, without telling anybody."
    if "previous" in row.roles:
        return "A rollback to it is not possible then."
    return "It cannot be measured then."


def _remedy(row: Ending, commands: Commands) -> str:
    retrain = commands.retrain("newest")
    if row.use == "adaptation":
        return f"Nothing now. To change to the newest base model: {retrain}"
    if "live" in row.roles:
        return f"Train anew from the newest base model: {retrain}"
    if "previous" in row.roles:
        return "Nothing, when an older release can be gone back to; `speechops history` shows them."
    return f"Train anew from the newest base model: {retrain}"
