"""How one row looks to a model before anything is stored or trained: its tokens, and which of them are learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.datasets import Row
from core.errors import KurabeError
from core.models import catalogue, resolve_base
from core.prompting import ChatTemplate, Message
from core.store import tables as tb
from core.training.rows import row_messages

__all__ = ["TokenView", "bases_with_tokenizer", "token_view"]


@dataclass(frozen=True, slots=True)
class TokenView:
    """One row as the trainer would receive it."""

    pieces: list[tuple[str, bool]]
    """Text token by token, and whether it is learned; tokens that only together make a character are one piece."""
    tokens: int
    """How many tokens the row has."""
    trained: int
    """Those of them that are learned."""
    messages: list[Message]
    """The chat that the template was given."""

    @property
    def answers(self) -> int:
        """How many of its turns the assistant has."""
        return sum(message["role"] == "assistant" for message in self.messages)


def token_view(
    row: tb.Example | Row,
    base_ref: str,
    language: str,
    *,
    instructions: str = "",
    house_rules: str = "",
    train_on: Literal["completion", "assistant"] = "completion",
) -> TokenView:
    """Return a row under a base model's chat template, worded and masked as a training would.

    Args:
        row: A stored example, or a row that an import would bring.
        base_ref: The base whose template and tokenizer read it.
        language: The project's.
        instructions: The project's, which open every row.
        house_rules: As `instructions`.
        train_on: ``completion`` learns the last answer; ``assistant`` every answer of the chat.

    Raises:
        KurabeError: ``prompting.no_tokenizer`` where the base's files are not here; what the template refuses.
    """
    template = _template(base_ref)
    messages = row_messages(row, language, instructions, house_rules)
    found = template.training_row(messages, train_on)
    return TokenView(template.pieces(found), len(found), found.trained, messages)


def bases_with_tokenizer(first: str) -> list[str]:
    """Return the bases whose template and tokenizer are on this disk, `first` leading if it is one of them."""
    known = dict.fromkeys([first, *(base.ref for base in catalogue() if base.folder is not None)])
    return [ref for ref in known if _has_template(ref)]


def _has_template(ref: str) -> bool:
    try:
        _template(ref)
    except KurabeError:
        return False
    return True


def _template(base_ref: str) -> ChatTemplate:
    folder = resolve_base(base_ref).folder
    if folder is None:
        raise KurabeError("prompting.no_tokenizer", folder=base_ref)
    return ChatTemplate.load(folder)
