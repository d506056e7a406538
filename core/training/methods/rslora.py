"""rsLoRA: LoRA scaled by alpha / sqrt(rank), steadier at high ranks (Kalajdzievski 2023, arXiv:2312.03732)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from core.training.methods import option
from core.training.methods._low_rank import SMALL, LowRank


@dataclass(frozen=True)
class RsLora(LowRank):
    """LoRA for high ranks."""

    name: ClassVar[str] = "rslora"
    mixable: ClassVar[bool] = True

    rank: int = option(64, "training.field.rank", minimum=1, maximum=512)
    alpha: int = option(16, "training.field.alpha", minimum=1, maximum=1024)

    def peft(self) -> dict[str, Any]:
        """Return the configuration of ``LoraConfig``."""
        return {**super().peft(), "use_rslora": True}

    @classmethod
    def sized(cls, parameters: int) -> dict[str, Any]:
        """The scale of LoRA's default on small models: 64 / 32 = 2 = 16 / sqrt(64)."""
        return {"rank": 64, "alpha": 16} if parameters < SMALL else {}
