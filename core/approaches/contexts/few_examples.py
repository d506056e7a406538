"""A few training examples before the question, to show what an answer looks like."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from core.errors import KurabeError
from core.identity import match_key

from ..context import Context, Demonstration, Gathered, GatherInput, setting


def spread(pool: Sequence[Demonstration], asked: str, seed: int) -> Iterator[Demonstration]:
    """Yield all demonstrations but the asked question, slices taking turns, in an order fixed by the seed.

    The order does not depend on the question, so that every question sees the same examples.
    """
    slices: dict[str, list[Demonstration]] = {}
    for demonstration in pool:
        slices.setdefault(demonstration.slice, []).append(demonstration)
    dice = random.Random(seed)
    for name in sorted(slices):
        dice.shuffle(slices[name])
    turns = [(place, name) for name, members in slices.items() for place in range(len(members))]
    key = match_key(asked)
    ordered = (slices[name][place] for place, name in sorted(turns))
    return (d for d in ordered if match_key(d.question) != key)


@dataclass(frozen=True)
class FewExamples(Context):
    """A fixed number of training examples, the same for every question."""

    name: ClassVar[str] = "few_examples"

    count: int = setting(4, "approaches.field.few_examples.count", minimum=1, maximum=200)
    """How many examples."""
    seed: int = setting(0, "approaches.field.few_examples.seed", minimum=0)
    """Which ones: another seed draws others."""

    def gather(self, given: GatherInput) -> Gathered:
        """Take the first `count` of the fixed order; fails when they do not fit."""
        pool = given.demonstrations()
        first = islice(spread(pool, given.question, self.seed), self.count)
        chosen = tuple((d.question, d.answer) for d in first)
        if not chosen:
            raise KurabeError("approaches.no_examples")
        needed = given.cost(chosen, ())
        if given.budget is not None and needed > given.budget:
            raise KurabeError(
                "approaches.examples_too_long", needed=needed, budget=given.budget, over=needed - given.budget
            )
        return Gathered(examples=chosen, notes={"examples": len(chosen), "examples_available": len(pool)})
