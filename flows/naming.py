"""How flow runs are called in the Prefect UI."""

import re

from prefect.runtime import flow_run

_FULL_ID = re.compile(r"^([0-9a-f]{12})(?:[0-9a-f]{28}|[0-9a-f]{52})$")


def run_name() -> str:
    """Track and revision, such as `sharjah @ 1a2b3c4d5e6f`; just the track until the revision is read from git."""
    parameters = flow_run.parameters
    revision = _FULL_ID.sub(r"\1", parameters.get("revision") or "")
    return f"{parameters['track']} @ {revision}" if revision else str(parameters["track"])


def release_name() -> str:
    """The model that goes live."""
    return f"release {flow_run.parameters['model']}"


def rollback_name() -> str:
    """The track, and where to, if that was said: `sharjah back to 1.2.0`."""
    track, to = flow_run.parameters["track"], flow_run.parameters.get("to")
    return f"{track} back to {to}" if to else f"{track} back"


def watch_name() -> str:
    """The track that is looked after."""
    return f"watch {flow_run.parameters['track']}"


def promotion_name() -> str:
    """The track, and where to, if that was said: `sharjah to prod`."""
    parameters = flow_run.parameters
    return f"{parameters['track']} to {parameters.get('target') or 'all targets'}"


def update_name() -> str:
    """The data source, and the ref if one is named."""
    return f"{flow_run.parameters.get('source') or 'every source'} {flow_run.parameters.get('ref') or ''}".rstrip()


def pull_name() -> str:
    """The data source and the pull request's number, such as `maps #7`."""
    return f"{flow_run.parameters['source']} #{flow_run.parameters['number']}"
