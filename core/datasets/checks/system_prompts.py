"""Instructions that differ from row to row: what a model was tuned under is what it must be asked under."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened
from core.datasets.similarity import plain_key, similarity

__all__ = ["SystemPrompts"]


@dataclass(frozen=True)
class SystemPrompts(Check):
    """Finds system prompts that are nearly the same but not quite, and rows without one among rows with one."""

    name: ClassVar[str] = "system_prompts"

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        prompts: dict[str, list[int]] = defaultdict(list)
        for position, row in data.rows():
            if row.split == "train" and row.messages:
                first = row.messages[0]
                prompts[str(first["content"]) if first["role"] in ("system", "developer") else ""].append(position)
        without = prompts.pop("", [])
        findings = []
        total = sum(map(len, prompts.values()))
        if without and total and min(len(without), total) < 0.1 * (len(without) + total):
            rows, code = (without, "missing") if len(without) < total else (sum(prompts.values(), []), "few")
            findings.append(self.finding(code, "warning", rows))
        return findings + self._variants(prompts)

    def _variants(self, prompts: dict[str, list[int]]) -> list[Finding]:
        ordered = sorted(prompts, key=lambda text: -len(prompts[text]))[:200]
        for index, text in enumerate(ordered):
            for other in ordered[index + 1 :]:
                alike = plain_key(text) == plain_key(other) or similarity(text, other) > 0.9
                if alike and len(prompts[other]) < 0.2 * len(prompts[text]):
                    pair = {"usual": shortened(text), "variant": shortened(other)}
                    return [self.finding("variant", "info", prompts[other], None, **pair)]
        return []
