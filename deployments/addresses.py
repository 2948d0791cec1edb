"""Ports of this machine: which are free, and what to say when one is not. Everything listens on the loopback only."""

import errno
import socket
from contextlib import ExitStack

from domain.mistakes import Mistake

LOOPBACK = "127.0.0.1"
PREFECT_PORT = 4200
EMULATOR_PORT = 8765
REPORTS_PORT = 4280
RECEIVER_PORT = 4290


def claim_ports(wanted: dict[str, int]) -> list[int]:
    """Check, or for 0 choose, one port per entry; all differ.

    Args:
        wanted: the command line's option for each port, such as `--prefect-port`, and the port, 0 for any free one.

    Raises:
        Mistake: a port is in use, or may not be used; the message names the option.
    """
    with ExitStack() as held:
        return [_bound_port(held, option, port) for option, port in wanted.items()]


def free_or_any(port: int) -> int:
    """The port if it is free, otherwise 0, which stands for any."""
    try:
        return claim_ports({"": port})[0]
    except Mistake:
        return 0


def _bound_port(held: ExitStack, option: str, port: int) -> int:
    listener = held.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: a port in TIME_WAIT is free
    try:
        listener.bind((LOOPBACK, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        raise Mistake(f"port {port} {_why(error)}. Choose another one with {option} (0 takes any free port).") from None
    return int(listener.getsockname()[1])


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "is already in use, perhaps by another `speechops up` or Prefect server"
    return f"cannot be used ({error})"
