"""LoRA: low-rank adaptation (Hu et al. 2021, arXiv:2106.09685)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.training.methods._low_rank import LowRank


@dataclass(frozen=True)
class Lora(LowRank):
    """The usual choice: small adapters, no change of the base, can share a batch."""

    name: ClassVar[str] = "lora"
    mixable: ClassVar[bool] = True
