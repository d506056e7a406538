"""What a model drafts questions from, and what that will take."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.approaches import ModelChoice


class DraftingConfig(BaseModel):
    """A frozen piece of work for a model that drafts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project_id: str
    model: ModelChoice
    """Who drafts: a base, adapter or merged model, or a model at any OpenAI-compatible address."""
    source: Literal["documents", "training"] = "documents"
    """Passages of the documents; or questions of the training part, to be asked in other words."""
    documents: tuple[str, ...] = ()
    """File names of documents; empty: all."""
    sources: int = Field(default=20, gt=0, le=5000)
    """Most passages or trained questions; those that were never drafted from come first."""
    each: int = Field(default=2, gt=0, le=10)
    """Questions asked for a source."""
    max_tokens: int = Field(default=500, gt=0)
    """Longest reply."""
    thinking: bool = False
    """Whether a model that can reason first does so."""
    concurrency: int = Field(default=8, gt=0, le=256)
    """Requests on their way at the same time."""
    seed: int = 0
    """Seed of the draw of sources, and sent with every call."""


@dataclass(frozen=True, slots=True)
class DraftingPlan:
    """What a drafting will take, shown before it starts."""

    calls: int
    available: int
    """Passages or trained questions that there are."""
    drafts: int
    """Questions, if every reply holds as many as it is asked for."""
    prompt_tokens: int
    completion_tokens: int
    """At most: the longest reply times the calls."""
    cost: Decimal | None
    """At most, at list prices; None when the model has no price per token."""
    currency: str
    counted_by: str
    """Tokenizer that counted, or `estimate`."""
