"""Sample answers: what the model says to the same validation questions before, while and after it learns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from core.prompting import ChatTemplate
from core.training.rows import PreparedRow

__all__ = ["answer_all", "pick", "readable"]

_LONGEST = 64
"""Most tokens of a sample answer: enough to see what is learned."""


def pick(rows: Sequence[PreparedRow], count: int) -> list[PreparedRow]:
    """Return `count` rows spread evenly over the validation rows; the same ones at every evaluation."""
    if count <= 0 or not rows:
        return []
    count = min(count, len(rows))
    return [rows[position * len(rows) // count] for position in range(count)]


def readable(rows: Sequence[PreparedRow], answers: Sequence[str]) -> list[dict[str, Any]]:
    """Return question, reference and answer as the pages show them."""
    return [
        {"question": row.messages[-2]["content"][-600:], "reference": row.messages[-1]["content"], "answer": answer}
        for row, answer in zip(rows, answers, strict=True)
    ]


def answer_all(
    model: PreTrainedModel | PeftModel, template: ChatTemplate, rows: Sequence[PreparedRow], *, base: bool = False
) -> list[str]:
    """Return greedy answers, one a row.

    Args:
        model: the model in training; its mode is as before when this returns.
        template: the base's chat template.
        rows: rows whose last message is the reference.
        base: answer with the adapter switched off.
    """
    prompts = [template.encode(row.messages[:-1]) for row in rows]
    longest = max(len(prompt) for prompt in prompts)
    pad = template.stop_ids[0]
    ids = torch.tensor([[pad] * (longest - len(p)) + p for p in prompts], device=model.device)
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts], device=model.device)
    training = model.training
    model.eval()
    off = model.disable_adapter() if base and isinstance(model, PeftModel) else nullcontext()
    try:
        with torch.no_grad(), off:
            generate: Any = model.generate
            written = generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=_LONGEST,
                do_sample=False,
                eos_token_id=list(template.stop_ids),
                pad_token_id=pad,
            )
    finally:
        model.train(training)
    return [template.decode(row[longest:].tolist()).strip() for row in written]
