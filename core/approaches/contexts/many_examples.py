"""As many training examples as fit before the question."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from core.errors import KurabeError

from ..context import Context, Gathered, GatherInput, setting
from .few_examples import spread


@dataclass(frozen=True)
class ManyExamples(Context):
    """Training examples up to a number or until the budget is full; says how many of how many."""

    name: ClassVar[str] = "many_examples"

    most: int = setting(64, "approaches.field.many_examples.most", minimum=1, maximum=5000)
    """Most examples, even when more would fit."""
    seed: int = setting(0, "approaches.field.few_examples.seed", minimum=0)
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
