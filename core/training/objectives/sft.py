"""Supervised fine-tuning: the reference answers become more likely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.training.objectives import Objective


@dataclass(frozen=True)
class Sft(Objective):
    """Write what the data answer."""

    name: ClassVar[str] = "sft"
    passes: ClassVar[float] = 3.0
