"""Prompts laid out in different ways: a model tuned under headings and separators expects them when it is asked."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, left_out
from core.datasets.rows import Row

__all__ = ["PromptStructure"]

_MARKS = {
    "#": re.compile(r"^#{1,6} ?\S", re.MULTILINE),
    "【】": re.compile(r"^(?:【[^】\n]+】|■|●)", re.MULTILINE),
    "-": re.compile(r"^[ 　]*[-*•・] ?\S", re.MULTILINE),
    "1.": re.compile(r"^[ 　]*(?:\d{1,2}[.)．）]|[①-⑳])", re.MULTILINE),
    "---": re.compile(r"^(?:-{3,}|={3,}|\*{3,}|#{3,}|─{3,})\s*$", re.MULTILINE),
    "<tag>": re.compile(r"^</?[A-Za-z_]+>", re.MULTILINE),
    "```": re.compile(r"^```", re.MULTILINE),
}
"""Marks by which a prompt is laid out; the name is the mark itself, which needs no translation."""


@dataclass(frozen=True)
class PromptStructure(Check):
    """Looks within each slice of the training rows for prompts with other headings, bullets or separators than most."""

    name: ClassVar[str] = "prompt_structure"

    minority: float = 0.2
    """A layout that fewer than this share of a slice's prompts keep stands out; a more even mixture may be meant."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        slices: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for position, row in data.rows():
            if row.split == "train":
                slices[row.slice].append((position, _layout(row)))
        return [finding for name, layouts in slices.items() for finding in self._slice(name, layouts)]

    def _slice(self, name: str, layouts: list[tuple[int, str]]) -> list[Finding]:
        counts = Counter(layout for _, layout in layouts)
        usual, _ = counts.most_common(1)[0]
        odd = [position for position, layout in layouts if layout != usual]
        if len(layouts) < 8 or not odd or len(odd) > self.minority * len(layouts):
            return []
        other = next(layout for _, layout in layouts if layout != usual)
        return [self.finding("mixed", "info", odd, left_out(odd), slice=name or "-", usual=usual, other=other)]


def _layout(row: Row) -> str:
    """Return the marks of everything before the answer, in one order; "–" for plain sentences."""
    said = [str(message.get("content") or "") for message in row.messages if message["role"] != "assistant"]
    text = "\n".join(said or [row.question])
    return " ".join(mark for mark, pattern in _MARKS.items() if pattern.search(text)) or "–"
