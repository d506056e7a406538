"""QLoRA: LoRA over a base held in 4 bit (Dettmers et al. 2023, arXiv:2305.14314)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from core.training.methods import option
from core.training.methods._low_rank import LowRank


@dataclass(frozen=True)
class QLora(LowRank):
    """A quarter of LoRA's memory for the base; the adapter answers over the full weights like any other."""

    name: ClassVar[str] = "qlora"
    mixable: ClassVar[bool] = True
    quantised: ClassVar[bool] = True

    quantisation_type: Literal["nf4", "fp4"] = option("nf4", "training.field.quantisation_type", choices=("nf4", "fp4"))
    """How a weight becomes 4 bits: ``nf4`` suits weights that are spread normally."""
    double_quantisation: bool = option(True, "training.field.double_quantisation")
    """Whether the scales of the 4-bit blocks are quantised as well: 0.4 bits less a weight."""

    def quantisation(self) -> dict[str, Any]:
        """Return the configuration of ``BitsAndBytesConfig``."""
        return {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": self.quantisation_type,
            "bnb_4bit_use_double_quant": self.double_quantisation,
        }
