"""A port that cannot be had is told before anything is started."""

import socket

import pytest

from deployments.addresses import LOOPBACK, claim_ports, free_or_any
from domain.mistakes import Mistake


def test_free_ports_differ() -> None:
    """Two services cannot be given the same port."""
    ports = claim_ports({"--prefect-port": 0, "--emulator-port": 0})

    assert len(set(ports)) == 2
    assert all(port > 0 for port in ports)


def test_a_port_in_use_names_the_option_to_change() -> None:
    """The commonest trouble of all: something else listens there."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Mistake, match=f"port {port} is already in use.*--prefect-port"):
            claim_ports({"--prefect-port": port})


def test_the_same_port_twice_is_refused() -> None:
    """Asked for by hand, for both services."""
    port = claim_ports({"--prefect-port": 0})[0]

    with pytest.raises(Mistake, match="--emulator-port"):
        claim_ports({"--prefect-port": port, "--emulator-port": port})


def test_a_favourite_port_is_given_up_when_it_is_taken() -> None:
    """The demo prefers the usual addresses, but does not fail for them."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        assert free_or_any(port) == 0
    assert free_or_any(port) == port
