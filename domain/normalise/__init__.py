"""Text made comparable before words are counted: the normaliser decides more about a WER than most models do.

A normaliser is a named, versioned value. Its fingerprint goes into every result, and results with different
fingerprints must never be compared.
"""

from domain.normalise.locales import (
    ALL,
    AZURE_DE_DE,
    AZURE_EN_US,
    AZURE_ZH_CN,
    CHARACTERS,
    TURKIC,
    UNICODE,
    normaliser_for,
    normaliser_with,
)
from domain.normalise.normaliser import Normaliser, Step, Unit

__all__ = [
    "ALL",
    "AZURE_DE_DE",
    "AZURE_EN_US",
    "AZURE_ZH_CN",
    "CHARACTERS",
    "TURKIC",
    "UNICODE",
    "Normaliser",
    "Step",
    "Unit",
    "normaliser_for",
    "normaliser_with",
]
