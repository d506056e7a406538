"""What a benchmark must keep: each limit printed beside what was measured, and whether all were kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Limit", "all_kept"]


@dataclass(frozen=True)
class Limit:
    """One figure, and what it must not pass."""

    what: str
    measured: float | None
    """None: not measured in this run, so neither kept nor missed."""
    bound: float
    unit: str = ""
    at_least: bool = False
    """Whether the figure must reach the bound; else it must stay below."""

    @property
    def kept(self) -> bool | None:
        """Whether the limit is kept; a figure that is no number keeps none."""
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured < self.bound

    def __str__(self) -> str:
        """One line: the verdict, the figure and its limit."""
        word = {True: "kept  ", False: "MISSED", None: "-     "}[self.kept]
        figure = "not measured" if self.measured is None else f"{self.measured:.4g}{self.unit}"
        sign = ">=" if self.at_least else "<"
        return f"{word} {self.what}: {figure} (limit {sign} {self.bound:g}{self.unit})"


def all_kept(limits: Sequence[Limit]) -> bool:
    """Print every limit; return whether none was missed."""
    missed = [limit for limit in limits if limit.kept is False]
    for limit in limits:
        sys.stdout.write(f"{limit}\n")
    sys.stdout.write("all limits kept\n" if not missed else f"{len(missed)} of {len(limits)} limits missed\n")
    sys.stdout.flush()
    return not missed
