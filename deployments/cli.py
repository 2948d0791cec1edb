"""The command `speechops`."""

import asyncio
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deployments import approving, drifting, lineage_commands, rolling_back
from deployments.offline import add_commands
from domain.mistakes import Mistake
from tasks.store_errors import StoreTrouble

app = typer.Typer(
    help="Keeps the best-performing custom speech model live: test, train, compare, deploy only what is better.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def main() -> None:
    """Run the command line. A mistake that a person can mend is one message, not a traceback."""
    try:
        app()
    except (Mistake, StoreTrouble) as mistake:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"speechops: {mistake}")
        sys.exit(1)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"speechops {version('speechops')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


@app.command("up")
def up_command(
    home: Annotated[Path, typer.Option(help="Folder for databases, results and logs; made when missing.")] = Path(
        ".speechops"
    ),
    project: Annotated[Path, typer.Option(help="Folder with prefect.yaml and the flows.")] = Path(),
    prefect_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of Prefect's API and UI; 0 takes a free one.")
    ] = 4200,
    emulator_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the Speech emulator; 0 takes a free one.")
    ] = 8765,
    reports_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the report pages; 0 takes a free one.")
    ] = 4280,
    receiver_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the receiver of web hooks; 0 takes a free one.")
    ] = 4290,
) -> None:
    """Start everything locally: Speech emulator, Prefect server, worker, blocks, deployments, receiver. Ctrl-C stops it."""
    from deployments.stack import StackSettings
    from deployments.up import up

    settings = StackSettings(
        home=home,
        project=project,
        prefect_port=prefect_port,
        emulator_port=emulator_port,
        reports_port=reports_port,
        receiver_port=receiver_port,
    )
    asyncio.run(up(settings, Console()))


