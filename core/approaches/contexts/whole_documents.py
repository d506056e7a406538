"""All documents in the prompt, without search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.errors import KurabeError

from ..context import Context, Gathered, GatherInput


@dataclass(frozen=True)
class WholeDocuments(Context):
    """Every document in full, or nothing: it never cuts, it says by how much it does not fit."""

    name: ClassVar[str] = "whole_documents"

    def gather(self, given: GatherInput) -> Gathered:
        """Put everything in; fails when it does not fit."""
        passages = tuple(given.documents())
        if not passages:
            raise KurabeError("approaches.no_documents")
        needed = sum(given.cost((), (p,)) for p in passages)
        if given.budget is not None and needed > given.budget:
            raise KurabeError("approaches.too_long", needed=needed, budget=given.budget, over=needed - given.budget)
        return Gathered(passages=passages, notes={"documents": len(passages)})
