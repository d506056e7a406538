"""Full fine-tuning: every weight of the base is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.training.methods import Method


@dataclass(frozen=True)
class Full(Method):
    """The most that can be learned, and forgotten; needs many times LoRA's memory and leaves a model of its own."""

    name: ClassVar[str] = "full"
    whole: ClassVar[bool] = True
    rate_factor: ClassVar[float] = 0.1

    def peft(self) -> None:
        """Train without peft."""
