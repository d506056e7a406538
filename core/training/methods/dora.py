"""DoRA: direction and magnitude of the weights are learned apart (Liu et al. 2024, arXiv:2402.09353)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from core.training.methods._low_rank import LowRank


@dataclass(frozen=True)
class Dora(LowRank):
    """Closer to full fine-tuning at the same rank, but slower, and never in a batch with others."""

    name: ClassVar[str] = "dora"

    def peft(self) -> dict[str, Any]:
        """Return the configuration of ``LoraConfig``."""
        return {**super().peft(), "use_dora": True}
