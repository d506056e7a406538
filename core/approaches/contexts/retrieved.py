"""Passages found by searching the documents for the question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..context import Context, Gathered, GatherInput, fitting, passage_of, setting


@dataclass(frozen=True)
class Retrieved(Context):
    """The best passages of a search; those that do not fit are left out from the end, and said so."""

    name: ClassVar[str] = "retrieved"

    k: int = setting(4, "approaches.field.retrieved.k", minimum=1, maximum=100)
    """Most passages."""
    mode: Literal["auto", "vector", "text", "hybrid"] = setting(
        "auto", "approaches.field.retrieved.mode", choices=("auto", "vector", "text", "hybrid")
    )
    """How to search; `auto`: hybrid where an embedder reads the language, else full text."""
    rerank: bool = setting(False, "approaches.field.retrieved.rerank")
    """Whether a second model orders the found passages again."""

    def gather(self, given: GatherInput) -> Gathered:
        """Search with the question as it is."""
        result = given.search(given.question, k=self.k, mode=self.mode, rerank=self.rerank)
        hits, notes = fitting(result.hits, given)
        return Gathered(passages=tuple(map(passage_of, hits)), hits=tuple(hits), search=result, notes=notes)
