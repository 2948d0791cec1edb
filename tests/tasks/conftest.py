"""What tests of stores share."""

from collections.abc import Iterator

import pytest

from tests.azurite_kit import MISSING, Azurite, find_azurite, running_azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azurite, for all tests of this folder; where it is not installed, they say so and are skipped."""
    program = find_azurite()
    if not program:
        pytest.skip(MISSING)
    with running_azurite(program) as running:
        yield running
