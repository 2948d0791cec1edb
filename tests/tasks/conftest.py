"""What tests of stores share."""

from tests.azurite_kit import azurite

__all__ = ["azurite"]
