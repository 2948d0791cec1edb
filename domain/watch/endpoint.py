"""What to say about the live endpoint itself."""

from domain.ledger import Release
from domain.watch.commands import Commands
from domain.watch.findings import Finding


def endpoint_gone(release: Release, commands: Commands) -> Finding:
    """Somebody deleted the endpoint that clients use."""
    return Finding(
        kind="endpoint-gone",
        key=f"endpoint-gone:{release.endpoint}",
        severity="critical",
        title=f"{commands.track}: the live endpoint is gone",
        detail=f"The Speech service has no {release.endpoint} any more: every client that uses it gets an error.",
        what_to_do="Make a new one, and give its address to the clients, for its id is another one: "
        f"{commands.deploy(release.model_name, release.evidence)}",
        facts={"endpoint": release.endpoint},
    )


def other_model(release: Release, serves: str, commands: Commands) -> Finding:
    """The endpoint was pointed at another model by somebody else, such as in Speech Studio."""
    return Finding(
        kind="other-model",
        key=f"other-model:{serves}",
        severity="critical",
        title=f"{commands.track}: the live endpoint has another model than the ledger says",
        detail=f"It has the model {serves}, not '{release.model_name}' ({release.model}): somebody changed it past speechops.",
        what_to_do=f"Put the released model back: {commands.deploy(release.model_name, release.evidence)}",
        facts={"endpoint": release.endpoint, "serves": serves, "released": release.model},
    )


def interrupted(reason: str, commands: Commands) -> Finding:
    """A release or rollback was begun, its run has ended, and it could neither be finished nor taken back now."""
    return Finding(
        kind="interrupted",
        severity="critical",
        title=f"{commands.track}: a release was interrupted, and can neither be finished nor taken back",
        detail=f"Clients may have a model that nobody has verified. {reason}",
        what_to_do=f"Mend what the reason says and watch again, which tries again: {commands.watch()}. To put a model live "
        f"that was verified before: {commands.rollback()}",
    )
