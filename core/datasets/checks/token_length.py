"""Rows that are longer than training or the model can take: their end, usually the answer, would be cut off."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import quantiles
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding
from core.datasets.rows import Row
from core.prompting import ChatTemplate, Message

__all__ = ["TokenLength"]


@dataclass(frozen=True)
class TokenLength(Check):
    """Counts the tokens of training rows with the base model's chat template."""

    name: ClassVar[str] = "token_length"

    max_length: int = 1024
    """Tokens that training keeps of a row."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        if data.template is None:
            return [self.finding("no_tokenizer", "info", [])]
        limit = min(self.max_length, data.context_length or self.max_length)
        lengths = [(p, row_tokens(data.template, row)) for p, row in data.rows() if row.split == "train"]
        long = [position for position, length in lengths if length > limit]
        findings = []
        if long:
            share = round(100 * len(long) / len(lengths), 1)
            findings.append(self.finding("truncated", "error", long, {"drop": long}, limit=limit, share=share))
        if len(lengths) >= 20:
            findings += self._outliers(lengths, limit)
        return findings

    def _outliers(self, lengths: list[tuple[int, int]], limit: int) -> list[Finding]:
        """Find rows far above the rest: 3 interquartile ranges over the third quartile (Tukey) and 4 medians."""
        low, middle, high = quantiles([length for _, length in lengths], n=4)
        fence = max(high + 3 * (high - low), 4 * middle)
        rows = [position for position, length in lengths if fence < length <= limit]
        longest = max(length for _, length in lengths)
        return [self.finding("outliers", "info", rows, fence=round(fence), longest=longest)] if rows else []


def row_tokens(template: ChatTemplate, row: Row) -> int:
    """Return the tokens of a row as it would be trained."""
    messages: list[Message] = [
        {"role": str(message["role"]), "content": str(message.get("content") or "")} for message in row.messages
    ] or [{"role": "user", "content": row.question}, {"role": "assistant", "content": row.answer}]
    return len(template.encode(messages, add_generation_prompt=False))
