"""What an experiment asks, of whom, and under which conditions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.approaches import Decoding, ModelChoice
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
    "length",
    "style",
)
"""Metrics that need nothing but the answer; `semantic_similarity` is added by naming it."""


STRUCTURAL = ("abstention", "category", "retrieval")
"""Measured in every experiment, whatever was chosen: causes, headroom and the confusion matrix rest on them."""


class JudgeChoice(BaseModel):
    """A judge that begins when the last answer is there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelChoice
    """Who judges."""
    rubric: str = ""
    """What a good answer is, in words; empty: the usual one."""
    pairs: Literal["none", "baseline", "all"] = "baseline"
    """Which approaches are held against each other."""
    metrics: tuple[str, ...] = ()
    """Metrics that the judge measures."""


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
    take_over: bool = True
    """Whether quality answers that a finished experiment got under the very same conditions are taken over, each
    marked with where it was asked; waiting times are measured anew in any case."""
    judge: JudgeChoice | None = None
    """Judge that begins when the last answer is there; None: none."""


PromptBasis = Literal["measured", "rendered", "estimated"]
"""Earlier answers of the approach · prompts written for a few questions, counted with the model's own tokenizer · the
same, counted roughly because nobody here has the tokenizer."""

AnswerBasis = Literal["measured", "references", "estimated"]
"""Earlier answers of the approach · the reference answers · the same, counted roughly."""

CostBasis = Literal["measured", "list", "device", "no_price", "unknown"]
"""Earlier answers of the approach · list price times tokens · computing time times its rate · the price book has none ·
nothing is known before the first answers."""

TimeBasis = Literal["measured", "model", "base", "unknown"]
"""Earlier answers of the approach · of its model · of models on the same base · nothing is known yet."""


@dataclass(frozen=True, slots=True)
class PlannedApproach:
    """What one approach will need, each figure with what it rests on; None where nothing is known yet."""

    approach_id: str
    name: str
    preset: str
    calls: int
    """Answers to ask for; those that are taken over are not among them."""
    taken: int
    """Answers that are taken over from earlier experiments."""
    prompt_tokens: float | None
    """Mean prompt tokens of one call."""
    prompt_basis: PromptBasis | None
    completion_tokens: float | None
    """Mean answer tokens of one call."""
    completion_basis: AnswerBasis | None
    cost: Decimal | None
    """Of all its calls."""
    cost_basis: CostBasis
    seconds: float | None
    """Of all its calls."""
    time_basis: TimeBasis


@dataclass(frozen=True, slots=True)
class JudgeForecast:
    """What the judge will need at the end, about: the answers that it reads are not there yet."""

    calls: int
    tokens: float
    """The longest replies included."""
    cost: Decimal | None
    """At list prices; None where there is none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an experiment will take, shown before it starts."""

    questions: int
    slices: dict[str, int]
    calls: int
    """Answers to ask for, quality and latency phase together."""
    taken: int
    """Answers that are taken over from earlier experiments."""
    tokens: float | None
    """Prompt and answer tokens of all calls; None unless they can be foreseen for every approach."""
    cost: Decimal | None
    """Of the approaches for which it can be foreseen; None when it is for none."""
    unpriced: int
    """Approaches whose cost is not in it."""
    currency: str
    seconds: float | None
    """Of the approaches for which it can be foreseen; None when it is for none."""
    untimed: int
    """Approaches whose time is not in it."""
    smallest_detectable: float | None
    """Smallest true difference between two approaches that it finds in 4 of 5 runs."""
    discordance: float
    """Share of questions on which two approaches are taken to differ."""
    discordance_measured: bool
    """Whether that share comes from an earlier experiment; else 25 % is assumed."""
    approaches: tuple[PlannedApproach, ...]
    judge: JudgeForecast | None = None
    warnings: tuple[dict[str, object], ...] = ()
    """Codes with parameters: small slices, repetitions that cannot differ, services that may have changed since."""
