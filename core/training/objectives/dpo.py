"""DPO: direct preference optimisation on pairs of answers (Rafailov et al. 2023, arXiv:2305.18290)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.training.methods import option
from core.training.methods._low_rank import SMALL
from core.training.objectives import Objective


@dataclass(frozen=True)
class Dpo(Objective):
    """Prefer the chosen answer to the rejected one by more than the base does; the base is the reference."""

    name: ClassVar[str] = "dpo"
    pairs: ClassVar[bool] = True
    passes: ClassVar[float] = 4.0

    beta: float = option(0.1, "training.field.beta", minimum=0.001, maximum=10.0)
    """How dear it is to move away from the base: a reward is beta times the change of an answer's log-likelihood."""
    mistaken: float = option(0.0, "training.field.mistaken", minimum=0.0, maximum=0.49)
    """Share of pairs that people may have ordered the wrong way; above 0 the loss allows for it (Chowdhury et al.
    2024, arXiv:2403.00409)."""
    answer_weight: float = option(0.0, "training.field.answer_weight", minimum=0.0, maximum=10.0)
    """Weight of learning the chosen answers themselves beside the preference (Pang et al. 2024, arXiv:2404.19733)."""

    @classmethod
    def rate_factor(cls, parameters: int) -> float:
        """Preferences move answers fast: published DPO recipes take 2 to 5 % of the rate of their supervised ones."""
        return 0.1 if parameters < SMALL else 0.03
