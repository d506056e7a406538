"""What a preflight finds, one file a subject: the data's rows, the base, licences, the machine, the time.

Each looks at one thing and says nothing, or says it with numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Finding", "Level", "worst_first"]

Level = Literal["go", "risky", "will_not"]

_LEVELS: tuple[Level, ...] = ("will_not", "risky", "go")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    code: str
    """Sentence at ``training.preflight.<code>``."""
    params: dict[str, Any]


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by level; those of one level stay in their order."""
    return sorted(findings, key=lambda finding: _LEVELS.index(finding.level))
