"""Evaluations: two models tried on one dataset, with the errors of each."""

from __future__ import annotations

from typing import ClassVar

from speech_client.entities import (
    AzureObject,
    EntityProperties,
    EntityReference,
    EntityUpdate,
    NewEntity,
    ProjectMember,
)
from speech_client.links import Which
from speech_client.resource import ResourceWithFiles


class EditsSummary(AzureObject):
    """How many token errors are of one kind, and what share of all that is (in percent)."""

    number_of_edits: int | None = None
    percentage_of_all_edits: float | None = None


class TokenErrorDetails(AzureObject):
    """Token errors by kind."""

    punctuation: EditsSummary | None = None
    capitalization: EditsSummary | None = None
    inverse_text_normalization: EditsSummary | None = None
    lexical: EditsSummary | None = None
    others: EditsSummary | None = None


class EvaluationProperties(EntityProperties):
    """Azure's counts and rates for model 1 and model 2, exactly as sent.

    Rates are fractions, not percent. Before the evaluation has succeeded everything is -1, so check the status first.
    Words are counted on normalised lexical text, tokens on display text.
    """

    word_error_rate1: float | None = None
    sentence_error_rate1: float | None = None
    token_error_rate1: float | None = None
    sentence_count1: int | None = None
    word_count1: int | None = None
    correct_word_count1: int | None = None
    word_substitution_count1: int | None = None
    word_deletion_count1: int | None = None
    word_insertion_count1: int | None = None
    token_count1: int | None = None
    correct_token_count1: int | None = None
    token_substitution_count1: int | None = None
    token_deletion_count1: int | None = None
    token_insertion_count1: int | None = None
    token_errors1: TokenErrorDetails | None = None

    word_error_rate2: float | None = None
    sentence_error_rate2: float | None = None
    token_error_rate2: float | None = None
    sentence_count2: int | None = None
    word_count2: int | None = None
    correct_word_count2: int | None = None
    word_substitution_count2: int | None = None
    word_deletion_count2: int | None = None
    word_insertion_count2: int | None = None
    token_count2: int | None = None
    correct_token_count2: int | None = None
    token_substitution_count2: int | None = None
    token_deletion_count2: int | None = None
    token_insertion_count2: int | None = None
    token_errors2: TokenErrorDetails | None = None


class EvaluationLinks(AzureObject):
    """Where the files are; use `Evaluations.files` (Azure's own example shows a zero id here)."""

    files: str | None = None


class Evaluation(ProjectMember):
    """A trial of two models on one dataset. Each model's transcription holds what it understood."""

    collection: ClassVar[str] = "evaluations"

    model1: EntityReference
    model2: EntityReference
    dataset: EntityReference
    transcription1: EntityReference | None = None
    transcription2: EntityReference | None = None
    links: EvaluationLinks | None = None
    properties: EvaluationProperties | None = None


class NewEvaluation(NewEntity):
    """A trial to run. For a single model give it twice; Azure wants both."""

    model1: EntityReference
    model2: EntityReference
    dataset: EntityReference


class EvaluationUpdate(EntityUpdate):
    """New name, description or custom properties of an evaluation."""


class Evaluations(ResourceWithFiles[Evaluation]):
    """``/evaluations``."""

    entity = Evaluation

    async def locales(self) -> tuple[str, ...]:
        """Return the locales that an evaluation may have."""
        return await self._locales()

    async def create(self, new: NewEvaluation) -> Evaluation:
        """Start an evaluation; sent once, so look before you repeat it after an `ambiguous` error."""
        return await self._create(new)

    async def update(self, which: Which, update: EvaluationUpdate) -> Evaluation:
        """Change name, description or custom properties."""
        return await self._update(which, update)
