"""The passages that hold the answer, as a perfect search would find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.errors import KurabeError

from ..context import Context, Gathered, GatherInput, fitting, passage_of, setting


@dataclass(frozen=True)
class GoldPassage(Context):
    """The gold passages; where no document holds the answer, what an ordinary search finds.

    A ceiling for retrieval, never ranked: it needs to know the answer's place beforehand.
    """

    name: ClassVar[str] = "gold_passage"

    k: int = setting(4, "approaches.field.gold_passage.k", minimum=1, maximum=100)
    """Most passages."""

    def gather(self, given: GatherInput) -> Gathered:
        """Take the gold chunks of the question's example."""
        gold = given.gold()
        if gold is None:
            raise KurabeError("approaches.gold_unknown")
        if not gold:
            # perfect search cannot find what is not there: it brings back the nearest passages
            result = given.search(given.question, k=self.k, mode="auto", rerank=False)
            hits, notes = fitting(result.hits, given)
            passages = tuple(map(passage_of, hits))
            return Gathered(passages=passages, hits=tuple(hits), search=result, notes={**notes, "gold": 0})
        hits, notes = fitting(gold[: self.k], given)
        return Gathered(passages=tuple(map(passage_of, hits)), hits=tuple(hits), notes={**notes, "gold": len(hits)})
