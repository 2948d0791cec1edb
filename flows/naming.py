"""How flow runs are called in the Prefect UI."""

from prefect.runtime import flow_run


def run_name() -> str:
    """Track and revision, such as `sharjah @ 1a2b3c4d5e6f`; just the track until the revision is read from git."""
    parameters = flow_run.parameters
    revision = parameters.get("revision") or ""
    return f"{parameters['track']} @ {revision}" if revision else str(parameters["track"])


def release_name() -> str:
    """The model that goes live."""
    return f"release {flow_run.parameters['model']}"
