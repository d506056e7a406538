"""As many training examples as fit before the question."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

from core.errors import KurabeError

from ..context import Context, Gathered, GatherInput
from .few_examples import spread


@dataclass(frozen=True)
class ManyExamples(Context):
    """Training examples up to a number or until the budget is full; says how many of how many."""

    name: ClassVar[str] = "many_examples"

    most: int = field(default=64, metadata={"help": "approaches.field.many_examples.most.help"})
    """Most examples, even when more would fit."""
    seed: int = field(default=0, metadata={"help": "approaches.field.few_examples.seed.help"})
    """Which ones come first: another seed draws others."""

    def gather(self, given: GatherInput) -> Gathered:
        """Fill the budget in the fixed order, stopping at the first example that does not fit."""
        pool = given.demonstrations()
        chosen: list[tuple[str, str]] = []
        used = 0
        for demonstration in islice(spread(pool, given.question, self.seed), self.most):
            pair = (demonstration.question, demonstration.answer)
            used += given.cost((pair,), ())
            if given.budget is not None and used > given.budget:
                break
            chosen.append(pair)
        if not chosen:
            raise KurabeError("approaches.no_examples")
        return Gathered(examples=tuple(chosen), notes={"examples": len(chosen), "examples_available": len(pool)})
