"""Rows that are longer than training or the model can take: their end, usually the answer, would be cut off."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import quantiles
from typing import ClassVar

from core.datasets.checks._base import Check, CheckInput, Finding, left_out, shortened
from core.datasets.rows import Row
from core.errors import KurabeError
from core.prompting import ChatTemplate, Message

__all__ = ["TokenLength"]


@dataclass(frozen=True)
class TokenLength(Check):
    """Counts the tokens of training rows with the base model's chat template."""

    name: ClassVar[str] = "token_length"

    max_length: int = 1024
    """Tokens that training keeps of a row, unless a length was chosen for the run of all checks."""

    def run(self, data: CheckInput) -> list[Finding]:
        """See `Check.run`."""
        if data.template is None:
            return [self.finding("no_tokenizer", "info", [])]
        chosen = data.max_length or self.max_length
        limit = min(chosen, data.context_length or chosen)
        lengths, refused = _lengths(data, data.template)
        long = [position for position, length in lengths if length > limit]
        findings = []
        if refused:
            rows, reason = [position for position, _ in refused], refused[0][1]
            findings.append(self.finding("refused", "warning", rows, left_out(rows), sample=shortened(reason)))
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


def _lengths(data: CheckInput, template: ChatTemplate) -> tuple[list[tuple[int, int]], list[tuple[int, str]]]:
    """Return (position, tokens) of the training rows, and (position, why) of those that the template refuses."""
    lengths: list[tuple[int, int]] = []
    refused: list[tuple[int, str]] = []
    for position, row in data.rows():
        if row.split == "train":
            try:
                lengths.append((position, row_tokens(template, row)))
            except KurabeError as error:
                refused.append((position, str(error.params.get("detail") or error.params.get("role") or error.code)))
    return lengths, refused


def row_tokens(template: ChatTemplate, row: Row) -> int:
    """Return the tokens of a row as it would be trained."""
    messages: list[Message] = [
        {"role": str(message["role"]), "content": str(message.get("content") or "")} for message in row.messages
    ] or [{"role": "user", "content": row.question}, {"role": "assistant", "content": row.answer}]
    return len(template.encode(messages, add_generation_prompt=False))
