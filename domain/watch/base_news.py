"""What to say about a base model that is newer than the one that the live model was trained from."""

from collections.abc import Iterable, Set
from datetime import datetime

from domain.base_models import BaseModelFacts
from domain.significance import Gain
from domain.watch.commands import Commands
from domain.watch.findings import Finding


def newer_base(
    offered: Iterable[BaseModelFacts], present: str, kinds: Set[str], now: datetime
) -> BaseModelFacts | None:
    """The newest base model that candidates could be trained from, if it is newer than the present one.

    Args:
        offered: the service's base models of the locale.
        present: path of the base model that the live model was trained from.
        kinds: the dataset kinds that it was trained with.
        now: decides which base models are past their adaptation date.
    """
    models = list(offered)
    since = next((model.created for model in models if model.path == present), None)
    usable = [model for model in models if model.trainable(frozenset(kinds), now)]
    newest = max(usable, key=lambda model: model.created, default=None)
    is_news = newest is not None and (since is None or newest.created > since)
    return newest if is_news else None


def base_finding(name: str, live: str, gain: Gain, rates: tuple[float, float], commands: Commands) -> Finding:
    """There is a newer base model, with how it does beside the live model on the current testing data.

    Args:
        name: the base model's display name.
        live: the live model's.
        gain: of the live model over the newer base model.
        rates: WER of the newer base model and of the live model.
        commands: what to type.
    """
    base, custom = rates
    overtaken = gain.interval is not None and gain.interval[1] < 0
    span = f" ({gain.interval[0] * 100:+.1f} to {gain.interval[1] * 100:+.1f})" if gain.interval else ""
    told = f"On the current testing data it has a WER of {base:.1%} as it is, the live model '{live}' {custom:.1%}: "
    told += f"{gain.value * 100:+.1f} points{span} in favour of the live model, on {gain.words:,} words."
    return Finding(
        kind="newer-base-model",
        key=f"newer-base-model:{name}:{overtaken}",
        severity="warning" if overtaken else "info",
        title=f"{commands.track}: base model {name} is newer than the live model's"
        + (", and better than the live model" if overtaken else ""),
        detail=told + (" Customisation no longer pays, until the model is trained anew." if overtaken else ""),
        what_to_do="Train from it; the candidate may go live when it is not worse (mode non-inferiority): "
        f"{commands.retrain(name)}",
        facts={"base": name, "base_wer": base, "live_wer": custom, "gain": gain.value, "interval": gain.interval},
    )
