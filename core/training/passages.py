"""Passages for training rows: those that hold the answer, and distractors that the search really returns."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import KurabeError
from core.prompting import Passage
from core.store import tables as tb
from core.training.config import TrainingConfig

if TYPE_CHECKING:
    from core.knowledge import Hit

__all__ = ["PassageSource", "Shown"]


@dataclass(frozen=True, slots=True)
class Shown:
    """The passages of one row, in the order shown."""

    passages: tuple[Passage, ...]
    gold: frozenset[str]
    """Ids of all chunks that hold the answer, shown or not."""


class PassageSource:
    """Chooses passages by example, always the same ones for the same configuration."""

    def __init__(self, config: TrainingConfig) -> None:
        """Refuse to begin without an index.

        Raises:
            KurabeError: ``training.no_index``.
        """
        if config.index_version_id is None:
            raise KurabeError("training.no_index")
        self.config = config
        self.index = config.index_version_id
        self._found: dict[str, list[Hit]] = {}

    def expect(self, examples: Sequence[tb.Example]) -> None:
        """Search for all of these at once: their questions are then embedded in batches.

        Raises:
            KurabeError: what searching raises.
        """
        from core.knowledge import search_many

        questions = list(dict.fromkeys(e.question for e in examples if e.question not in self._found))
        results = search_many(self.index, questions, k=self.config.passages + 2)
        self._found.update((question, list(result.hits)) for question, result in zip(questions, results, strict=True))

    def passages_for(self, example: tb.Example) -> Shown | None:
        """Return gold passage and distractors; None if nobody knows which document answers the question.

        A question that no document can answer, because none holds it or because it asks for a category and not for a
        fact, gets what the search returns: the model must learn to do the right thing in their presence.
        """
        if len([turn for turn in example.messages if turn["role"] == "user"]) > 1:
            return None
        needs_none = bool(example.expects.get("abstain") or example.expects.get("category"))
        gold = [] if needs_none else self._gold(example)
        if not gold and not needs_none:
            return None
        draw = random.Random(f"{self.config.seed}:{example.position}:{example.question}")
        ids = frozenset(hit.chunk_id for hit in gold)
        if example.question not in self._found:
            self.expect([example])
        found = self._found[example.question]
        distractors = [hit for hit in found if hit.chunk_id not in ids]
        hidden = draw.random() < self.config.without_gold
        shown = [] if hidden else gold[: self.config.passages]
        shown = [*shown, *distractors[: self.config.passages - len(shown)]]
        draw.shuffle(shown)
        return Shown(tuple(map(passage_of, shown)), ids)

    def _gold(self, example: tb.Example) -> list[Hit]:
        from core.knowledge import chunks_for_quote

        found: dict[str, Hit] = {}
        for place in example.gold:
            for hit in chunks_for_quote(self.index, place.get("document", ""), place.get("quote", "")):
                found.setdefault(hit.chunk_id, hit)
        return list(found.values())


def passage_of(hit: Hit) -> Passage:
    """Return a chunk as a passage, titled as in the approaches: document, then heading."""
    title = f"{hit.title} > {hit.heading}" if hit.heading else hit.title
    return Passage(title=title, text=hit.text, chunk_id=hit.chunk_id)
