"""What LoRA and its relatives share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from core.training.methods import Method, option

SMALL = 100_000_000
"""Parameters below which a base needs more rank and takes a much higher rate."""

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]


@dataclass(frozen=True)
class LowRank(Method):
    """Two thin matrices beside each chosen layer are trained; the base stays as it is."""

    rank: int = option(16, "training.field.rank", minimum=1, maximum=512)
    """Inner dimension of the matrices: how much can be learned."""
    alpha: int = option(32, "training.field.alpha", minimum=1, maximum=1024)
    """Strength of what is learned; the update is scaled by alpha / rank."""
    dropout: float = option(0.0, "training.field.dropout", minimum=0.0, maximum=0.9)
    """Share of the adapter's inputs left out at random while training."""
    target: Literal["all-linear", "attention"] = option(
        "all-linear", "training.field.target", choices=("all-linear", "attention")
    )
    """Layers that get an adapter."""

    def peft(self) -> dict[str, Any]:
        """Return the configuration of ``LoraConfig``."""
        return {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "r": self.rank,
            "lora_alpha": self.alpha,
            "lora_dropout": self.dropout,
            "target_modules": "all-linear" if self.target == "all-linear" else ATTENTION,
            "bias": "none",
        }

    @classmethod
    def sized(cls, parameters: int) -> dict[str, Any]:
        """Small models have narrow layers and need more of their rank."""
        return {"rank": 32, "alpha": 64} if parameters < SMALL else {}
