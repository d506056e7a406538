"""No context: the question alone, after instructions and house rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..context import Context, Gathered, GatherInput


@dataclass(frozen=True)
class NoContext(Context):
    """Nothing beside the question: the model answers from its weights."""

    name: ClassVar[str] = "none"

    def gather(self, given: GatherInput) -> Gathered:
        """Return nothing."""
        return Gathered()
