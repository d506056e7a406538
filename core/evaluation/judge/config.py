"""What a judge is asked, and what that will take."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.approaches import ModelChoice

PAIR = "pair"
"""Kind of a judgement that holds two answers against each other; all other kinds are metrics."""


class JudgeConfig(BaseModel):
    """A frozen piece of work for a judge."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment_id: str
    """Experiment whose answers are judged; it must have some."""
    model: ModelChoice
    """Who judges: a base, adapter or merged model, or a model at any OpenAI-compatible address."""
    rubric: str = ""
    """What a good answer is, in words, for pairs and for the metric `rubric`; empty: the usual one."""
    pairs: Literal["none", "baseline", "all"] = "baseline"
    """Which approaches are held against each other; pairs that people voted on are always added."""
    metrics: tuple[str, ...] = ()
    """Metrics that the judge measures: `groundedness`, `relevance`, `rubric`."""
    questions: int | None = Field(default=None, gt=0)
    """Number of questions, drawn in proportion to the slices; None: all."""
    max_tokens: int = Field(default=200, gt=0)
    """Longest reply."""
    thinking: bool = False
    """Whether a judge that can reason first does so."""
    concurrency: int = Field(default=8, gt=0, le=256)
    """Requests on their way at the same time."""
    seed: int = 0
    """Seed of the draw of questions, and sent with every call."""


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """What a judging will take, shown before it starts."""

    questions: int
    calls: int
    prompt_tokens: int
    """Counted: the answers are there already."""
    completion_tokens: int
    """At most: the longest reply times the calls."""
    cost: Decimal | None
    """At most, at list prices; None when the judge has no price per token."""
    currency: str
    counted_by: str
    """Tokenizer that counted, or `estimate`."""
    by_kind: dict[str, int]
    """Calls by kind."""
    same: int
    """Pairs with the same words: ties without asking."""
    candidate: bool
    """Whether the judge itself is among those judged: models like their own answers."""
