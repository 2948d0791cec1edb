"""`speechops up`: the local stack in the foreground, until Ctrl-C."""

import asyncio
import signal
from contextlib import suppress
from time import monotonic

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from deployments.joining import env_command
from deployments.processes import shown
from deployments.stack import Stack, StackSettings, running_stack
from domain.mistakes import Mistake


class Steps:
    """Shows each step while it lasts, and how long it took. Use as a context."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")
        self._step = ""
        self._since = 0.0

    def begin(self, step: str) -> None:
        """The step before is done, this one begins."""
        self._finish()
        self._step, self._since = step, monotonic()
        self._status.update(f"{step} …")
        self._status.start()

    def end(self, *, done: bool) -> None:
        """No more steps; the last one is done, or was given up."""
        if done:
            self._finish()
        self._status.stop()

    def _finish(self) -> None:
        if self._step:
            self._console.print(f"[green]✓[/] {self._step} [dim]{monotonic() - self._since:.1f} s[/]", highlight=False)


async def up(settings: StackSettings, console: Console) -> None:
    """Run the stack until SIGINT or SIGTERM, which both mean a normal end.

    Raises:
        Mistake: it could not be started, or one of its programs stopped.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)  # a second one changes nothing: stopping is under way, and bounded
    work = asyncio.create_task(_keep_running(settings, console))
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not work.done():
        console.print("Stopping the receiver, the worker, the report pages, the Prefect server and the emulator …")
        work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    console.print("Stopped.")


async def _keep_running(settings: StackSettings, console: Console) -> None:
    steps, started = Steps(console), False
    try:
        async with running_stack(settings, steps.begin) as stack:
            started = True
            steps.end(done=True)
            console.print(_places(stack))
            console.print(_commands(stack, console), soft_wrap=True, highlight=False)  # whole lines, to be copied
            raise Mistake((await stack.first_to_end()).epitaph())
    finally:
        if not started:
            steps.end(done=False)


def login_told(stack: Stack, console: Console) -> str:
    """The link that logs a browser in, on a terminal; elsewhere, such as in a log, how to get it, for it holds a secret."""
    return stack.login_link if console.is_terminal else f"`{env_command(stack.home.folder)} --link` prints the link"


def _places(stack: Stack) -> Panel:
    places = Table.grid(padding=(0, 2))
    places.add_row("Prefect UI", stack.prefect_url)
    places.add_row("Reports", stack.reports_url)
    places.add_row("Speech emulator", stack.emulator_url)
    places.add_row("its key", str(shown(stack.home.emulator_key)))
    places.add_row("Receiver", f"{stack.receiver_url}/hooks/github")
    places.add_row("its secret", str(shown(stack.home.hook_secret)))
    places.add_row("logs", f"{shown(stack.home.logs)}/*.log")
    return Panel(places, title="speechops is up", border_style="green")


def _commands(stack: Stack, console: Console) -> str:
    return (
        f"Open the Prefect UI, logged in: {login_told(stack, console)}\n"
        "In another shell, which then knows address and password:\n"
        f'  eval "$({env_command(stack.home.folder)})"\n'
        "  prefect deployment run 'training-update/speechops' -p track=sharjah\n"
        "Ctrl-C stops everything; the data stay."
    )
