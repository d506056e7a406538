"""How many more questions each coverage slice needs before a difference of a given size would be found in it."""

from __future__ import annotations

from dataclasses import dataclass

from core.datasets import COVERAGE, latest_version, stored_coverage
from core.measures import questions_needed, smallest_detectable

from ..planning import discordance_of


@dataclass(frozen=True, slots=True)
class Need:
    """One coverage slice of the test questions; or all of them, under the name ``all``."""

    coverage: str
    questions: int
    smallest: float | None
    """Smallest difference that they would show in four of five runs; None: none."""
    needed: int | None
    """Questions with which the wanted difference would be found; None: it cannot be, however many."""

    @property
    def missing(self) -> int | None:
        """How many more."""
        return None if self.needed is None else max(0, self.needed - self.questions)


@dataclass(frozen=True, slots=True)
class Needs:
    """What is missing."""

    difference: float
    discordance: float
    """Share of questions on which two approaches are taken to differ."""
    measured: bool
    """Whether that was measured by a test run of this project."""
    unjudged: int
    """Test questions whose coverage was not worked out yet: they count in ``all`` alone."""
    slices: tuple[Need, ...]
    """``all`` first."""


def questions_missing(project_id: str, difference: float = 0.15) -> Needs:
    """Return what the newest version's test questions lack for a verdict, with the same power as the plan of a run.

    Args:
        project_id: Whose.
        difference: Difference of two shares of right answers that should be found.
    """
    discordance, measured = discordance_of(project_id)
    version = latest_version(project_id)
    counts = stored_coverage(version.id) if version else {}
    needed = questions_needed(difference, discordance)
    named = {"all": sum(counts.values()), **{name: counts.get(name, 0) for name in COVERAGE}}
    slices = tuple(Need(name, n, smallest_detectable(n, discordance), needed) for name, n in named.items())
    return Needs(difference, discordance, measured, counts.get("", 0), slices)