@app.command("env")
def env_command(
    home: Annotated[Path, typer.Option(help="Folder of the stack.")] = Path(".speechops"),
    link: Annotated[bool, typer.Option("--link", help="Print the link that opens the Prefect UI, logged in.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Print what another shell needs to use the running stack: eval "$(speechops env)". It holds the stack's password."""
    from deployments import joining

    if link:
        typer.echo(joining.link(home))
    else:
        found = joining.environment(home)
        typer.echo(json.dumps(found, indent=2) if as_json else joining.exports(found))


@app.command("demo")
def demo_command(
    home: Annotated[Path, typer.Option(help="Folder for databases, results and logs; made when missing.")] = Path(
        ".speechops"
    ),
    project: Annotated[Path, typer.Option(help="Folder with prefect.yaml, the flows and the sample track.")] = Path(),
    prefect_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of Prefect's UI.  [default: 4200, or a free one]")
    ] = None,
    emulator_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the emulator.  [default: 8765, or a free one]")
    ] = None,
) -> None:
    """Watch a real speech recogniser improve, and the better model go live. Needs no account, only this machine."""
    from deployments.addresses import EMULATOR_PORT, PREFECT_PORT, RECEIVER_PORT, REPORTS_PORT, free_or_any
    from deployments.demo import demo
    from deployments.stack import StackSettings

    settings = StackSettings(
        home=home,
        project=project,
        prefect_port=free_or_any(PREFECT_PORT) if prefect_port is None else prefect_port,
        emulator_port=free_or_any(EMULATOR_PORT) if emulator_port is None else emulator_port,
        reports_port=free_or_any(REPORTS_PORT),
        receiver_port=free_or_any(RECEIVER_PORT),
    )
    asyncio.run(demo(settings, Console()))


@app.command("reports")
def reports_command(
    store: Annotated[Path, typer.Option(help="Folder of the store.")] = Path(".speechops/store"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on, on this machine only.")] = 4280,
) -> None:
    """Show a store's tracks, and their reports, in this machine's browser, as `speechops up` does. Ctrl-C stops it."""
    from deployments.addresses import LOOPBACK, claim_ports
    from deployments.report_server import serve_reports

    claim_ports({"--port": port})
    typer.echo(f"Reports of {store} on http://{LOOPBACK}:{port}")
    serve_reports(store, port)


@app.command("receiver")
def receiver_command(
    host: Annotated[str, typer.Option(help="Address to listen on; put a proxy with TLS before it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 4290,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the deliveries.  [default: SPEECHOPS_DATA, or .speechops/receiver]")
    ] = None,
) -> None:
    """Receive web hooks of GitHub, GitLab, Azure DevOps, Event Grid and the Speech service. Ctrl-C stops it.

    Each is verified, stored, and acknowledged; then the flows of the data sources that it is about are started, once,
    on the Prefect server that PREFECT_API_URL or the Prefect profile names. `speechops deploy` prepares that server.

    Secrets stand in the environment, several with commas between them: SPEECHOPS_GITHUB_SECRET,
    SPEECHOPS_GITLAB_SECRET, SPEECHOPS_AZURE_DEVOPS_PASSWORD, SPEECHOPS_EVENTGRID_SECRET, SPEECHOPS_SPEECH_SECRET.
    A hook without one is closed. Event Grid's is opened by tokens of Microsoft Entra too, when SPEECHOPS_EVENTGRID_TENANT
    and SPEECHOPS_EVENTGRID_AUDIENCE are set. SPEECHOPS_OUTBOX_URL (postgresql://…) keeps the deliveries in a database
    instead of a folder, for receivers on several machines.
    """
    from deployments.joining import joined
    from deployments.receiver.serving import serve
    from deployments.receiver.settings import ReceiverSettings
    from tasks.sources import all_sources

    with joined():
        serve(ReceiverSettings.read(**({} if data is None else {"data": data})), host, port, all_sources)


@app.command("keep-runs")
def keep_runs_command() -> None:
    """Begin runs again that crashed, or whose worker is gone. A receiver does so too: for a server without one. Ctrl-C stops it.

    It looks at the Prefect server that PREFECT_API_URL or the Prefect profile names. How long it leaves a run alone is
    in the environment: SPEECHOPS_RUNS_VANISHED_SECONDS and others, see docs/operations.md.
    """
    from deployments.keeping import keep_runs

    keep_runs()


@app.command("speech-hook")
def speech_hook_command(
    url: Annotated[
        str, typer.Option(help="The receiver as the Speech service reaches it: https://hooks.example.org/hooks/speech.")
    ],
    speech: Annotated[str, typer.Option(help="Name of the Speech Resource block.")] = "speechops",
) -> None:
    """Let the Speech service tell the receiver of finished jobs, so that runs that wait for them go on at once.

    It registers a web hook with the secret in SPEECHOPS_SPEECH_SECRET (the first, if there are several), or brings the
    one with this address up to date: run it again after the secret has changed. The receiver must be running.
    """
    from deployments.speech_hook import register_receiver

    typer.echo(asyncio.run(register_receiver(speech, url)).told)


@app.command("post-receive")
def post_receive_command(
    receiver: Annotated[str, typer.Option(help="The receiver's address.")] = "http://127.0.0.1:4290",
    name: Annotated[str, typer.Option(help="What the repository is called.  [default: its folder's name]")] = "",
    address: Annotated[str, typer.Option(help="Where it can be cloned from.  [default: its folder]")] = "",
) -> None:
    """Tell the receiver of a push to a bare repository: the line to put into its hooks/post-receive.

    It posts what a GitHub web hook would, signed with the secret in SPEECHOPS_GITHUB_SECRET.
    """
    from deployments.post_receive import Teller, pushes_from, secret_from_environment

    for push in pushes_from(sys.stdin, Path(), name, address):
        Teller(receiver, secret_from_environment(), push.repository, push.address).tell(push)
        typer.echo(f"speechops: the receiver knows of the push to {push.ref}", err=True)


@app.command("deploy")
def deploy_command(
    project: Annotated[Path, typer.Option(help="Folder with prefect.yaml and the flows.")] = Path(),
    pool: Annotated[
        str,
        typer.Option(
            help="Work pool to deploy to; made for processes when missing.  [default: what prefect.yaml names]"
        ),
    ] = "",
    settle: Annotated[
        int, typer.Option(min=10, help="Seconds without a further blob before the data are looked at.")
    ] = 10,
) -> None:
    """Put block types, work pool, deployments and automations on the Prefect server that PREFECT_API_URL or the profile names.

    Run it again after each update: it repeats nothing that is right, and leaves on and off what operators switched.
    """
    from deployments.deploy_command import deploy, show_done

    show_done(asyncio.run(deploy(project, pool, settle)), Console(highlight=False, markup=False))


@app.command("automations")
def automations_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list and nothing else.")] = False,
) -> None:
    """Show our automations on the Prefect server: on or off, what they wait for, what they do, how they differ from the code."""
    from deployments.automation_table import show_automations

    asyncio.run(show_automations(Console(highlight=False, markup=False), as_json=as_json))


@app.command("init")
def init_command(
    track: Annotated[str, typer.Argument(help="Name of the new track: lower-case letters, digits, dashes.")],
    locale: Annotated[str, typer.Option(help="Language and region of the recordings.")] = "en-US",
    data: Annotated[Path, typer.Option(help="Folder that holds the tracks.")] = Path("data"),
) -> None:
    """Make a new track: a commented track.toml, and small examples of training and testing data to replace."""
    from deployments.init_track import next_steps, write_track

    folder = write_track(track, locale, data)
    typer.echo(next_steps(folder, locale))


@app.command("plan")
def plan_command(
    since: Annotated[
        str,
        typer.Option(
            "--from",
            help="What is done already: a commit, or 0 for nothing.  [default: each track's last run, or the commit before]",
            show_default=False,
        ),
    ] = "",
    to: Annotated[str, typer.Option(help="The commit to plan for.  [default: HEAD]", show_default=False)] = "",
    worktree: Annotated[bool, typer.Option("--worktree", help="Plan for the files on disk, committed or not.")] = False,
    cost: Annotated[bool, typer.Option("--cost", help="Say what it takes at most; packs the data to know.")] = False,
    data: Annotated[Path, typer.Option(help="Folder that holds the tracks.")] = Path("data"),
    store: Annotated[Path, typer.Option(help="Folder of the store.")] = Path(".speechops/store"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Say which flows a change of the data would start, for which track, and why. Starts nothing."""
    from deployments.planning import Question, plan_runs, show_plan

    planned = asyncio.run(plan_runs(Question(data, store, since, to, worktree, cost)))
    if as_json:
        sys.stdout.buffer.write(planned.model_dump_json(indent=2).encode() + b"\n")
    else:
        show_plan(planned, Console(highlight=False, markup=False))


@app.command(
    "emulator",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False},
)
def emulator_command(context: typer.Context) -> None:
    """Start the local Speech service alone; `speechops emulator --help` tells its options."""
    sys.stdout.flush()
    env = {**os.environ, "SPEECH_EMULATOR_PROGRAM": "speechops emulator"}  # so that its help shows what was typed
    os.execve(sys.executable, [sys.executable, "-m", "emulator", *context.args], env)  # noqa: S606  (our own program)


add_commands(app)
lineage_commands.add_commands(app)
drifting.add_commands(app)
approving.add_commands(app)
rolling_back.add_commands(app)

if __name__ == "__main__":
    main()
