"""Prefix tuning: learned key and value vectors before every layer (Li and Liang 2021, arXiv:2101.00190)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from core.training.methods import Method, option


@dataclass(frozen=True)
class Prefix(Method):
    """Very few trained numbers; good for tone and format, poor for facts."""

    name: ClassVar[str] = "prefix"
    rate_factor: ClassVar[float] = 3.0

    virtual_tokens: int = option(20, "training.field.virtual_tokens", minimum=1, maximum=256)
    """Places before the prompt that are learned."""

    def peft(self) -> dict[str, Any]:
        """Return the configuration of ``PrefixTuningConfig``."""
        return {
            "peft_type": "PREFIX_TUNING",
            "task_type": "CAUSAL_LM",
            "num_virtual_tokens": self.virtual_tokens,
        }
