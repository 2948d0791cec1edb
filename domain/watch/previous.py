"""Is the release before better than what is live? Asked only when the track's policy may go back by itself."""

from domain.rollback import Target
from domain.significance import Gain
from domain.watch.commands import Commands
from domain.watch.findings import Finding


def is_better(gain: Gain) -> bool:
    """Whether the gain of the earlier release over the live one is more than chance.

    >>> is_better(Gain(0.03, (0.01, 0.05), 0.001, "block bootstrap", 20, 900))
    True
    >>> is_better(Gain(0.03, (-0.01, 0.07), 0.2, "block bootstrap", 20, 900))
    False
    """
    return gain.interval is not None and gain.interval[0] > 0


def previous_finding(release: Target, gain: Gain, *, undone: str, commands: Commands) -> Finding:
    """The release before is better on the current testing data.

    Args:
        release: the earlier one.
        gain: of the earlier one over the live one.
        undone: what became of it: empty when the watch went back, else why it did not.
        commands: what to type.
    """
    span = f" ({gain.interval[0] * 100:+.1f} to {gain.interval[1] * 100:+.1f})" if gain.interval else ""
    outcome = f" It could not be gone back to: {undone}" if undone else " It is live again."
    return Finding(
        kind="previous-is-better",
        key=f"previous-is-better:{release.model}",
        severity="critical",
        title=f"{commands.track}: release {release.handle} is better than what was live",
        detail=f"On the current testing data '{release.model_name}' has {gain.value * 100:+.1f} points{span} less WER, on "
        f"{gain.words:,} words, in one evaluation.{outcome}",
        what_to_do=f"Go back: {commands.rollback(release.handle)}"
        if undone
        else f"Find out why, then train anew: {commands.retrain()}",
        facts={
            "release": release.handle,
            "live_again": "" if undone else release.handle,
            "gain": gain.value,
            "interval": gain.interval,
        },
    )
