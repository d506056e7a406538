"""Instructions that differ from row to row: what a model was tuned under is what it must be asked under."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, shortened
from core.datasets.rows import Row
from core.datasets.similarity import exact_key, similarity

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
            usual = max(prompts, key=lambda text: len(prompts[text]))
            repair = {"rewrite": partial(_with_prompt, text=usual)} if code == "missing" else None
            findings.append(self.finding(code, "warning", rows, repair))
        return findings + self._variants(prompts)

    def _variants(self, prompts: dict[str, list[int]]) -> list[Finding]:
        ordered = sorted(prompts, key=lambda text: -len(prompts[text]))[:200]
        variants: dict[str, str] = {}
        for index, text in enumerate(ordered):
            for other in ordered[index + 1 :]:
                alike = exact_key(text) == exact_key(other) or similarity(text, other) > 0.9
                if alike and other not in variants and len(prompts[other]) < 0.2 * len(prompts[text]):
                    variants[other] = variants.get(text, text)
        if not variants:
            return []
        rows = sorted(position for text in variants for position in prompts[text])
        variant, usual = next(iter(variants.items()))
        pair = {"usual": shortened(usual), "variant": shortened(variant)}
        return [self.finding("variant", "info", rows, {"rewrite": partial(_unified, variants=variants)}, **pair)]


def _unified(row: Row, variants: Mapping[str, str]) -> dict[str, Any]:
    """Return the row's conversation under the usual wording of its system prompt."""
    first = row.messages[0] if row.messages else {}
    usual = variants.get(str(first.get("content"))) if first.get("role") in ("system", "developer") else None
    return {} if usual is None else {"messages": [{**first, "content": usual}, *row.messages[1:]]}


def _with_prompt(row: Row, text: str) -> dict[str, Any]:
    """Return the conversation of a training row that has no system prompt under the one that the others have."""
    if row.split != "train" or not row.messages or row.messages[0]["role"] in ("system", "developer"):
        return {}
    return {"messages": [{"role": "system", "content": text}, *row.messages]}
