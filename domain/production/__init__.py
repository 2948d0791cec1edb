"""Drift without labels: what the live model hears in production, compared with an earlier period; and what to label next."""

from domain.production.drift import Change, DriftReport, find_drift, without_names
from domain.production.findings import production_findings
from domain.production.labelling import Wanted
from domain.production.measures import MEASURES, Measure
from domain.production.policy import DriftPolicy
from domain.production.recording import Heard, Vocabulary, beside_base, heard

__all__ = [
    "MEASURES",
    "Change",
    "DriftPolicy",
    "DriftReport",
    "Heard",
    "Measure",
    "Vocabulary",
    "Wanted",
    "beside_base",
    "find_drift",
    "heard",
    "production_findings",
    "without_names",
]
