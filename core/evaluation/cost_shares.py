"""What the money of an approach's answers goes into: rules and question, context, answer, or the device's time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.prices import CostPart, part_shares

COST_PARTS = ("question", "context", "answer", "device", "whole")
"""Parts of a cost in the order in which they are drawn; `whole`: priced, and nobody knows its parts."""


@dataclass(slots=True)
class Spent:
    """Sums over priced answers that share basis and version of the price book."""

    cost: float = 0.0
    """Money in the project's currency."""
    prompt: float = 0.0
    """Tokens, as the three below."""
    cached: float = 0.0
    context: float = 0.0
    completion: float = 0.0

    def add(self, cost: float, prompt: float, cached: float, context: float, completion: float) -> None:
        """Count one answer; a count that is not known (NaN) adds nothing."""
        self.cost += cost
        self.prompt += prompt if prompt == prompt else 0.0
        self.cached += cached if cached == cached else 0.0
        self.context += context if context == context else 0.0
        self.completion += completion if completion == completion else 0.0


def cost_parts(spent: Mapping[tuple[str, str], Spent], model_ref: str, answers: int) -> dict[str, float]:
    """Mean cost of 1,000 answers by part; the parts add up to what was really paid.

    Device time is one part: it passes while tokens are read and written at once. Otherwise the money that was paid is
    shared out as that of one answer is (`core.prices.part_shares`), at the list prices of its time.

    Args:
        spent: sums by basis and version of the price book.
        model_ref: the model as the price book knows it.
        answers: priced answers in all.
    """
    parts = dict.fromkeys(COST_PARTS, 0.0)
    for (basis, version), sums in spent.items():
        for part, share in _shares(basis, version, sums, model_ref).items():
            parts[part] += share * sums.cost * 1000 / answers
    return {part: money for part, money in parts.items() if money}


_NAMED: dict[CostPart, str] = {"prompt": "question", "context": "context", "completion": "answer", "device": "device"}
"""Parts of an answer's cost as a run's figures call them."""


def _shares(basis: str, version: str, sums: Spent, model_ref: str) -> dict[str, float]:
    if basis == "device":
        return {"device": 1.0}
    shares = part_shares(model_ref, sums.prompt, sums.cached, sums.context, sums.completion, version)
    return {_NAMED[part]: share for part, share in shares.items()} if shares is not None else {"whole": 1.0}
