"""What an experiment asks, of whom, and under which conditions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.approaches import Decoding
from core.measures import PRIMARY

DEFAULT_METRICS = (
    "correct",
    "value_match",
    "exact_match",
    "token_f1",
    "chrf",
    "json_valid",
    "field_accuracy",
    "sql_valid",
    "category",
    "abstention",
    "citation",
    "retrieval",
)
"""Metrics that need nothing but the answer; `semantic_similarity` is added by naming it."""


STRUCTURAL = ("abstention", "category", "retrieval")
"""Measured in every experiment, whatever was chosen: causes, headroom and the confusion matrix rest on them."""


class ExperimentConfig(BaseModel):
    """A frozen set of questions × approaches × repetitions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset_version_id: str
    """Dataset version whose questions are asked."""
    approach_ids: tuple[str, ...] = Field(min_length=1)
    """Approaches to compare, in any order."""
    name: str = ""
    """What people call it; empty: named after its date."""
    split: Literal["train", "validation", "test"] = "test"
    """Split the questions come from."""
    questions: int | None = Field(default=None, gt=0)
    """Number of questions, drawn in proportion to the slices; None: all."""
    repetitions: int = Field(default=1, gt=0, le=50)
    """Answers per question and approach; more than one only makes sense with a temperature."""
    latency_questions: int = Field(default=12, ge=0)
    """Questions asked alone, one at a time, to take waiting times; 0 leaves the latency phase out."""
    decoding: Decoding | None = None
    """Decoding pinned for all approaches; None: theirs, which must then be alike."""
    primary_metric: str = PRIMARY
    """The one metric on which approaches are compared, named beforehand."""
    metrics: tuple[str, ...] = DEFAULT_METRICS
    """Further metrics to compute, beside those that are always measured (`STRUCTURAL`)."""
    baseline_id: str | None = None
    """Approach the others are compared with; None: `base` if it takes part, else the first."""
    concurrency: int = Field(default=64, gt=0, le=256)
    """Requests on their way at the same time in the quality phase."""
    seed: int = 0
    """Seed of the draw of questions and of the order in the latency phase."""


@dataclass(frozen=True, slots=True)
class PlannedApproach:
    """What one approach will need; None where nothing is known yet."""

    approach_id: str
    name: str
    preset: str
    calls: int
    prompt_tokens: float | None
    """Mean prompt tokens of one call: measured before, or counted on a few questions."""
    completion_tokens: float | None
    """Mean answer tokens: measured before, or those of the reference answers."""
    cost: Decimal | None
    """Of all its calls."""
    seconds: float | None
    """Of all its calls, from an earlier experiment of this project."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an experiment will take, shown before it starts."""

    questions: int
    slices: dict[str, int]
    calls: int
    """Quality and latency phase together."""
    tokens: float | None
    """Prompt and answer tokens of all calls, as far as they can be foreseen."""
    cost: Decimal | None
    currency: str
    seconds: float | None
    """From an earlier experiment of this project; None before the first."""
    smallest_detectable: float | None
    """Smallest true difference between two approaches that it finds in 4 of 5 runs."""
    discordance: float
    """Share of questions on which two approaches are taken to differ."""
    discordance_measured: bool
    """Whether that share comes from an earlier experiment; else 25 % is assumed."""
    approaches: tuple[PlannedApproach, ...]
    warnings: tuple[dict[str, object], ...] = ()
    """Codes with parameters: small slices, differing decoding, approaches that cannot answer."""
