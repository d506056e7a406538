"""Masking: which tokens of a chat a training learns to write, and which it only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tokenizers import Encoding

__all__ = ["IGNORED", "TrainingRow"]

IGNORED: Final = -100
"""Label of a token that is read but not learned (the index that PyTorch's cross entropy leaves out)."""


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One row as the trainer receives it; both lists have the same length."""

    input_ids: list[int]
    labels: list[int]
    """The token itself where it is learned, `IGNORED` elsewhere."""

    @property
    def trained(self) -> int:
        """How many tokens are learned."""
        return sum(label != IGNORED for label in self.labels)

    def __len__(self) -> int:
        """How many tokens the row has."""
        return len(self.input_ids)


def joined(prompt: list[int], completion: list[int]) -> TrainingRow:
    """Return the row that reads `prompt` and learns `completion`."""
    return TrainingRow([*prompt, *completion], [IGNORED] * len(prompt) + list(completion))


def masked(encoding: Encoding, spans: list[tuple[int, int]]) -> TrainingRow:
    """Return the row that learns the tokens of the character spans ``[start, end)`` of the encoded text."""
    labels = [IGNORED] * len(encoding.ids)
    for start, end in spans:
        first, last = _token_from(encoding, start, end), _token_up_to(encoding, start, end)
        if first is not None and last is not None:
            labels[first : last + 1] = encoding.ids[first : last + 1]
    return TrainingRow(list(encoding.ids), labels)


def _token_from(encoding: Encoding, start: int, end: int) -> int | None:
    """First token that covers a character of the span; some tokenizers leave spaces out of their offsets."""
    return next((t for c in range(start, end) if (t := encoding.char_to_token(c)) is not None), None)


def _token_up_to(encoding: Encoding, start: int, end: int) -> int | None:
    found = next((t for c in range(end - 1, start - 1, -1) if (t := encoding.char_to_token(c)) is not None), None)
    if found is None:
        return None
    # A character of several byte tokens: `char_to_token` gives the first of them.
    while found + 1 < len(encoding.ids) and encoding.offsets[found + 1] == encoding.offsets[found]:
        found += 1
    return found
