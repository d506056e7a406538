"""Which training rows a model is asked, and what that will take."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from core.approaches import ModelChoice
from core.measures import PRIMARY


class KnownConfig(BaseModel):
    """A frozen look at what a model knows of the training rows before it is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset_version_id: str
    """Dataset version whose training rows are asked."""
    model: ModelChoice
    """Who is asked: the base model that is to be trained, here or at an address."""
    rows: int | None = Field(default=200, gt=0)
    """Most rows, drawn at random from those that teach a fact; None: all."""
    metric: str = PRIMARY
    """What judges the answers."""
    max_tokens: int = Field(default=160, gt=0)
    """Longest answer."""
    thinking: bool = False
    """Whether a model that can reason first does so."""
    concurrency: int = Field(default=8, gt=0, le=256)
    """Requests on their way at the same time."""
    seed: int = 0
    """Seed of the draw, and sent with every call."""


@dataclass(frozen=True, slots=True)
class KnownPlan:
    """What it will take, shown before the start."""

    calls: int
    available: int
    """Training rows that there are."""
    left_out: int
    """Rows that were drawn and teach no fact that could be known: a form, a label, to decline, a turn of a chat."""
    prompt_tokens: int
    completion_tokens: int
    """At most: the longest answer times the calls."""
    cost: Decimal | None
    """At most, at list prices; None when the model has no price per token."""
    currency: str
    counted_by: str
    """Tokenizer that counted, or `estimate`."""
