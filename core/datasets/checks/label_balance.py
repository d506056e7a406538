"""Answers that are labels: rare ones are hardly learned, and one that is everywhere is always guessed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened

__all__ = ["LabelBalance"]


@dataclass(frozen=True)
class LabelBalance(Check):
    """Looks at slices of the training rows whose short answers repeat, as categories do."""

    name: ClassVar[str] = "label_balance"

    least: int = 5
    """Rows that a label should have."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        slices: dict[str, list[tuple[int, str]]] = defaultdict(list)
        tested: dict[str, set[str]] = defaultdict(set)
        for position, row in data.rows():
            label = row.answer.strip()
            if row.split == "train":
                slices[row.slice].append((position, label))
            elif row.expects.get("category"):
                tested[row.slice].add(str(row.expects["category"]))
        return [finding for name, rows in slices.items() for finding in self._slice(name, rows, tested[name])]

    def _slice(self, name: str, rows: list[tuple[int, str]], tested: set[str]) -> list[Finding]:
        counts = Counter(label for _, label in rows)
        if len(rows) < 20 or len(counts) < 2 or len(counts) > len(rows) / 4 or max(map(len, counts)) > 40:
            return []
        findings = []
        rare = [label for label, times in counts.items() if times < self.least]
        if rare:
            found = [position for position, label in rows if label in rare]
            named = ", ".join(shortened(label, 30) for label in rare[:10])
            findings.append(self.finding("rare", "warning", found, slice=name or "-", labels=named, least=self.least))
        usual, times = counts.most_common(1)[0]
        if times > 0.7 * len(rows):
            share = round(100 * times / len(rows))
            findings.append(
                self.finding("dominant", "warning", [], slice=name or "-", label=usual, share=share, count=times)
            )
        if unseen := sorted(tested - set(counts)):
            findings.append(self.finding("untaught", "warning", [], slice=name or "-", labels=", ".join(unseen[:10])))
        return findings
