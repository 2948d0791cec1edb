"""Whether testing data leaked into training data, and whether training data are poisoned: then no figure means anything."""

from domain.leakage.data import Recording, Testing, Training, TrainingText
from domain.leakage.findings import REMEDIES, Leak, LeakReport, as_problems
from domain.leakage.search import find_leaks

__all__ = [
    "REMEDIES",
    "Leak",
    "LeakReport",
    "Recording",
    "Testing",
    "Training",
    "TrainingText",
    "as_problems",
    "find_leaks",
]
