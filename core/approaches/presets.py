"""The familiar approaches and what each needs before it can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Need = Literal["examples", "documents", "index", "plain_adapter", "raft_adapter", "endpoint", "gold", "fits"]
"""Training examples · documents · a built index · an adapter of either kind · an address · test questions
whose place in the documents is known · documents that fit into the model's context."""


@dataclass(frozen=True, slots=True)
class PresetInfo:
    """One familiar approach."""

    model: Literal["base", "plain", "raft", "endpoint"]
    """Base weights, the promoted or newest adapter of plain or of RAFT rows, or a service by address."""
    context: Mapping[str, Any] = field(default_factory=lambda: {"name": "none"})
    """Its context with the fields that differ from the defaults."""
    needs: tuple[Need, ...] = ()
    """What must exist before it can answer."""
    ranked: bool = True
    """Whether it may win."""

    @property
    def models(self) -> tuple[str, ...]:
        """Kinds of model that can answer so; whatever the weights, someone else may serve them."""
        own = {"base": ("base",), "plain": ("adapter", "merged"), "raft": ("adapter", "merged"), "endpoint": ()}
        return (*own[self.model], "endpoint")

    @property
    def contexts(self) -> tuple[str, ...]:
        """Names of the contexts that it may have; empty: any, as for a service whose own context nobody sees."""
        return () if self.model == "endpoint" else (str(self.context["name"]),)


PRESETS: dict[str, PresetInfo] = {
    "base": PresetInfo("base"),
    "few_shot": PresetInfo("base", {"name": "few_examples"}, ("examples",)),
    "many_shot": PresetInfo("base", {"name": "many_examples"}, ("examples",)),
    "rag": PresetInfo("base", {"name": "retrieved"}, ("documents", "index")),
    "fine_tuned": PresetInfo("plain", needs=("plain_adapter",)),
    "fine_tuned_rag": PresetInfo("plain", {"name": "retrieved"}, ("plain_adapter", "documents", "index")),
    "raft": PresetInfo("raft", {"name": "retrieved"}, ("raft_adapter", "documents", "index")),
    "whole_context": PresetInfo("base", {"name": "whole_documents"}, ("documents", "fits")),
    "oracle_context": PresetInfo("base", {"name": "gold_passage"}, ("documents", "index", "gold"), ranked=False),
    "endpoint": PresetInfo("endpoint", needs=("endpoint",)),
}
"""All presets in the order in which they are shown; labels at `approaches.preset.<name>`."""
