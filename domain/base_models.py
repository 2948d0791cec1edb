"""Which base model to train from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.mistakes import Mistake


@dataclass(frozen=True, slots=True)
class BaseModelFacts:
    """What matters of a base model: `path` on the service, display name, age, and what it can be used for."""

    path: str
    name: str
    created: datetime
    adaptable_until: datetime | None
    adapts_with: frozenset[str]
    """Dataset kinds such as `Language`, `Acoustic`, `Pronunciation`; empty when the service does not say."""
    supports_endpoints: bool = True

    def trainable(self, kinds: frozenset[str], now: datetime) -> bool:
        """Whether a custom model can be trained from it now, with these kinds of data (none: nothing is trained), and go live."""
        in_time = self.adaptable_until is None or now < self.adaptable_until or not kinds
        return in_time and self.supports_endpoints and (not self.adapts_with or kinds <= self.adapts_with)


def choose_base_model(
    offered: Iterable[BaseModelFacts],
    locale: str,
    wanted: str,
    pinned: str | None,
    kinds: frozenset[str],
    now: datetime,
) -> BaseModelFacts:
    """The base model to train from: the one the track names, else the pinned one while it can be trained, else the newest.

    Args:
        offered: the service's base models of the locale.
        locale: for the error message.
        wanted: `newest`, or a display name.
        pinned: path of the base model that the track has used so far.
        kinds: the dataset kinds to train with.
        now: decides which base models are past their adaptation date.

    Raises:
        Mistake: there is none that fits; the message lists what there is.
    """
    offered = sorted(offered, key=lambda model: model.created, reverse=True)
    if not offered:
        raise Mistake(
            f"the Speech service offers no base model for locale '{locale}'. Correct `locale` in track.toml, or use a "
            "Speech resource in a region that offers it."
        )
    fitting = [model for model in offered if model.trainable(kinds, now)]
    if wanted != "newest":
        fitting = [model for model in fitting if model.name == wanted]
    for model in fitting:
        if model.path == pinned:
            return model
    if not fitting:
        named = "can be trained" if wanted == "newest" else f"is named '{wanted}' and can be trained"
        listed = ", ".join(
            f"{model.name} (until {model.adaptable_until:%Y-%m-%d})" if model.adaptable_until else model.name
            for model in offered
        )
        raise Mistake(
            f"no base model for '{locale}' {named} with {', '.join(sorted(kinds)) or 'no data'}. Offered: {listed}. "
            "Correct `model.base` in track.toml."
        )
    return fitting[0]
