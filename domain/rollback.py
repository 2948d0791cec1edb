"""Going back: which model can take over again, what becomes of the one that is taken back, and when it is welcome again.

Going back means back in time: to a model that went live before the present one did, and was not taken back itself.
Whoever names a model may choose any; naming one that was taken back makes it welcome again.
"""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.ledger import Release, State, Withdrawn
from domain.mistakes import Mistake


class Target(BaseModel):
    """A model that was live, or nearly, and can be named."""

    model_config = ConfigDict(frozen=True)

    number: int
    """Of the release that put it live first, or anew; 0 when it never was released."""
    version: str
    model: str
    """Path on the Speech service."""
    model_name: str
    recipe: str
    evidence: str
    """Digest of the ruling that let it go live."""

    @property
    def handle(self) -> str:
        """The shortest thing that names it: version, release number, or the model's name."""
        return self.version or (str(self.number) if self.number else self.model_name)

    @property
    def told(self) -> str:
        """For people.

        >>> Target(number=2, version="1.1.0", model="m", model_name="taxi-model", recipe="r", evidence="e").told
        "1.1.0 ('taxi-model')"
        """
        return self.model_name if self.handle == self.model_name else f"{self.handle} ('{self.model_name}')"


def known(head: State) -> tuple[Target, ...]:
    """Every model that was live or is, once each, the newest release first; then those taken back before they were released."""
    found: dict[str, Target] = {}
    for release in _newest_first(head):
        found.setdefault(release.model, _released(release))
    for release in reversed(_newest_first(head)):
        if release.kind == "release":
            found[release.model] = _released(release)
    for one in head.withdrawn:
        found.setdefault(one.model, _withdrawn(one))
    return tuple(sorted(found.values(), key=lambda target: -target.number))


def earlier(head: State, present: str) -> tuple[Target, ...]:
    """What can be gone back to from the model `present` (its path), the nearest first."""
    taken_back = {one.model for one in head.withdrawn}
    everything = known(head)
    now = next((target.number for target in everything if target.model == present and target.number), None)
    return tuple(
        target
        for target in everything
        if target.number and target.model != present and target.model not in taken_back
        and (now is None or target.number < now)
    )  # fmt: skip


def named(head: State, to: str) -> Target:
    """The model of that version, release number or name.

    Raises:
        Mistake: the track has none; the message tells which there are.
    """
    wanted = to.strip().removeprefix("v").removeprefix("#")
    for target in known(head):
        if target.model_name == to.strip() or (target.version and target.version == wanted):
            return target
    for release in _newest_first(head):
        if wanted == str(release.number):
            return next(target for target in known(head) if target.model == release.model)
    there = ", ".join(target.told for target in known(head)) or "none"
    raise Mistake(f"track '{head.track}' has no release '{to[:80]}'. There are: {there}.")


def withdrawal(head: State, taken: Target, to: Target, reason: str, at: datetime) -> Withdrawn | None:
    """The note that `taken` was taken back for `to`; None when that makes a model welcome again: then nothing was wrong."""
    if taken.model == to.model or to.model in {one.model for one in head.withdrawn}:
        return None
    return Withdrawn(
        model=taken.model,
        model_name=taken.model_name,
        recipe=taken.recipe,
        version=taken.version,
        reason=reason,
        at=at,
        evidence=taken.evidence,
    )


def withdrawn_after(head: State, live: str) -> tuple[Withdrawn, ...]:
    """What counts as taken back once the pending rollback to the model `live` (its path) is recorded; the newest first."""
    new = head.pending.takes_back if head.pending else None
    fresh = (new,) if new else ()
    away = {live, *(one.model for one in fresh)}
    return (*fresh, *(one for one in head.withdrawn if one.model not in away))


def taken_back(head: State) -> Withdrawn | None:
    """What the live release took back; None when it is no rollback, or one that made a model welcome again."""
    if head.release is None or head.release.kind != "rollback" or not head.withdrawn:
        return None
    newest, before = head.withdrawn[0], head.previous_releases[:1]
    return newest if not before or newest.at > before[0].released_at else None


def already_told(head: State) -> str:
    """For whoever asks for a rollback that has happened: one more step back has to be named, so that asking twice is safe."""
    if head.release is None:
        return "nothing is live"
    live, gone = _released(head.release), taken_back(head)
    since = f"{live.told} is live since {head.release.released_at:%Y-%m-%d %H:%M} UTC"
    further = next(iter(earlier(head, live.model)), None)
    instead = f", instead of '{gone.model_name}'" if gone else ""
    return f"{since}{instead}." + (f" To go back one more: {command(head.track, further)}." if further else "")


def refusal(head: State, recipe: str) -> str:
    """Why the model of a recipe does not go live by itself; empty when it may, or is live already.

    Args:
        head: of the track.
        recipe: hash of what the model is trained from.
    """
    if head.release and head.release.recipe == recipe:
        return ""
    one = head.withdrawal_of(recipe)
    return f"{_was_taken_back(one)} {welcome_again(head.track, one)}" if one else ""


def command(track: str, target: Target) -> str:
    """What to type to go to a model."""
    return f"`speechops rollback {track} --to {target.handle}`"


def next_best(track: str, usable: Iterable[Target], taken_back: Iterable[Target] = ()) -> str:
    """What else can be done, with the command; for the end of a message.

    Args:
        track: the track's name.
        usable: what can be gone back to, the best first.
        taken_back: what was taken back and is still there.
    """
    for target in usable:
        return f"Next best: {target.told}, by {command(track, target)}."
    for target in taken_back:
        return f"There is no other earlier release; taken back, but still there, is {target.told}: {command(track, target)}."
    return "There is no other release to go back to: train a better one with training-update."


def welcome_again(track: str, one: Withdrawn) -> str:
    """What to do when a model was taken back by mistake."""
    return f"To put it live after all: {command(track, _withdrawn(one))}. Other training data make another model."


def _was_taken_back(one: Withdrawn) -> str:
    because = f": {one.reason}" if one.reason else ""
    return f"'{one.model_name}' was taken back on {one.at:%Y-%m-%d %H:%M} UTC{because}. It does not go live again by itself."


def _newest_first(head: State) -> tuple[Release, ...]:
    return (*([head.release] if head.release else []), *head.previous_releases)


def _released(release: Release) -> Target:
    fields = ("number", "version", "model", "model_name", "recipe", "evidence")
    return Target(**{field: getattr(release, field) for field in fields})


def _withdrawn(one: Withdrawn) -> Target:
    fields = ("version", "model", "model_name", "recipe", "evidence")
    return Target(number=0, **{field: getattr(one, field) for field in fields})
